package sealtest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yinxin-trust/yinxin/seal"
)

// Memory keeps seals and drafts in memory; the second implementation that the suite holds against the database.
type Memory struct {
	mu      sync.Mutex
	seals   map[string]seal.Row
	history map[string][]span
	drafts  map[seal.DraftID]seal.Draft
}

type span struct {
	state seal.State
	since time.Time
}

// NewMemory is an empty store.
func NewMemory() *Memory {
	return &Memory{seals: map[string]seal.Row{}, history: map[string][]span{}, drafts: map[seal.DraftID]seal.Draft{}}
}

func place(cell uint16, id string) string { return string(rune(cell)) + "/" + id }

// InsertSeal adds a seal in whatever state the row has: tests start where they like.
func (m *Memory) InsertSeal(_ context.Context, r seal.Row, _ seal.Act) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := place(r.Cell, r.ID)
	if _, ok := m.seals[key]; ok {
		return seal.ErrSealExists()
	}
	r.Since = r.CreatedAt
	m.seals[key] = r
	m.history[key] = []span{{r.State, r.CreatedAt}}
	return nil
}

// Seal finds a seal.
func (m *Memory) Seal(_ context.Context, cell uint16, id string) (seal.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.seals[place(cell, id)]
	if !ok {
		return r, seal.ErrSealUnknown()
	}
	return r, nil
}

// Seals lists an office's seals.
func (m *Memory) Seals(_ context.Context, cell uint16, office string) ([]seal.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []seal.Row
	for _, r := range m.seals {
		if r.Cell == cell && r.Office == office {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b seal.Row) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// ChangeSeal moves a seal on.
func (m *Memory) ChangeSeal(_ context.Context, cell uint16, id string, from, to seal.State, made *seal.Made, _ seal.Act, at time.Time) error {
	if !from.Can(to) || (made != nil) != (to == seal.StateMade) {
		return seal.ErrSealState()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	key := place(cell, id)
	r, ok := m.seals[key]
	if !ok {
		return seal.ErrSealUnknown()
	}
	if r.State != from || !at.After(r.Since) {
		return seal.ErrSealState()
	}
	r.State, r.Since = to, at
	if made != nil {
		r.DER, r.SignerCert, r.MakerCert, r.KeyRef = made.DER, made.SignerCert, made.MakerCert, made.KeyRef
	}
	m.seals[key] = r
	m.history[key] = append(m.history[key], span{to, at})
	return nil
}

// SealAt is the state at a past instant.
func (m *Memory) SealAt(_ context.Context, cell uint16, id string, at time.Time) (seal.State, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.history[place(cell, id)]
	for i := len(h) - 1; i >= 0; i-- {
		if !h[i].since.After(at) {
			return h[i].state, h[i].since, nil
		}
	}
	return "", time.Time{}, seal.ErrSealUnknown()
}

// CountDrafts counts a seal's drafts.
func (m *Memory) CountDrafts(_ context.Context, cell uint16, id string, since time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, d := range m.drafts {
		if d.ID.Cell() == cell && d.SealID == id && !d.CreatedAt.Before(since) {
			n++
		}
	}
	return n, nil
}

// InsertDraft stores a draft.
func (m *Memory) InsertDraft(_ context.Context, d seal.Draft) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drafts[d.ID] = d
	return nil
}

// RedeemDraft takes a draft once.
func (m *Memory) RedeemDraft(_ context.Context, id seal.DraftID, now time.Time) (seal.Draft, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.drafts[id]
	switch {
	case !ok:
		return d, seal.ErrDraftUnknown()
	case d.State != seal.DraftPrepared:
		return d, seal.ErrDraftRedeemed()
	case !now.Before(d.ExpiresAt):
		return d, seal.ErrDraftExpired()
	}
	d.State = seal.DraftRedeemed
	m.drafts[id] = d
	return d, nil
}

// FinishDraft marks a draft.
func (m *Memory) FinishDraft(_ context.Context, id seal.DraftID, s seal.DraftState, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.drafts[id]
	if !ok || !d.State.Can(s) {
		return seal.ErrDraftUnknown()
	}
	d.State, d.TBS = s, nil
	m.drafts[id] = d
	return nil
}
