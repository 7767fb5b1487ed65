package web

import (
	"encoding/json"
	"net/http"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
)

// dept lists the newest licenses of the officer's department (部门工作台).
func (s *server) dept(q *request) error {
	v, err := q.need(identity.Officer)
	if err != nil {
		return err
	}
	list, err := s.Licenses.ListByOffice(q.Context(), v.account.Office, maxList)
	if err != nil {
		return err
	}
	counts := make(map[license.State]int)
	for _, l := range list {
		counts[l.State]++
	}
	return s.render(q, http.StatusOK, "dept", struct {
		List   []license.License
		Counts map[license.State]int
		Max    int
	}{list, counts, maxList})
}

// own fetches a license of the officer's own department.
func (s *server) own(q *request) (*viewer, *license.License, error) {
	v, err := q.need(identity.Officer)
	if err != nil {
		return nil, nil, err
	}
	id, err := pathID(q.Request)
	if err != nil {
		return nil, nil, err
	}
	l, err := s.Licenses.Get(q.Context(), id)
	if err != nil {
		return nil, nil, err
	}
	if v.account.Office == "" || l.Office != v.account.Office {
		return nil, nil, errNoLicense
	}
	return v, &l, nil
}

// deptLicense shows one license to the department that issued it.
func (s *server) deptLicense(q *request) error {
	v, l, err := s.own(q)
	if err != nil {
		return err
	}
	d, err := s.licenseView(q, v, l, "dept")
	if err != nil {
		return err
	}
	return s.render(q, http.StatusOK, "license", d)
}

// deptPart serves the addresses below one license.
func (s *server) deptPart(q *request) error {
	read := q.Method != http.MethodPost
	switch part := q.PathValue("part"); {
	case part == "state" && read:
		return s.deptState(q)
	case part == "file" && read:
		return s.downloadFile(q)
	case part == "proof" && read:
		return s.downloadProof(q)
	case part == "revoke" && read:
		return s.revokeForm(q)
	case part == "revoke":
		return s.revokeSubmit(q)
	}
	return fault.New(fault.NotFound, "page_not_found", "there is nothing at this address")
}

// deptState is what the detail page polls while a license is being sealed: its state and nothing else.
func (s *server) deptState(q *request) error {
	_, l, err := s.own(q)
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(q.w).Encode(map[string]string{"state": string(l.State), "ledger": l.LedgerState})
}

// revokeData is the form that ends a license.
type revokeData struct {
	License *license.License
	Holders []holderLine
	Reasons []license.Reason
	Reason  string
	Matter  string
	CaseNo  string
	Wrong   map[string]string // by the name of the input
	Problem string
	Hint    string
}

// revokeForm asks why, and for a clear yes.
func (s *server) revokeForm(q *request) error {
	_, l, err := s.own(q)
	if err != nil {
		return err
	}
	return s.drawRevoke(q, http.StatusOK, l, revokeData{}, nil)
}

func (s *server) drawRevoke(q *request, status int, l *license.License, d revokeData, problem error) error {
	k, err := s.kind(q, l.Kind)
	if err != nil {
		return err
	}
	d.License, d.Reasons, d.Holders = l, k.RevokeReasons, holderLines(l.Holders)
	if problem != nil {
		d.Problem, d.Hint = s.words.fault(q.lang, problem)
	}
	return s.render(q, status, "revoke", d)
}

// revokeSubmit ends the license (撤销).
func (s *server) revokeSubmit(q *request) error {
	v, l, err := s.own(q)
	if err != nil {
		return err
	}
	if err := q.form(); err != nil {
		return err
	}
	d := revokeData{Reason: q.PostForm.Get("reason"), Matter: q.PostForm.Get("matter"), CaseNo: q.PostForm.Get("case_no")}
	if q.PostForm.Get("confirm") != "yes" {
		return s.drawRevoke(q, http.StatusBadRequest, l, d, fault.New(fault.Invalid, "confirm_missing", "tick that you really mean it"))
	}
	wrong := make(map[string]string)
	s.inspectAct(d.Matter, d.CaseNo, "", func(input, key string, _ ...any) { wrong[input] = s.words.say(q.lang, key) })
	if len(wrong) > 0 {
		d.Wrong, d.Problem = wrong, s.words.say(q.lang, "issue.problems", len(wrong))
		return s.drawRevoke(q, http.StatusBadRequest, l, d, nil)
	}
	act := actOf(v.principal())
	act.Matter, act.CaseNo, act.Reason = d.Matter, d.CaseNo, d.Reason
	if _, err := s.Licenses.Revoke(q.Context(), license.RevokeRequest{License: l.ID, Reason: d.Reason, Act: act}); err != nil {
		if k := fault.KindOf(err); k == fault.Invalid || k == fault.Conflict {
			return s.drawRevoke(q, k.HTTPStatus(), l, d, err)
		}
		return err
	}
	return q.see("/dept/" + l.ID.String())
}
