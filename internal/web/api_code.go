package web

import (
	"io"
	"mime"
	"net/http"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
)

// kindBody is a kind of the catalogue in the API.
type kindBody struct {
	Code           string       `json:"code"`
	Number         uint32       `json:"number"`
	Version        int          `json:"version"`
	Name           string       `json:"name"`
	NameEN         string       `json:"name_en"`
	DefiningOffice string       `json:"defining_office"`
	Holders        holdersRule  `json:"holders"`
	Photo          string       `json:"photo"`
	Validity       validityRule `json:"validity"`
	Fields         []fieldBody  `json:"fields"`
	RevokeReasons  []reasonBody `json:"revoke_reasons"`
}

type holdersRule struct {
	Min       int      `json:"min"`
	Max       int      `json:"max"`
	Types     []string `json:"types"`
	Guardians int      `json:"guardians"`
	Parts     bool     `json:"parts"`
}

type validityRule struct {
	Mode  string `json:"mode"`
	Years int    `json:"years"`
}

type fieldBody struct {
	Code      string   `json:"code"`
	Name      string   `json:"name"`
	NameEN    string   `json:"name_en"`
	Class     string   `json:"class"`
	Type      string   `json:"type"`
	Required  bool     `json:"required"`
	MaxLength int      `json:"max_length"`
	Pattern   string   `json:"pattern,omitempty"`
	Choices   []string `json:"choices,omitempty"`
	Disclose  bool     `json:"disclose"`
	Example   string   `json:"example,omitempty"`
}

type reasonBody struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	NameEN string `json:"name_en"`
}

func (s *server) apiKinds(c *call) (reply, error) {
	kinds, err := s.Licenses.Kinds(c.Context())
	if err != nil {
		return reply{}, err
	}
	out := make([]kindBody, 0, len(kinds))
	for _, k := range kinds {
		b := kindBody{
			Code: k.Code, Number: k.Number, Version: k.Version, Name: k.Name, NameEN: k.NameEN, DefiningOffice: k.DefiningOffice,
			Holders: holdersRule{k.Holders.Min, k.Holders.Max, append([]string{}, k.Holders.Types...), k.Holders.Guardians, k.Holders.Parts},
			Photo:   string(k.Photo), Validity: validityRule{k.Validity.Mode, k.Validity.Years}, Fields: []fieldBody{}, RevokeReasons: []reasonBody{},
		}
		for _, f := range k.Fields {
			b.Fields = append(b.Fields, fieldBody{
				Code: f.Code, Name: f.Name, NameEN: f.NameEN, Class: string(f.Class), Type: string(f.Type),
				Required: f.Required, MaxLength: f.MaxLength, Pattern: f.Pattern, Choices: f.Choices, Disclose: f.Disclose, Example: f.Example,
			})
		}
		for _, r := range k.RevokeReasons {
			b.RevokeReasons = append(b.RevokeReasons, reasonBody{r.Code, r.Name, r.EN})
		}
		out = append(out, b)
	}
	return reply{status: http.StatusOK, json: struct {
		Kinds []kindBody `json:"kinds"`
	}{out}}, nil
}

// apiShow mints a dynamic code. A person shows licenses of their own; a client with the scope is a test wallet and names the
// holder for whom it shows.
func (s *server) apiShow(c *call) (reply, error) {
	var in struct {
		Holder *struct {
			Type string `json:"type"`
			Code string `json:"code"`
		} `json:"holder"`
		Mask    uint32 `json:"mask"`
		Purpose string `json:"purpose"`
		actBody
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	var mine []license.Holder
	switch {
	case c.who.Account != nil:
		mine = holders(c.who.Account)
		if in.Holder != nil {
			wanted := license.Holder{Type: in.Holder.Type, Code: in.Holder.Code}.Normal()
			kept := mine[:0]
			for _, h := range mine {
				if h.Type == wanted.Type && h.Code == wanted.Code {
					kept = append(kept, h)
				}
			}
			mine = kept
		}
	case in.Holder == nil:
		return reply{}, fault.New(fault.Invalid, "holder_missing", "a client names the holder for whom it shows")
	default:
		mine = []license.Holder{license.Holder{Type: in.Holder.Type, Code: in.Holder.Code}.Normal()}
	}
	if len(mine) == 0 {
		return reply{}, errNoLicense
	}
	shown, err := s.Licenses.Show(c.Context(), license.ShowRequest{License: id, Viewer: mine, Mask: in.Mask, Purpose: in.Purpose, Act: in.act(c.who)})
	if err != nil {
		return reply{}, err
	}
	fields := shown.Fields
	if fields == nil {
		fields = []license.Field{}
	}
	return reply{status: http.StatusCreated, json: struct {
		Code      string          `json:"code"`
		Handle    string          `json:"handle"`
		ExpiresAt string          `json:"expires_at"`
		Fields    []license.Field `json:"fields"`
	}{shown.Code, shown.Handle, instant(shown.ExpiresAt), fields}}, nil
}

func (s *server) apiFile(c *call) (reply, error) {
	l, err := c.readable()
	if err != nil {
		return reply{}, err
	}
	b, err := s.Licenses.File(c.Context(), l.ID)
	if err != nil {
		return reply{}, err
	}
	if err := s.looked(c.Context(), c.who, l, license.ActFetched); err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, bytes: b, kind: "application/ofd", name: l, suffix: ".ofd"}, nil
}

