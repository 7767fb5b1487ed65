package web_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/internal/web"
	"github.com/yinxin-trust/yinxin/license"
)

// world is all of web's ports in memory: it keeps what was done and answers as the domain would.
type world struct {
	mu        sync.Mutex
	now       func() time.Time
	catalogue *license.Catalogue
	licenses  map[license.ID]*license.License
	events    map[license.ID][]license.Event
	codes     map[string]*fakeCode
	sessions  map[string]identity.Session
	accounts  map[string]*identity.Account // by login
	searches  int
	pending   bool // issuing stops at accepted
	broken    error
	unwritten error // of every record of a look
	report    verdict.Report
}

type fakeCode struct {
	id     license.ID
	at     time.Time
	used   time.Time
	fields []license.Field
}

func newWorld() *world {
	c, err := license.NewCatalogue(license.SampleKinds())
	if err != nil {
		panic(err)
	}
	w := &world{
		now: time.Now, catalogue: c, licenses: map[license.ID]*license.License{}, events: map[license.ID][]license.Event{},
		codes: map[string]*fakeCode{}, sessions: map[string]identity.Session{}, accounts: map[string]*identity.Account{},
	}
	for _, a := range []*identity.Account{
		{ID: strings.Repeat("a", 32), Login: "citizen", Name: "赵示例", Roles: []identity.Role{identity.Citizen}, Level: 4, Subjects: []identity.Subject{
			{Type: "111", Code: citizenNumber, Name: "赵示例", Relation: "self"},
			{Type: "001", Code: enterpriseCode, Name: "样本餐饮有限公司", Relation: "representative"},
		}},
		{ID: strings.Repeat("b", 32), Login: "clerk", Name: "钱窗口", Roles: []identity.Role{identity.Clerk}, Office: otherOffice, OfficeName: "示例市政务服务大厅"},
		{ID: strings.Repeat("c", 32), Login: "officer", Name: "孙发证", Roles: []identity.Role{identity.Officer}, Office: office, OfficeName: "示例市行政审批局"},
		{ID: strings.Repeat("d", 32), Login: "nobody", Name: "李空空", Roles: []identity.Role{identity.Citizen}, Subjects: []identity.Subject{{Type: "111", Code: otherNumber, Name: "李空空", Relation: "self"}}},
	} {
		w.accounts[a.Login] = a
	}
	return w
}

// Numbers of the unused region 99; all check.
const (
	citizenNumber  = "990101199001010019"
	otherNumber    = "990101199001010027"
	enterpriseCode = "91990000MA0000001B"
	office         = "11990000000000001G"
	otherOffice    = "12990000000000400"
)

func (w *world) Kinds(context.Context) ([]license.Kind, error) {
	return w.catalogue.Kinds(), w.broken
}

func (w *world) KindsOf(context.Context, string) ([]license.Kind, error) {
	return w.catalogue.Kinds(), w.broken
}

func (w *world) Issue(_ context.Context, req license.IssueRequest) (license.License, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return license.License{}, w.broken
	}
	req, k, err := w.catalogue.Check(req)
	if err != nil {
		return license.License{}, err
	}
	for _, l := range w.licenses {
		if l.Office == req.Office && l.Kind == req.Kind && l.BusinessNo == req.BusinessNo && l.Version == req.Version {
			if l.Holders[0].Code != req.Holders[0].Code {
				return license.License{}, fault.New(fault.Conflict, "number_taken", "this number has been issued with other content")
			}
			return *l, nil
		}
	}
	var id license.ID
	_, _ = rand.Read(id[2:])
	l := &license.License{
		ID: id, Identifier: "1.2.156.3005.2." + k.Code + "." + req.Office + ".2026000001.001.R", Kind: k.Code, KindName: k.Name, KindVersion: 1,
		Office: req.Office, OfficeName: "示例市行政审批局", BusinessNo: req.BusinessNo, Version: req.Version, State: license.Issued, Holders: req.Holders,
		ValidFrom: "2026-11-22", ValidTo: req.ValidTo, AcceptedAt: w.now(), IssuedAt: w.now(), DocumentDigest: make([]byte, 32), LedgerState: "included",
	}
	if w.pending {
		l.State, l.IssuedAt, l.LedgerState, l.DocumentDigest = license.Accepted, time.Time{}, "queued", nil
	}
	for _, f := range k.Fields {
		if v := req.Fields[f.Code]; v != "" {
			l.Fields = append(l.Fields, license.Field{Code: f.Code, Name: f.Name, Value: v})
		}
	}
	w.licenses[id] = l
	w.note(id, license.Event{Act: license.ActAccepted, ActorKind: license.ActorOfficer, Office: req.Office, Actor: req.Act.Actor})
	if l.State == license.Issued {
		w.note(id, license.Event{Act: license.ActIssued, ActorKind: license.ActorService, Office: req.Office, State: license.Issued})
	}
	return *l, nil
}

