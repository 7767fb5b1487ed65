package web

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
)

// apiRoot is where version 1 of the API lives.
const apiRoot = "/api/v1"

// jsonLimit bounds a JSON body: a portrait of 200 KB in base64 and the fields of a license.
const jsonLimit = 1 << 20

// operation is one thing that the API does. The routes and the OpenAPI document are both made from the list of them.
type operation struct {
	Method    string
	Path      string // below apiRoot
	ID        string // operationId
	Summary   string
	SummaryZH string
	Access    access
	Scope     string   // that the principal must hold; "" for none
	Body      string   // name of the schema of a JSON body; "" for none
	Upload    bool     // takes a file instead of JSON
	Answers   []answer // that mean success
	Faults    []int    // statuses of errors
	handle    func(c *call) (reply, error)
}

// access says who may call an operation.
type access int

const (
	public   access = iota // anybody; credentials are not looked at
	optional               // anybody; credentials give more
	required               // only with credentials
)

// answer is one successful answer of an operation.
type answer struct {
	Status int
	Type   string // media type
	Schema string // name of the schema for JSON; "" for bytes and text
	Text   string // what it means
}

// Needs reports whether an operation needs credentials, for the page that lists them.
func (o operation) Needs() bool { return o.Access == required }

// call is one call of the API.
type call struct {
	*http.Request
	s    *server
	who  *identity.Principal // nil for a stranger
	body []byte              // JSON that satisfies the operation's schema
}

// reply is what an operation answers.
type reply struct {
	status int
	json   any
	bytes  []byte
	kind   string // media type of bytes
	name   *license.License
	suffix string
}

// routeAPI registers every operation.
func (s *server) routeAPI(mux *http.ServeMux) {
	for _, op := range s.operations() {
		mux.Handle(op.Method+" "+apiRoot+op.Path, s.api(op))
	}
	// "search" is no license: without these lines GET would find it under /licenses/{id}, and Allow would name it.
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
		mux.HandleFunc(method+" "+apiRoot+"/licenses/search", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", "POST")
			s.failAPI(w, r, http.StatusMethodNotAllowed,
				fault.New(fault.Invalid, "method_not_allowed", "this address does not take requests of this kind"))
		})
	}
}

// api makes a handler of an operation: who calls, may they, is the body what the document says, then the call.
func (s *server) api(op operation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		apiHeaders(w.Header())
		limit := int64(jsonLimit)
		if op.Upload {
			limit = fileLimit
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		c := &call{Request: r, s: s}
		var err error
		if op.Access != public {
			if c.who, err = s.caller(r); err != nil {
				s.fail(w, r, err)
				return
			}
		}
		if op.Access == required && c.who == nil {
			s.fail(w, r, fault.New(fault.Unauthenticated, "credentials_missing_api", "credentials are missing").
				WithHint("send a bearer token, or sign in and call from the same site"))
			return
		}
		if op.Scope != "" && c.who != nil && !c.who.Can(op.Scope) && (op.Access == required || c.who.Client != "") {
			w.Header().Set("WWW-Authenticate", `Bearer realm="yinxin", error="insufficient_scope", scope="`+op.Scope+`"`) // RFC 6750, section 3.1
			s.fail(w, r, fault.New(fault.Forbidden, "scope_missing", "the credentials do not have the scope "+op.Scope))
			return
		}
		if op.Body != "" {
			if status, err := c.readJSON(op.Body); err != nil {
				if status == 0 {
					status = fault.KindOf(err).HTTPStatus()
				}
				s.failAPI(w, r, status, err)
				return
			}
		}
		out, err := op.handle(c)
		if err != nil {
			if errors.Is(err, errMediaType) {
				s.failAPI(w, r, http.StatusUnsupportedMediaType, err)
				return
			}
			s.fail(w, r, err)
			return
		}
		s.answer(w, r, out)
	})
}

