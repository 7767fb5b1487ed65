package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/sample"
	"github.com/yinxin-trust/yinxin/license"
)

// The officials of the sample province whom the story plays.
const (
	loginClerk    = "clerk"
	loginMarket   = "officer-market"
	loginHospital = "officer-birth"
)

// enter signs an official in.
func (s *story) enter(ctx context.Context, v *visitor, login string) error {
	account, err := s.demo.account(login)
	if err != nil {
		return err
	}
	return v.signIn(ctx, account)
}

// issueFood fills in the form of the department's pages as the officer does: form, preview, issue.
func (s *story) issueFood(ctx context.Context) (string, error) {
	if err := s.enter(ctx, s.market, loginMarket); err != nil {
		return "", err
	}
	req := sample.FoodLicense(sample.EnterpriseAt(0), "JY2"+s.run, "")
	page, err := s.market.open(ctx, "/dept/issue/"+req.Kind)
	if err != nil {
		return "", err
	}
	f, err := page.form()
	if err != nil {
		return "", err
	}
	fill(f, req, "99-"+s.run)
	f.set("do", "preview")
	if page, err = s.market.submit(ctx, f); err != nil {
		return "", err
	}
	if !strings.Contains(page.text("main"), req.Holders[0].Name) {
		return "", wrong("the preview does not show the holder")
	}
	if f, err = page.form(); err != nil {
		return "", err
	}
	f.set("do", "issue")
	if page, err = s.market.submit(ctx, f); err != nil {
		return "", err
	}
	id, ok := strings.CutPrefix(page.url.Path, "/dept/")
	if !ok {
		return "", wrong("after issuing, the officer is at %s: %s", page.url.Path, page.text("main"))
	}
	if _, err := license.ParseID(id); err != nil {
		return "", err
	}
	s.food, err = s.market.api().license(ctx, id)
	return s.food.Identifier, err
}

// fill puts a request into the form's fields.
func fill(f *form, req license.IssueRequest, caseNo string) {
	f.set("business_no", req.BusinessNo)
	f.set("version", "1")
	f.set("matter", req.Act.Matter)
	f.set("case_no", caseNo)
	f.set("legal_basis", req.Act.LegalBasis)
	for i, h := range req.Holders {
		h = h.Normal()
		for name, value := range map[string]string{"type": h.Type, "code": h.Code, "name": h.Name, "part": h.Part, "role": h.Role} {
			f.set(fmt.Sprintf("h.%d.%s", i, name), value)
		}
	}
	for code, value := range req.Fields {
		f.set("f."+code, value)
	}
}

// issueProperty issues by the API with the application's own token, twice: the same request is the same license.
func (s *story) issueProperty(ctx context.Context) (string, error) {
	req := sample.Property(sample.PersonAt(0), sample.PersonAt(1), "示(2026)不动产权第"+s.run[len(s.run)-7:]+"号", "")
	body := issueBodyOf(req, "99-"+s.run)
	if err := s.client.post(ctx, "/licenses", body, &s.property); err != nil {
		return "", err
	}
	var again licenseBody
	if err := s.client.post(ctx, "/licenses", body, &again); err != nil {
		return "", err
	}
	if again.ID != s.property.ID {
		return "", wrong("the same request gives two licenses")
	}
	return s.property.Identifier, nil
}

// issueBirth issues by the API in the browser session of the hospital's officer.
func (s *story) issueBirth(ctx context.Context) (string, error) {
	if err := s.enter(ctx, s.hospital, loginHospital); err != nil {
		return "", err
	}
	child, ok := sample.ChildOf(0)
	if !ok {
		return "", wrong("the sample province has no child")
	}
	req := sample.Birth(sample.PersonAt(child), sample.PersonAt(1), sample.PersonAt(0), "X"+s.run[len(s.run)-9:], "")
	req.Office = "" // the session says whose officer this is
	err := s.hospital.api().post(ctx, "/licenses", issueBodyOf(req, "99-"+s.run), &s.birth)
	return s.birth.Identifier, err
}

// issued are the licenses by the name that their files get.
func (s *story) issued() map[string]*licenseBody {
	return map[string]*licenseBody{"food": &s.food, "property": &s.property, "birth": &s.birth}
}

// fetchFiles waits for the seals and has the service judge each file. Before the ledger has published the issue nothing is
// wrong with a file, and its status is not proven yet.
func (s *story) fetchFiles(ctx context.Context) (string, error) {
	for name, l := range s.issued() {
		sealed, err := s.client.await(ctx, l.ID, "sealed", func(l licenseBody) bool { return l.State == license.Issued })
		if err != nil {
			return "", err
		}
		*l = sealed
		file, err := s.client.get(ctx, "/licenses/"+l.ID+"/file")
		if err != nil {
			return "", err
		}
		if !bytes.HasPrefix(file, []byte("PK\x03\x04")) {
			return "", wrong("the file of %s is no package", name)
		}
		r, _, err := s.client.checkFile(ctx, file, nil)
		if err != nil {
			return "", err
		}
		if r.Verdict != "valid" && (r.Verdict != "cannot_determine" || !r.has("STATUS_UNKNOWN")) {
			return "", wrong("the service judges the file of %s %s: %v", name, r.Verdict, r.Checks)
		}
	}
	return "3 OFD", nil
}

