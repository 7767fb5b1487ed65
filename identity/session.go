package identity

import (
	"context"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// startSession stores a session for an account that has just proved itself.
func (s *Service) startSession(ctx context.Context, account AccountRow, amr []string, replaces string) (string, Session, error) {
	now := s.opts.Now().UTC().Truncate(time.Microsecond) // what the store keeps
	ends := now.Add(s.opts.SessionLife)
	token, key, err := NewHandle(s.opts.Rand, DayOf(ends))
	if err != nil {
		return "", Session{}, err
	}
	sid, err := s.random(16)
	if err != nil {
		return "", Session{}, err
	}
	row := SessionRow{Key: key, SID: sid, Account: account.ID, AuthTime: now, AMR: amr, ACR: ACR(account.Level, amr), CreatedAt: now, ExpiresAt: ends}
	var old *Key
	if k, err := ParseHandle(replaces); err == nil {
		old = &k
	}
	if row.SID, err = s.opts.Store.StartSession(ctx, row, old); err != nil {
		return "", Session{}, err
	}
	return token, row.session(), nil
}

func (r SessionRow) session() Session {
	return Session{SID: r.SID, Account: r.Account, AuthTime: r.AuthTime, AMR: r.AMR, ACR: r.ACR, Expires: r.ExpiresAt}
}

// Session gives the session and account of a cookie's token; Unauthenticated "session_ended" when there is none.
func (s *Service) Session(ctx context.Context, token string) (Session, Account, error) {
	key, err := ParseHandle(token)
	if err != nil {
		return Session{}, Account{}, errSessionEnded(err)
	}
	row, account, err := s.opts.Store.Session(ctx, key, s.opts.Now())
	if fault.KindOf(err) == fault.NotFound {
		return Session{}, Account{}, errSessionEnded(err)
	}
	if err != nil {
		return Session{}, Account{}, err
	}
	opened, err := s.Open(ctx, account)
	if err != nil {
		return Session{}, Account{}, err
	}
	return row.session(), opened, nil
}

func errSessionEnded(err error) error {
	return fault.Wrap(err, fault.Unauthenticated, "session_ended", "you are not signed in").WithHint("sign in")
}

// SignOut ends a session for all applications: grants that do not outlive it end with it, those with offline_access stay.
// Signing out twice is no error.
func (s *Service) SignOut(ctx context.Context, token string) error {
	key, err := ParseHandle(token)
	if err != nil {
		return nil //nolint:nilerr // no such session can exist, so there is nothing to end
	}
	return s.opts.Store.EndSession(ctx, key, s.opts.Now())
}

// SignOutSID ends the sessions of a SID, as an application that holds an ID token may ask.
func (s *Service) SignOutSID(ctx context.Context, sid string) error {
	return s.opts.Store.EndSessions(ctx, sid, s.opts.Now())
}