func (w *world) note(id license.ID, e license.Event) {
	e.At = w.now()
	w.events[id] = append([]license.Event{e}, w.events[id]...)
}

func (w *world) Get(_ context.Context, id license.ID) (license.License, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return license.License{}, w.broken
	}
	l, ok := w.licenses[id]
	if !ok {
		return license.License{}, fault.New(fault.NotFound, "license_unknown", "there is no such license")
	}
	return *l, nil
}

func (w *world) ListByOffice(_ context.Context, office string, limit int) ([]license.License, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []license.License
	for _, l := range w.licenses {
		if l.Office == office && len(list) < limit {
			list = append(list, *l)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].BusinessNo < list[j].BusinessNo })
	return list, w.broken
}

func (w *world) ListByHolder(_ context.Context, h license.Holder, _ int) ([]license.Card, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.searches++
	var list []license.Card
	for _, l := range w.licenses {
		for _, on := range l.Holders {
			if on.Type == h.Type && on.Code == h.Code {
				list = append(list, license.Card{
					ID: l.ID, Kind: l.Kind, KindName: l.KindName, Office: l.Office, OfficeName: l.OfficeName,
					State: l.State, Role: on.Role, ValidTo: l.ValidTo, UpdatedAt: l.AcceptedAt,
				})
			}
		}
	}
	return list, w.broken
}

func (w *world) Revoke(_ context.Context, req license.RevokeRequest) (license.License, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.licenses[req.License]
	k, err := w.catalogue.Kind(l.Kind)
	if err != nil {
		return license.License{}, err
	}
	known := false
	for _, r := range k.RevokeReasons {
		known = known || r.Code == req.Reason
	}
	switch {
	case !known:
		return license.License{}, fault.New(fault.Invalid, "reason_unknown", "this is none of the kind's reasons to revoke")
	case l.State == license.Revoked:
		return license.License{}, fault.New(fault.Conflict, "already_revoked", "the license is revoked already")
	}
	l.State, l.EndedAt, l.EndReason = license.Revoked, w.now(), req.Reason
	w.note(l.ID, license.Event{Act: license.ActRevoked, ActorKind: license.ActorOfficer, Office: l.Office, Reason: req.Reason, State: license.Revoked})
	return *l, nil
}

func (w *world) Show(_ context.Context, req license.ShowRequest) (license.Shown, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l, ok := w.licenses[req.License]
	if !ok {
		return license.Shown{}, fault.New(fault.NotFound, "license_unknown", "there is no such license in this wallet")
	}
	mine := false
	for _, v := range req.Viewer {
		for _, h := range l.Holders {
			mine = mine || (h.Type == v.Type && h.Code == v.Code)
		}
	}
	if !mine {
		return license.Shown{}, fault.New(fault.NotFound, "license_unknown", "there is no such license in this wallet")
	}
	k, err := w.catalogue.Kind(l.Kind)
	if err != nil {
		return license.Shown{}, err
	}
	mask := req.Mask
	if mask == 0 {
		mask = k.DefaultMask()
	}
	var fields []license.Field
	for i, spec := range k.Fields {
		for _, f := range l.Fields {
			if mask&(1<<i) != 0 && f.Code == spec.Code {
				fields = append(fields, f)
			}
		}
	}
	handle := rand.Text()
	code := "HTTPS://ZZ.EXAMPLE.GOV.CN/P/" + strings.Repeat(handle, 3)
	w.codes[code[strings.LastIndex(code, "/")+1:]] = &fakeCode{id: l.ID, at: w.now(), fields: fields}
	w.note(l.ID, license.Event{Act: license.ActShown, ActorKind: license.ActorHolder, Reason: req.Purpose})
	return license.Shown{Code: code, Handle: handle, ExpiresAt: w.now().Add(time.Minute), Fields: fields}, nil
}

