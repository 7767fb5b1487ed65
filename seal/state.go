package seal

import "slices"

// State is where a seal stands in its life (电子印章管理办法): 申请 → 审核 → 制作 → 备案 → 启用 ⇄ 停用 → 注销.
type State string

// The states of a seal.
const (
	StateRequested State = "requested" // 申请
	StateApproved  State = "approved"  // 审核通过
	StateMade      State = "made"      // 制作
	StateFiled     State = "filed"     // 备案
	StateActive    State = "active"    // 启用
	StateSuspended State = "suspended" // 停用
	StateCancelled State = "cancelled" // 注销
	StateExpired   State = "expired"   // 到期
)

// States lists all states, in the order of a life. The CHECK constraint seal_state_known names the same.
func States() []State {
	return []State{StateRequested, StateApproved, StateMade, StateFiled, StateActive, StateSuspended, StateCancelled, StateExpired}
}

// Next lists the states that may follow.
func (s State) Next() []State {
	switch s {
	case StateRequested:
		return []State{StateApproved, StateCancelled}
	case StateApproved:
		return []State{StateMade, StateCancelled}
	case StateMade:
		return []State{StateFiled, StateCancelled}
	case StateFiled:
		return []State{StateActive, StateCancelled}
	case StateActive:
		return []State{StateSuspended, StateCancelled, StateExpired}
	case StateSuspended:
		return []State{StateActive, StateCancelled, StateExpired}
	case StateCancelled, StateExpired:
		return nil
	}
	return nil
}

// Can reports whether next may follow s.
func (s State) Can(next State) bool { return slices.Contains(s.Next(), next) }