// caller finds who calls: a bearer token first, else the browser's session. A bad token is an error, never a stranger.
func (s *server) caller(r *http.Request) (*identity.Principal, error) {
	if values := r.Header.Values("Authorization"); len(values) > 0 {
		scheme, token, _ := strings.Cut(values[0], " ")
		token = strings.TrimSpace(token)
		if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > 4096 || !printable(token) {
			return nil, fault.New(fault.Unauthenticated, "token_invalid", "the access token is not good")
		}
		p, err := s.Provider.Authenticate(r.Context(), token)
		if err != nil {
			return nil, err
		}
		note(r).actor = p.Client
		if p.Client == "" && p.Account != nil {
			note(r).actor = p.Account.ID
		}
		return &p, nil
	}
	v, err := s.view(r)
	if err != nil || v == nil {
		return nil, err
	}
	return v.principal(), nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// errMediaType says that the body is not in a form that the operation takes.
var errMediaType = fault.New(fault.Invalid, "media_type", "the body is not of a type that this address takes")

// readJSON reads the body and holds it against its schema; what passes is exactly what the document promises to accept.
func (c *call) readJSON(schema string) (int, error) {
	kind, _, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return http.StatusUnsupportedMediaType, errMediaType
	}
	b, err := io.ReadAll(c.Body)
	if err != nil {
		return 0, bodyFault(err)
	}
	v, err := parseJSON(b)
	if err != nil {
		return 0, fault.Wrap(err, fault.Invalid, "json_malformed", "the body is not valid JSON")
	}
	if err := c.s.schemas.check(schema, v); err != nil {
		return 0, fault.Wrap(err, fault.Invalid, "json_refused", "the body is not as the API document says: "+err.Error())
	}
	c.body = b
	return 0, nil
}

func bodyFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fault.Wrap(err, fault.TooLarge, "body_too_large", "what was sent is too large")
	}
	return fault.Wrap(err, fault.Invalid, "body_broken", "the body ended early")
}

// decode puts the checked body into a struct.
func (c *call) decode(into any) error {
	if err := json.Unmarshal(c.body, into); err != nil {
		return fault.Wrap(err, fault.Invalid, "json_refused", "the body is not as the API document says")
	}
	return nil
}

// id reads the license ID of the address.
func (c *call) id() (license.ID, error) { return license.ParseID(c.PathValue("id")) }

// answer writes a reply.
func (s *server) answer(w http.ResponseWriter, r *http.Request, out reply) {
	if out.json == nil {
		if out.name != nil {
			attach(w, out.name, out.kind, out.suffix, len(out.bytes))
		}
		w.Header().Set("Content-Type", out.kind)
		w.WriteHeader(out.status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(out.bytes) // the caller is gone; nobody is left to tell
		}
		return
	}
	b, err := json.Marshal(out.json)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(out.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(b, '\n')) // the caller is gone; nobody is left to tell
	}
}

// errorBody is the one shape of every error of the API.
type errorBody struct {
	Error    string            `json:"error"`
	Message  string            `json:"message"`
	Hint     string            `json:"hint,omitempty"`
	Trace    string            `json:"trace"`
	Problems []license.Problem `json:"problems,omitempty"`
}

// failAPI answers an error in JSON, in the caller's language.
func (s *server) failAPI(w http.ResponseWriter, r *http.Request, status int, err error) {
	apiHeaders(w.Header())
	lang := language(r)
	message, hint := s.words.fault(lang, err)
	body := errorBody{Error: fault.CodeOf(err), Message: message, Hint: hint, Trace: trace(r)}
	var found license.Problems
	if errors.As(err, &found) {
		for _, p := range found {
			p.Message = s.problemText(lang, p)
			body.Problems = append(body.Problems, p)
		}
	}
	if status == http.StatusUnauthorized {
		challenge := `Bearer realm="yinxin"`
		if r.Header.Get("Authorization") != "" {
			challenge += `, error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	b, merr := json.Marshal(body)
	if merr != nil {
		s.Logger.LogAttrs(r.Context(), slog.LevelError, "error body", slog.Any("err", merr))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Language", lang)
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(b, '\n')) // the caller is gone; nobody is left to tell
	}
}
