package license

// States lists every state, in the order of a license's life.
func States() []State {
	return []State{Draft, Accepted, Issued, Suspended, Revoked, Expired, Superseded, Cancelled, Archived}
}

// Next lists the states that may follow directly. Every transition has an actor, a reason, an audit record and one SQL
// statement; docs/architecture.md draws them.
func (s State) Next() []State {
	switch s {
	case Draft:
		return []State{Accepted, Cancelled}
	case Accepted:
		return []State{Issued, Cancelled}
	case Issued:
		return []State{Suspended, Revoked, Expired, Superseded, Cancelled}
	case Suspended:
		return []State{Issued, Revoked, Expired, Superseded, Cancelled}
	case Revoked, Expired, Superseded, Cancelled:
		return []State{Archived}
	case Archived:
		return nil
	}
	return nil
}

// To tells whether next may follow directly.
func (s State) To(next State) bool {
	for _, n := range s.Next() {
		if n == next {
			return true
		}
	}
	return false
}

// Ended tells whether the license is out of force for good.
func (s State) Ended() bool {
	switch s {
	case Revoked, Expired, Superseded, Cancelled, Archived:
		return true
	case Draft, Accepted, Issued, Suspended:
		return false
	}
	return false
}

// Known tells whether s is one of the states.
func (s State) Known() bool {
	for _, k := range States() {
		if k == s {
			return true
		}
	}
	return false
}