func (w *world) CheckCode(_ context.Context, code string, by license.Verifier) (license.Outcome, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := license.Outcome{Report: verdict.Report{Subject: verdict.Subject{Kind: "code"}}}
	c, ok := w.codes[code[strings.LastIndex(code, "/")+1:]]
	switch {
	case w.broken != nil:
		return out, w.broken
	case !ok:
		out.Report.Checks = []verdict.Check{verdict.Note("code.form", verdict.CodeMalformed, "", "")}
		out.Report.Settle(false, w.now())
		return out, nil
	}
	l := w.licenses[c.id]
	out.KindName, out.OfficeName, out.State, out.EndedAt, out.EndReason = l.KindName, l.OfficeName, l.State, l.EndedAt, l.EndReason
	out.Report.Checks = append(out.Report.Checks, verdict.OK("code.tag", ""), verdict.OK("code.time", ""))
	if l.State == license.Revoked {
		out.EndOffice = l.Office
		out.Report.Checks = append(out.Report.Checks, verdict.Note("license.status", verdict.StatusRevoked, "", ""))
	} else {
		out.Report.Checks = append(out.Report.Checks, verdict.OK("license.status", ""))
	}
	switch {
	case !by.Authenticated:
		out.Report.Checks = append(out.Report.Checks, verdict.Note("code.use", verdict.CodeNotConsumed, "", ""))
	case !c.used.IsZero():
		out.FirstUsedAt = c.used
		out.Report.Checks = append(out.Report.Checks, verdict.Note("code.use", verdict.CodeUsed, "", ""))
	default:
		c.used = w.now()
		if l.State == license.Issued {
			out.Receipt, out.Face, out.Holders = "YX-2026-000123", c.fields, []license.Holder{l.Holders[0].Masked()}
			w.note(l.ID, license.Event{Act: license.ActPresented, ActorKind: license.ActorVerifier, Office: by.Audience, Receipt: out.Receipt})
		}
	}
	out.Report.Settle(false, w.now())
	return out, nil
}

func (w *world) StaticCode(context.Context, license.ID) (string, error) {
	return "HTTPS://ZZ.EXAMPLE.GOV.CN/S/AAAA", w.broken
}

func (w *world) File(_ context.Context, id license.ID) ([]byte, error) {
	l, err := w.Get(context.Background(), id)
	if err == nil && l.State == license.Accepted {
		err = fault.New(fault.Conflict, "sealing_pending", "the license is accepted and waits for its seal")
	}
	return []byte("PK\x03\x04 a file"), err
}

func (w *world) Events(_ context.Context, id license.ID, limit int) ([]license.Event, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.events[id][:min(limit, len(w.events[id]))], w.broken
}

func (w *world) Looked(_ context.Context, id license.ID, what license.EventAct, by license.ActorKind, act license.Act) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unwritten == nil {
		w.note(id, license.Event{
			Act: what, ActorKind: by, Actor: act.Actor, OnBehalfOf: act.OnBehalfOf, Office: act.Office, Matter: act.Matter, Reason: act.Reason,
		})
	}
	return w.unwritten
}

