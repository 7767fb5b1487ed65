package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/ory/fosite"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// failure is an error as the protocol tells it (RFC 6749 §4.1.2.1, §5.2, RFC 6750 §3.1).
type failure struct {
	Name        string `json:"error"`
	Description string `json:"error_description,omitempty"`
	status      int
	cause       error
}

func (f *failure) Error() string {
	if f.cause != nil {
		return f.Name + ": " + f.cause.Error()
	}
	return f.Name + ": " + f.Description
}

func (f *failure) Unwrap() error { return f.cause }

func refusal(name, description string) *failure {
	return &failure{Name: name, Description: description, status: http.StatusBadRequest}
}

// asFailure turns any error into one of the protocol. What is ours to mend becomes server_error or
// temporarily_unavailable, and says nothing else.
func asFailure(err error) *failure {
	var own *failure
	if errors.As(err, &own) {
		return own
	}
	var known *fault.Error
	if errors.As(err, &known) {
		switch known.Kind {
		case fault.Unavailable:
			return &failure{Name: "temporarily_unavailable", Description: "try again in a moment", status: http.StatusServiceUnavailable, cause: err}
		case fault.Internal:
			return &failure{Name: "server_error", status: http.StatusInternalServerError, cause: err}
		case fault.Invalid, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.Conflict, fault.TooLarge, fault.TooMany:
			// a judgement, which fosite has put into words below
		}
	}
	var rfc *fosite.RFC6749Error
	if !errors.As(err, &rfc) || rfc.CodeField >= http.StatusInternalServerError {
		return &failure{Name: "server_error", status: http.StatusInternalServerError, cause: err}
	}
	f := refusal(rfc.ErrorField, plain(rfc.GetDescription()))
	f.cause = err
	switch rfc.ErrorField {
	case "invalid_client":
		f.Description, f.status = "client authentication failed", http.StatusUnauthorized
	case "invalid_state", "insufficient_entropy", "error", "misconfiguration", "jti_known":
		f.Name = "invalid_request"
	case "not_found", "token_inactive", "token_signature_mismatch", "invalid_token", "token_claim", "scope_not_granted":
		f.Name = "invalid_grant"
	case "request_unauthorized", "request_forbidden":
		f.Name, f.status = "invalid_client", http.StatusUnauthorized
	}
	return f
}

// plain keeps what RFC 6749 allows in error_description: printable ASCII without quotation mark and backslash.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return -1
		}
		return c
	}, s)
}

// fail answers an application with JSON.
func (p *Provider) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := asFailure(err)
	if f.status >= http.StatusInternalServerError {
		p.opts.Logger.ErrorContext(r.Context(), "oauth request failed", "path", r.URL.Path, "error", f.cause)
	}
	h := w.Header()
	if f.status == http.StatusUnauthorized {
		h.Set("Www-Authenticate", `Basic realm="`+p.issuer.Host+`", charset="UTF-8"`)
	}
	if f.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", retryAfter(err))
	}
	writeJSON(w, f.status, f)
}

func retryAfter(err error) string {
	if d, ok := identity.RetryAfter(err); ok {
		return strconv.Itoa(int(d.Seconds()))
	}
	return "2"
}

// writeJSON answers with a body that nobody may keep.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, `{"error":"server_error"}`, http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(body) // when it fails the client has gone
}