// proveIssues waits until witnessed checkpoints cover the three issues. Then the service, which knows the status, says valid,
// and the proof alone says so as of the time of its status evidence.
func (s *story) proveIssues(ctx context.Context) (string, error) {
	var size uint64
	for name, l := range s.issued() {
		r, err := s.judgeWithProof(ctx, l)
		if err != nil {
			return "", err
		}
		if r.Verdict != "valid" || r.Ledger.State != "included" {
			return "", wrong("%s with its proof is %s, ledger %s: %v", name, r.Verdict, r.Ledger.State, r.Checks)
		}
		file, err := s.client.get(ctx, "/licenses/"+l.ID+"/file")
		if err != nil {
			return "", err
		}
		live, _, err := s.client.checkFile(ctx, file, nil)
		if err != nil {
			return "", err
		}
		if live.Verdict != "valid" {
			return "", wrong("the service judges the file of %s %s: %v", name, live.Verdict, live.Checks)
		}
		size = max(size, r.Ledger.Size)
	}
	return fmt.Sprintf("valid, size %d", size), nil
}

func (s *story) judgeWithProof(ctx context.Context, l *licenseBody) (report, error) {
	if _, err := s.client.await(ctx, l.ID, "in the ledger", func(l licenseBody) bool { return l.LedgerState == "included" }); err != nil {
		return report{}, err
	}
	file, err := s.client.get(ctx, "/licenses/"+l.ID+"/file")
	if err != nil {
		return report{}, err
	}
	proof, err := s.client.get(ctx, "/licenses/"+l.ID+"/proof")
	if err != nil {
		return report{}, err
	}
	r, _, err := s.client.checkFile(ctx, file, proof)
	return r, err
}

// revoke ends the food business permit on the department's pages.
func (s *story) revoke(ctx context.Context) (string, error) {
	page, err := s.market.open(ctx, "/dept/"+s.food.ID+"/revoke")
	if err != nil {
		return "", err
	}
	f, err := page.form()
	if err != nil {
		return "", err
	}
	f.set("reason", "law_violation")
	f.set("matter", "990131000100")
	f.set("case_no", "99-R-"+s.run)
	f.set("confirm", "yes")
	if _, err = s.market.submit(ctx, f); err != nil {
		return "", err
	}
	if s.food, err = s.market.api().license(ctx, s.food.ID); err != nil {
		return "", err
	}
	if s.food.State != license.Revoked || s.food.EndReason != "law_violation" {
		return "", wrong("after the revocation the license is %s, reason %q", s.food.State, s.food.EndReason)
	}
	return "law_violation", nil
}

// ledgerProof is what the story reads of a proof file.
type ledgerProof struct {
	Opening struct {
		Ref []byte `json:"ref"`
	} `json:"opening"`
	Entry      []byte `json:"entry"`
	Index      uint64 `json:"index"`
	Checkpoint string `json:"checkpoint"`
	Status     struct {
		Value *uint8 `json:"value"`
	} `json:"status"`
}

// proof fetches one of a license's two proofs, of its issue or of its latest change of status, and wants its checkpoint to
// bear the signatures of the log and of a witness.
func (s *story) proof(ctx context.Context, l *licenseBody, which string) (ledgerProof, error) {
	var p ledgerProof
	raw, err := s.client.get(ctx, "/licenses/"+l.ID+"/"+which)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, err
	}
	// A C2SP signed note: body, empty line, then a line for the log and one for each witness.
	_, signatures, ok := strings.Cut(p.Checkpoint, "\n\n")
	if lines := strings.Count(signatures, "— "); !ok || lines < 2 {
		return p, wrong("the checkpoint of the %s bears %d signatures, want the log's and a witness'", which, lines)
	}
	return p, nil
}

// proveRevocation waits until a witnessed checkpoint covers the revocation too. Then one proof shows the issue's entry, with
// the signed status, and another the revocation's, about the same ref.
func (s *story) proveRevocation(ctx context.Context) (string, error) {
	r, err := s.judgeWithProof(ctx, &s.food)
	if err != nil {
		return "", err
	}
	if r.Verdict != "not_valid" || !r.has("STATUS_REVOKED") || r.Ledger.State != "included" {
		return "", wrong("the revoked license's file with its proof is %s, ledger %s: %v", r.Verdict, r.Ledger.State, r.Checks)
	}
	issue, err := s.proof(ctx, &s.food, "proof")
	if err != nil {
		return "", err
	}
	if issue.Status.Value == nil || *issue.Status.Value == 0 {
		return "", wrong("the status evidence in the proof does not say that the license is out of force")
	}
	ended, err := s.proof(ctx, &s.food, "status-proof")
	if err != nil {
		return "", err
	}
	ref := issue.Opening.Ref
	if len(ref) != 32 || !bytes.Contains(issue.Entry, ref) || !bytes.Contains(ended.Entry, ref) ||
		!bytes.Contains(ended.Entry, []byte(license.Revoked)) || ended.Index <= issue.Index {
		return "", wrong("the ledger's entries %d and %d are not the issue and the revocation of one license", issue.Index, ended.Index)
	}
	return fmt.Sprintf("签发 issue %d, 撤销 revocation %d, of %d", issue.Index, ended.Index, r.Ledger.Size), nil
}
