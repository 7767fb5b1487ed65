package web

import (
	"encoding/base64"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
)

// issueKinds lets the officer choose what to issue.
func (s *server) issueKinds(q *request) error {
	v, err := q.need(identity.Officer)
	if err != nil {
		return err
	}
	kinds, err := s.Licenses.KindsOf(q.Context(), v.account.Office)
	if err != nil {
		return err
	}
	return s.render(q, http.StatusOK, "issue-kinds", struct{ Kinds []license.Kind }{kinds})
}

// issueData is the form of one kind, empty, with mistakes, or as the preview before the act.
type issueData struct {
	Kind     license.Kind
	Draft    draft
	Problems map[string]string // by the name of the input
	Problem  string            // of the whole
	Hint     string
	Preview  bool
	Types    []license.HolderType
	Rows     []holderRow
	Office   string
}

// draft is what the form holds.
type draft struct {
	BusinessNo, Version, ValidFrom, ValidTo, Matter, CaseNo, LegalBasis string
	Fields                                                              map[string]string
	Photo                                                               string // base64, carried from the preview to the act
}

// holderRow is one row of holders and guardians.
type holderRow struct {
	N int
	license.Holder
}

// issueForm draws an empty form with as many holder rows as the kind usually wants.
func (s *server) issueForm(q *request) error {
	v, err := q.need(identity.Officer)
	if err != nil {
		return err
	}
	k, err := s.kind(q, q.PathValue("kind"))
	if err != nil {
		return err
	}
	d := issueData{Kind: k, Draft: draft{Version: "1", Fields: map[string]string{}}, Office: v.account.OfficeName}
	for i := range max(k.Holders.Min, 1) {
		d.Rows = append(d.Rows, holderRow{i, license.Holder{Type: firstType(k), Role: license.RoleHolder}})
	}
	d.Types = holderTypes(k)
	return s.render(q, http.StatusOK, "issue", d)
}

func firstType(k license.Kind) string {
	if len(k.Holders.Types) == 0 {
		return ""
	}
	return k.Holders.Types[0]
}

// holderTypes are the code types that the kind's holders may have; guardians are persons, so theirs come along.
func holderTypes(k license.Kind) []license.HolderType {
	var list []license.HolderType
	for _, t := range license.HolderTypes() {
		allowed := k.Holders.Guardians > 0 && !t.Organisation
		for _, code := range k.Holders.Types {
			allowed = allowed || code == t.Code
		}
		if allowed {
			list = append(list, t)
		}
	}
	return list
}

// maxRows bounds holders and guardians on the form.
const maxRows = 20

// issueSubmit takes the form: "more" adds a holder row, "preview" shows what would be issued, "edit" goes back, "issue" acts.
func (s *server) issueSubmit(q *request) error {
	v, err := q.need(identity.Officer)
	if err != nil {
		return err
	}
	k, err := s.kind(q, q.PathValue("kind"))
	if err != nil {
		return err
	}
	form, photo, err := readIssueForm(q.Request)
	if err != nil {
		return err
	}
	d := s.readDraft(k, form, photo)
	d.Office = v.account.OfficeName
	switch form.Get("do") {
	case "more", "guardian":
		row := license.Holder{Type: firstType(k), Role: license.RoleHolder}
		if form.Get("do") == "guardian" {
			row = license.Holder{Type: license.TypeCitizen, Role: license.RoleGuardian}
		}
		if len(d.Rows) < maxRows {
			d.Rows = append(d.Rows, holderRow{len(d.Rows), row})
		}
		return s.render(q, http.StatusOK, "issue", d)
	case "edit":
		return s.render(q, http.StatusOK, "issue", d)
	}
	d.Problems = s.inspect(q, &d)
	if len(d.Problems) > 0 {
		d.Problem = s.words.say(q.lang, "issue.problems", len(d.Problems))
		return s.render(q, http.StatusBadRequest, "issue", d)
	}
	if form.Get("do") != "issue" {
		d.Preview = true
		return s.render(q, http.StatusOK, "issue-preview", d)
	}
	req, err := d.request(v)
	if err != nil {
		return err
	}
	l, err := s.Licenses.Issue(q.Context(), req)
	if err != nil {
		if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.Conflict || kind == fault.TooLarge {
			d.Problem, d.Hint = s.words.fault(q.lang, err)
			d.Problems = s.domainProblems(q.lang, err)
			return s.render(q, kind.HTTPStatus(), "issue", d)
		}
		return err
	}
	return q.see("/dept/" + l.ID.String())
}