func (s *server) apiStatusProof(c *call) (reply, error) {
	l, err := c.readable()
	if err != nil {
		return reply{}, err
	}
	b, err := s.Proofs.StatusProof(c.Context(), l.ID)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, bytes: b, kind: "application/octet-stream", name: l, suffix: ".status.proof"}, nil
}

func (s *server) apiProof(c *call) (reply, error) {
	l, err := c.readable()
	if err != nil {
		return reply{}, err
	}
	b, err := s.Proofs.Proof(c.Context(), l.ID)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, bytes: b, kind: "application/octet-stream", name: l, suffix: ".proof"}, nil
}

func (s *server) apiStaticCode(c *call) (reply, error) {
	l, err := c.readable()
	if err != nil {
		return reply{}, err
	}
	code, err := s.Licenses.StaticCode(c.Context(), l.ID)
	if err != nil {
		return reply{}, err
	}
	if err := s.looked(c.Context(), c.who, l, license.ActFetched); err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, json: struct {
		Code string `json:"code"`
	}{code}}, nil
}

// outcomeBody is the outcome of a code in the API.
type outcomeBody struct {
	Report      verdict.Report   `json:"report"`
	Consumed    bool             `json:"consumed"`
	Receipt     string           `json:"receipt,omitempty"`
	FirstUsedAt string           `json:"first_used_at,omitempty"`
	KindName    string           `json:"kind_name,omitempty"`
	OfficeName  string           `json:"office_name,omitempty"`
	State       license.State    `json:"state,omitempty"`
	EndedAt     string           `json:"ended_at,omitempty"`
	EndReason   string           `json:"end_reason,omitempty"`
	EndOffice   string           `json:"end_office,omitempty"`
	Holders     []license.Holder `json:"holders"`
	Face        []license.Field  `json:"face"`
}

// apiCheckCode judges a code. Credentials with the scope consume it; anybody else only looks.
func (s *server) apiCheckCode(c *call) (reply, error) {
	var in struct {
		Code string `json:"code"`
		actBody
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	var by license.Verifier
	if c.who != nil && c.who.Can(identity.ScopeVerify) {
		by = license.Verifier{Authenticated: true, Audience: c.who.Office, Act: in.act(c.who)}
	}
	code := cleanCode(in.Code)
	if code == "" {
		return reply{}, fault.New(fault.Invalid, "code_missing", "there is no code to check")
	}
	o, err := s.Licenses.CheckCode(c.Context(), code, by)
	if err != nil {
		return reply{}, err
	}
	b := outcomeBody{
		Report: whole(o.Report), Consumed: o.Receipt != "", Receipt: o.Receipt, FirstUsedAt: instant(o.FirstUsedAt),
		KindName: o.KindName, OfficeName: o.OfficeName, State: o.State, EndedAt: instant(o.EndedAt), EndReason: o.EndReason,
		EndOffice: o.EndOffice, Holders: o.Holders, Face: o.Face,
	}
	if b.Holders == nil {
		b.Holders = []license.Holder{}
	}
	if b.Face == nil {
		b.Face = []license.Field{}
	}
	return reply{status: http.StatusOK, json: b}, nil
}

// whole makes empty lists of missing ones, so that the shape is always the same.
func whole(r verdict.Report) verdict.Report {
	if r.Checks == nil {
		r.Checks = []verdict.Check{}
	}
	if r.Signatures == nil {
		r.Signatures = []verdict.Signature{}
	}
	for i := range r.Signatures {
		if r.Signatures[i].Checks == nil {
			r.Signatures[i].Checks = []verdict.Check{}
		}
	}
	if r.Ledger.State == "" {
		r.Ledger.State = "unchecked"
	}
	return r
}

// apiCheckFile judges an OFD file: as the body itself, or as part "file" of a form with a "proof" beside it.
func (s *server) apiCheckFile(c *call) (reply, error) {
	kind, _, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil {
		return reply{}, errMediaType
	}
	var file, proof []byte
	switch kind {
	case "application/ofd", "application/octet-stream":
		if file, err = io.ReadAll(c.Body); err != nil {
			return reply{}, bodyFault(err)
		}
		if len(file) > maxFile {
			return reply{}, fault.New(fault.TooLarge, "body_too_large", "what was sent is too large")
		}
	case "multipart/form-data":
		if file, proof, err = readFiles(c.Request); err != nil {
			return reply{}, err
		}
	default:
		return reply{}, errMediaType
	}
	if len(file) == 0 {
		return reply{}, fault.New(fault.Invalid, "file_missing", "there is no file to check")
	}
	return reply{status: http.StatusOK, json: whole(s.Judge.File(c.Context(), file, proof))}, nil
}

func (s *server) apiCheckpoint(c *call) (reply, error) {
	b, err := s.Proofs.Checkpoint(c.Context())
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, bytes: b, kind: "text/plain; charset=utf-8"}, nil
}

func (s *server) apiTrustList(c *call) (reply, error) {
	b, err := s.TrustList(c.Context())
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, bytes: b, kind: "application/json"}, nil
}

func (s *server) apiDocument(*call) (reply, error) {
	return reply{status: http.StatusOK, bytes: s.openapi, kind: "application/json"}, nil
}