func (w *world) Found(ctx context.Context, ids []license.ID, by license.ActorKind, act license.Act) error {
	for _, id := range ids {
		if err := w.Looked(ctx, id, license.ActFound, by, act); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) StatusProof(ctx context.Context, id license.ID) ([]byte, error) {
	l, err := w.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if l.EndedAt.IsZero() {
		return nil, fault.New(fault.NotFound, "status_unchanged", "the license's status has not changed since it was issued")
	}
	return w.Proof(ctx, id)
}

func (w *world) Proof(_ context.Context, id license.ID) ([]byte, error) {
	l, err := w.Get(context.Background(), id)
	if err == nil && l.LedgerState != "included" {
		err = fault.New(fault.Conflict, "proof_pending", "the entry is not yet included")
	}
	return []byte(`{"format":"yinxin-proof-1"}`), err
}

func (w *world) Checkpoint(context.Context) ([]byte, error) {
	return []byte("zz.example.gov.cn/ledger\n1284\n9TQf0lJmX6mB2z0H1u3X8m4c2m8E4p1R7Yx0Q5b7d2E=\n\n— zz.example.gov.cn/ledger AAAAAA==\n— witness.example AAAAAA==\n"), w.broken
}

// judge is the file judge of the world.
type judge struct{ w *world }

func (j judge) File(_ context.Context, file, _ []byte) verdict.Report {
	if j.w.report.Verdict != "" {
		return j.w.report
	}
	r := verdict.Report{Subject: verdict.Subject{Kind: "document", Title: "不动产权证书"}}
	if strings.HasPrefix(string(file), "PK") {
		r.Checks = append(r.Checks, verdict.OK("package", ""))
	} else {
		r.Checks = append(r.Checks, verdict.Note("package", verdict.PkgNotZip, "/", ""))
	}
	r.Settle(false, j.w.now())
	return r
}

func (w *world) SignIn(_ context.Context, in identity.SignIn) (string, identity.Session, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.accounts[in.Login]
	if !ok || in.Password != "password-"+in.Login {
		return "", identity.Session{}, fault.New(fault.Unauthenticated, "wrong_login_or_password", "the login name or the password is wrong")
	}
	delete(w.sessions, in.Replaces)
	token := hex.EncodeToString([]byte(rand.Text()))
	s := identity.Session{SID: strings.Repeat("0", 32), Account: a.Login, AuthTime: w.now(), AMR: []string{"pwd"}}
	w.sessions[token] = s
	return token, s, nil
}

func (w *world) Session(_ context.Context, token string) (identity.Session, identity.Account, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.sessions[token]
	if !ok {
		return s, identity.Account{}, fault.New(fault.Unauthenticated, "session_unknown", "sign in again")
	}
	return s, *w.accounts[s.Account], nil
}

func (w *world) SignOut(_ context.Context, token string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.sessions, token)
	return nil
}

// provider is a provider with one application and a few tokens.
type provider struct{ w *world }

func (p provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/oauth2/panic" {
		panic("planted")
	}
	_, _ = w.Write([]byte("provider"))
}

func (p provider) Interaction(ctx context.Context, id string) (web.Interaction, error) {
	if id != "waiting" && id != "silent" {
		return web.Interaction{}, fault.New(fault.NotFound, "interaction_unknown", "this sign-in request is not known, or it is too old")
	}
	_, _, err := p.w.Session(ctx, web.SessionToken(ctx))
	return web.Interaction{ID: id, ClientName: "示例市公积金中心", Scopes: []string{"openid", "profile", "license.read"}, NeedsSignIn: err != nil, NeedsAsk: id == "waiting"}, nil
}

func (p provider) Decide(ctx context.Context, _, token string, allow bool) (string, error) {
	if !allow {
		return "https://app.example/cb?error=access_denied&state=s", nil
	}
	if _, _, err := p.w.Session(ctx, token); err != nil {
		return "", err
	}
	return "https://app.example/cb?code=c&state=s", nil
}

func (p provider) Authenticate(_ context.Context, bearer string) (identity.Principal, error) {
	all := []string{identity.ScopeIssue, identity.ScopeRead, identity.ScopeRevoke, identity.ScopePresent, identity.ScopeVerify}
	switch bearer {
	case "all":
		return identity.Principal{Client: "story", Office: office, Offices: []string{"*"}, Scopes: all}, nil
	case "other":
		return identity.Principal{Client: "other", Office: otherOffice, Scopes: all}, nil
	case "read":
		return identity.Principal{Client: "reader", Office: office, Scopes: []string{identity.ScopeRead}}, nil
	case "person":
		return identity.Principal{Client: "app", Account: p.w.accounts["citizen"], Scopes: []string{"openid", identity.ScopeRead, identity.ScopePresent}}, nil
	}
	return identity.Principal{}, fault.New(fault.Unauthenticated, "token_invalid", "the access token is not good")
}

func (p provider) EndSession(_ context.Context, r *http.Request) (string, error) {
	switch r.FormValue("post_logout_redirect_uri") {
	case "":
		return "", nil
	case "https://app.example/bye":
		return "https://app.example/bye?state=" + r.FormValue("state"), nil
	}
	return "", fault.New(fault.Invalid, "logout_uri_unregistered", "the application did not register this address")
}