// readIssueForm reads the multipart form with its portrait; nothing is written to disk.
func readIssueForm(r *http.Request) (url.Values, []byte, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		if perr := r.ParseForm(); perr != nil {
			return nil, nil, formFault(perr)
		}
		return r.PostForm, nil, nil
	}
	form := url.Values{}
	var photo []byte
	for count := 0; ; count++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form, photo, nil
		}
		if err != nil {
			return nil, nil, formFault(err)
		}
		if count > 400 {
			return nil, nil, fault.New(fault.Invalid, "form_malformed", "the form has too many parts")
		}
		if photo, err = readIssuePart(part, form, photo); err != nil {
			return nil, nil, err
		}
	}
}

func readIssuePart(part *multipart.Part, form url.Values, photo []byte) ([]byte, error) {
	b, err := readPart(part, issueLimit)
	if err != nil {
		return nil, err
	}
	if part.FormName() == "photo_file" {
		return b, nil
	}
	form.Add(part.FormName(), string(b))
	return photo, nil
}

// readDraft puts the posted values where the form shows them again.
func (s *server) readDraft(k license.Kind, form url.Values, photo []byte) issueData {
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	d := issueData{Kind: k, Types: holderTypes(k), Draft: draft{
		BusinessNo: get("business_no"), Version: get("version"),
		ValidFrom: get("valid_from"), ValidTo: get("valid_to"), Matter: get("matter"), CaseNo: get("case_no"),
		LegalBasis: get("legal_basis"), Photo: get("photo"), Fields: make(map[string]string, len(k.Fields)),
	}}
	if len(photo) > 0 {
		d.Draft.Photo = base64.StdEncoding.EncodeToString(photo)
	}
	for _, f := range k.Fields {
		if v := strings.ReplaceAll(get("f."+f.Code), "\r\n", "\n"); v != "" {
			d.Draft.Fields[f.Code] = v
		}
	}
	for i := range maxRows {
		p := "h." + strconv.Itoa(i) + "."
		if !form.Has(p + "code") {
			continue
		}
		h := license.Holder{Type: get(p + "type"), Code: get(p + "code"), Name: get(p + "name"), Part: get(p + "part"), Role: get(p + "role")}
		if h.Code == "" && h.Name == "" && len(d.Rows) >= max(k.Holders.Min, 1) && form.Get("do") != "more" {
			continue // an empty row that somebody added and did not use
		}
		if h.Role != license.RoleGuardian {
			h.Role = license.RoleHolder
		}
		d.Rows = append(d.Rows, holderRow{len(d.Rows), h})
	}
	return d
}

// request is the draft as the domain takes it.
func (d *issueData) request(v *viewer) (license.IssueRequest, error) {
	version, err := strconv.Atoi(d.Draft.Version)
	if err != nil {
		return license.IssueRequest{}, fault.Wrap(err, fault.Invalid, "version_malformed", "the version is a number from 1 to 999")
	}
	act := actOf(v.principal())
	act.Matter, act.CaseNo, act.LegalBasis = d.Draft.Matter, d.Draft.CaseNo, d.Draft.LegalBasis
	req := license.IssueRequest{
		Kind: d.Kind.Code, Office: v.account.Office, BusinessNo: d.Draft.BusinessNo, Version: version,
		Fields: d.Draft.Fields, ValidFrom: d.Draft.ValidFrom, ValidTo: d.Draft.ValidTo, Act: act,
	}
	for _, row := range d.Rows {
		req.Holders = append(req.Holders, row.Normal())
	}
	if d.Draft.Photo != "" {
		if req.Photo, err = base64.StdEncoding.DecodeString(d.Draft.Photo); err != nil {
			return license.IssueRequest{}, fault.Wrap(err, fault.Invalid, "photo_malformed", "the portrait could not be read")
		}
	}
	return req, nil
}
