package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Limits of request bodies, in bytes.
const (
	formLimit  = 64 << 10
	issueLimit = 1 << 20  // a form with a portrait
	fileLimit  = 24 << 20 // a license file and its proof
)

type traceKey struct{}

// trace is the number by which a person's report finds the request in the log (追踪号).
func trace(r *http.Request) string {
	t, _ := r.Context().Value(traceKey{}).(*requestNote)
	if t == nil {
		return ""
	}
	return t.id
}

// requestNote is what the log line of a request says beyond its method and status.
type requestNote struct {
	id      string
	pattern string // the route, never the path: paths hold codes
	actor   string // account or client ID
}

// note gives the request's note to those who fill it in.
func note(r *http.Request) *requestNote {
	n, _ := r.Context().Value(traceKey{}).(*requestNote)
	if n == nil {
		n = &requestNote{}
	}
	return n
}

// statusWriter remembers the status for the log.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(code int) {
	if w.status == 0 {
		w.status = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// observe gives every request a trace number and one log line that holds nothing personal: no query, no path values.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b [8]byte
		rand.Read(b[:]) // never fails
		n := &requestNote{id: hex.EncodeToString(b[:])}
		r = r.WithContext(context.WithValue(r.Context(), traceKey{}, n))
		w.Header().Set("X-Trace-Id", n.id)
		sw := &statusWriter{ResponseWriter: w}
		start := s.Now()
		next.ServeHTTP(sw, r)
		route := n.pattern
		if route == "" && (strings.HasPrefix(r.URL.Path, "/oauth2/") || strings.HasPrefix(r.URL.Path, "/.well-known/")) {
			route = r.URL.Path // the provider's paths carry no values
		}
		s.Logger.LogAttrs(r.Context(), slog.LevelInfo, "request",
			slog.String("trace", n.id), slog.String("method", shortMethod(r.Method)), slog.String("route", route),
			slog.String("actor", n.actor), slog.Int("status", sw.status),
			slog.Duration("took", s.Now().Sub(start).Round(time.Microsecond)))
	})
}

// shortMethod keeps a stranger's long method out of the log.
func shortMethod(m string) string {
	if len(m) > 10 {
		return m[:10]
	}
	return m
}

// recovered turns a panic into an answer with a trace number; the stack goes to the log.
func (s *server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v) // net/http's own way to drop a connection
			}
			s.Logger.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("trace", trace(r)),
				slog.Any("value", v), slog.String("stack", string(debug.Stack())))
			if sw, ok := w.(*statusWriter); ok && sw.status != 0 {
				return // the answer is on its way; nothing better can be said
			}
			s.fail(w, r, fault.New(fault.Internal, "internal", "something went wrong on our side"))
		}()
		next.ServeHTTP(w, r)
	})
}

// fail answers an error as the asker reads: JSON under /api/, a page elsewhere. Our own mistakes go to the log.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.KindOf(err)
	if kind == fault.Internal || kind == fault.Unavailable {
		s.Logger.LogAttrs(r.Context(), slog.LevelError, "fault", slog.String("trace", trace(r)),
			slog.String("route", note(r).pattern), slog.String("code", fault.CodeOf(err)), slog.Any("err", err))
	}
	if kind == fault.Unavailable || kind == fault.TooMany {
		w.Header().Set("Retry-After", "5")
	}
	if code := fault.CodeOf(err); kind == fault.Conflict && (code == "sealing_pending" || code == "proof_pending") {
		w.Header().Set("Retry-After", "2") // what is asked for is on its way
	}
	if isAPI(r) {
		s.failAPI(w, r, kind.HTTPStatus(), err)
		return
	}
	s.failPage(w, r, kind.HTTPStatus(), err)
}

// isAPI says whether a request is for the JSON API, whose every answer is JSON.
func isAPI(r *http.Request) bool {
	return r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/")
}

// serveMux serves from a mux, but draws the answers for unknown paths and methods itself, in plain words.
func (s *server) serveMux(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	if p := r.URL.Path; p == "" || p[0] != '/' || (p != "/" && path.Clean(p) != strings.TrimSuffix(p, "/")) {
		// ServeMux would redirect to the clean path; nobody we know asks for an unclean one.
		s.fail(w, r, fault.New(fault.NotFound, "page_not_found", "there is nothing at this address"))
		return
	}
	h, pattern := mux.Handler(r)
	if pattern != "" {
		note(r).pattern = pattern
		mux.ServeHTTP(w, r)
		return
	}
	probe := &probeWriter{header: http.Header{}}
	h.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		s.failWith(w, r, http.StatusMethodNotAllowed,
			fault.New(fault.Invalid, "method_not_allowed", "this address does not take requests of this kind"))
		return
	}
	s.fail(w, r, fault.New(fault.NotFound, "page_not_found", "there is nothing at this address"))
}

// failWith is fail with a status that no fault kind has.
func (s *server) failWith(w http.ResponseWriter, r *http.Request, status int, err error) {
	if isAPI(r) {
		s.failAPI(w, r, status, err)
		return
	}
	s.failPage(w, r, status, err)
}

// probeWriter learns what a handler would answer.
type probeWriter struct {
	header http.Header
	status int
}

func (p *probeWriter) Header() http.Header         { return p.header }
func (p *probeWriter) Write(b []byte) (int, error) { return len(b), nil }
func (p *probeWriter) WriteHeader(code int) {
	if p.status == 0 {
		p.status = code
	}
}

// crossOrigin answers a form or call that another site made a browser send (CSRF).
func (s *server) crossOrigin(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, fault.New(fault.Forbidden, "cross_origin", "this request came from another site").
		WithHint("open the page here and try again"))
}
