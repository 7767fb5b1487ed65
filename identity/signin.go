package identity

import (
	"context"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// SignIn checks a password and starts a session, whose token goes into a cookie and nowhere else. Whoever has no account
// here gets the answer, and costs the time, of a wrong password. A new token is drawn at every sign-in and the one the
// browser had before is ended, so a token planted in a browser never becomes a signed-in one.
//
// Errors: Unauthenticated "wrong_login_or_password"; TooMany "too_many_attempts" and Unavailable "busy", for which
// RetryAfter tells how long to wait.
func (s *Service) SignIn(ctx context.Context, in SignIn) (string, Session, error) {
	login, err := normaliseLogin(in.Login)
	if err != nil || in.Password == "" || len(in.Password) > MaxPassword {
		// Says nothing about any account: no account has such a login or password.
		return "", Session{}, errWrongPassword()
	}
	index, err := s.index(ctx, "login", login)
	if err != nil {
		return "", Session{}, err
	}
	right, row, err := s.try(ctx, index, in)
	if err != nil {
		return "", Session{}, err
	}
	if !right {
		return "", Session{}, errWrongPassword()
	}
	return s.startSession(ctx, row, []string{AMRPassword}, in.Replaces)
}

// try checks a password within the limits. The narrowest bucket comes first: one address at one login.
func (s *Service) try(ctx context.Context, index []byte, in SignIn) (right bool, row AccountRow, err error) {
	keys := []string{string(index) + in.Address, in.Address, string(index)}
	if err := s.gate.enter(ctx, keys); err != nil {
		return false, AccountRow{}, err
	}
	defer func() { s.gate.done(keys, err == nil && !right) }()
	row, factor, err := s.opts.Store.Login(ctx, index, FactorPassword)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return false, AccountRow{}, err
	}
	right, err = s.checkPassword(ctx, factor, in.Password)
	return right, row, err
}

func errWrongPassword() error {
	return fault.New(fault.Unauthenticated, "wrong_login_or_password", "the login name or the password is wrong").
		WithHint("check both; capital letters matter in the password")
}
