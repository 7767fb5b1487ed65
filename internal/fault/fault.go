// Package fault is the one error type that crosses package borders: a kind that decides the HTTP status and the
// exit code, a stable code that a page or a client can look up, a sentence for the person who made the mistake, a
// hint that says what to do next, and the cause, which only the log sees.
package fault

import (
	"errors"
	"fmt"
)

// Kind says whose mistake it was and what may be done about it.
type Kind uint8

// The kinds, from the caller's mistakes to ours.
const (
	Internal        Kind = iota // ours; the message is generic, the cause is for the log
	Invalid                     // the request is malformed or breaks a rule
	Unauthenticated             // nobody is signed in, or the token is not good
	Forbidden                   // signed in, but not allowed to
	NotFound                    // no such thing, or none that the caller may know of
	Conflict                    // the state of the thing refuses it
	TooLarge                    // over a limit of size, depth or count
	TooMany                     // over a limit of rate; try later
	Unavailable                 // a part that we need does not answer; try later
)

// Error is an error with a reader. Message and Hint are shown to the person who asked and never hold a name, an ID
// number or a secret; Err is for the log.
type Error struct {
	Kind    Kind
	Code    string // stable snake_case name, the key of its translations and of the API's error member
	Message string // lower case, no trailing stop, in the words of the reader
	Hint    string // what to do next; may be empty
	Err     error
}

// New makes an error whose code and message are known.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// Wrap makes an error for a reader around a cause for the log.
func Wrap(err error, kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message, Err: err}
}

// WithHint returns a copy that also says what to do next.
func (e *Error) WithHint(hint string) *Error {
	c := *e
	c.Hint = hint
	return &c
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Message, e.Err)
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of the outermost Error in err's chain; an error without one is Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// CodeOf is the code of the outermost Error in err's chain, or "internal".
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Code != "" {
		return e.Code
	}
	return "internal"
}

// HTTPStatus is the one table from kind to HTTP status.
func (k Kind) HTTPStatus() int {
	switch k {
	case Invalid:
		return 400
	case Unauthenticated:
		return 401
	case Forbidden:
		return 403
	case NotFound:
		return 404
	case Conflict:
		return 409
	case TooLarge:
		return 413
	case TooMany:
		return 429
	case Unavailable:
		return 503
	case Internal:
		return 500
	}
	return 500
}

// ExitStatus is the one table from kind to the exit status of our commands: 1 for our failures, 3 for the caller's.
func (k Kind) ExitStatus() int {
	switch k {
	case Invalid, TooLarge, NotFound, Unauthenticated, Forbidden, Conflict:
		return 3
	case Internal, TooMany, Unavailable:
		return 1
	}
	return 1
}
