package identity

import (
	"context"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// SignIn checks a password and starts a session, whose token goes into a cookie and nowhere else. Whoever has no account
// here gets the answer, and costs the time, of a wrong password. A new token is drawn at every sign-in and the one the
// browser had before is ended, so a token planted in a browser never becomes a signed-in one.
//
// Errors: Unauthenticated "wrong_login_or_password"; TooMany "too_many_attempts" and Unavailable "busy", for which
// RetryAfter tells how long to wait.
func (s *Service) SignIn(ctx context.Context, in SignIn) (string, Session, error) {
	now := s.opts.Now()
	login, err := normaliseLogin(in.Login)
	if err != nil || in.Password == "" || len(in.Password) > MaxPassword {
		// Says nothing about any account: no account has such a login or password.
		return "", Session{}, errWrongPassword()
	}
	index, err := s.index(ctx, "login", login)
	if err != nil {
		return "", Session{}, err
	}
	tries := s.tries(index, in.Address)
	if err := tries.take(now); err != nil {
		return "", Session{}, err
	}
	row, factor, err := s.opts.Store.Login(ctx, index, FactorPassword)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		tries.give(now)
		return "", Session{}, err
	}
	right, err := s.checkPassword(ctx, factor, in.Password)
	if err != nil {
		tries.give(now)
		return "", Session{}, err
	}
	if !right {
		return "", Session{}, errWrongPassword()
	}
	tries.give(now)
	return s.startSession(ctx, row, []string{AMRPassword}, in.Replaces)
}

func errWrongPassword() error {
	return fault.New(fault.Unauthenticated, "wrong_login_or_password", "the login name or the password is wrong").
		WithHint("check both; capital letters matter in the password")
}

// tries is the three buckets that one try takes from.
type tries struct {
	limiters []*limiter
	keys     []string
}

func (s *Service) tries(index []byte, address string) tries {
	return tries{
		limiters: []*limiter{s.pairs, s.logins, s.hosts},
		keys:     []string{string(index) + address, string(index), address},
	}
}

func (t tries) take(now time.Time) error {
	for i, l := range t.limiters {
		wait, ok := l.take(t.keys[i], now)
		if ok {
			continue
		}
		for j := range i {
			t.limiters[j].give(t.keys[j], now)
		}
		return retryLater(fault.New(fault.TooMany, "too_many_attempts", "too many attempts").
			WithHint("wait a little and try again; nobody is locked out"), wait)
	}
	return nil
}

func (t tries) give(now time.Time) {
	for i, l := range t.limiters {
		l.give(t.keys[i], now)
	}
}
