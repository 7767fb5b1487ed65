package verify_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/verify"
	"github.com/yinxin-trust/yinxin/verify/verifytest"
)

// scene is one verdict: what is judged, by whom, when. Tests start from a good one and change what they are about.
type scene struct {
	*verifytest.World
	license *verifytest.License
	file    []byte
	proof   []byte
	trust   []byte // nil: nobody is known
	state   []byte
	asks    bool // whether a state is remembered
	at      time.Time
}

// good is a property certificate with its proof, under the world's trust list.
func good(t testing.TB) *scene {
	t.Helper()
	w := verifytest.New(t)
	l := w.Property(t, 1)
	return &scene{World: w, license: l, file: l.File, proof: w.Proof(t, l), trust: w.Trust(t), at: verifytest.Now()}
}

// issue replaces the license by another one, with its proof.
func (s *scene) issue(t testing.TB, p verifytest.Plan) {
	t.Helper()
	if p.Kind.Code == "" {
		p.Kind = verifytest.Kind(t, license.SampleProperty)
	}
	p.Serial = 2
	s.license = s.Issue(t, p)
	s.file, s.proof = s.license.File, s.Proof(t, s.license)
}

// prove writes the proof again, changed.
func (s *scene) prove(t testing.TB, change func(*ledger.Proof)) {
	t.Helper()
	s.proof = s.Proof(t, s.license, change)
}

// status gives the proof other status evidence, properly signed.
func (s *scene) status(t testing.TB, change func(*license.StatusEvidence)) {
	t.Helper()
	e := s.StatusOf(t, s.license, change)
	s.prove(t, func(p *ledger.Proof) { p.Status = verifytest.MarshalStatus(t, e) })
}

func (s *scene) judge(t testing.TB) verdict.Report {
	t.Helper()
	j := verify.Judge{At: s.at}
	if s.trust != nil {
		var err error
		if j.Trust, _, err = verify.OpenTrust(s.trust, s.state, s.asks, s.at); err != nil {
			t.Fatal(err)
		}
	}
	r, err := j.Bytes(s.file, s.proof)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// troubles are the codes of the findings that weigh: failures, and what is needed and not known.
func troubles(r verdict.Report) []verdict.Code {
	var out []verdict.Code
	each(r, func(c verdict.Check) {
		if c.Result == verdict.Fail || c.Result == verdict.Unknown {
			out = append(out, c.Code)
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// want holds a report to its word and to exactly the troubles that explain it.
func want(t *testing.T, r verdict.Report, word verdict.Word, why ...verdict.Code) {
	t.Helper()
	slices.Sort(why)
	if got := troubles(r); r.Verdict != word || !slices.Equal(got, why) {
		t.Errorf("%s %v, want %s %v\n%s", r.Verdict, got, word, why, findings(r))
	}
}

// remember is what a verifier remembers that has seen a list before.
func (s *scene) remember(t testing.TB, list []byte) {
	t.Helper()
	_, state, err := verify.OpenTrust(list, nil, true, s.at)
	if err != nil {
		t.Fatal(err)
	}
	s.state, s.asks = state, true
}

// reseal changes the entries of the license's file and has its own office seal and log what came of it: nothing but its
// contradictions can be wrong with such a file.
func (s *scene) reseal(t testing.TB, change func([]entry) []entry) {
	t.Helper()
	e := change(unpack(s.file))
	x := at(t, e, signXML)
	for _, n := range e {
		if !bytes.Contains(x.data, []byte(`FileRef="/`+n.name+`"`)) && strings.Contains(n.name, "/Attachs/") {
			x.data = bytes.Replace(x.data, []byte("</ofd:References>"), []byte(`<ofd:Reference FileRef="/`+n.name+
				`"><ofd:CheckValue>x</ofd:CheckValue></ofd:Reference></ofd:References>`), 1)
		}
	}
	redigest(t, e)
	digest := gm.SM3(x.data)
	at(t, e, signedValue).data = s.Seal(t, s.First, digest, "/"+signXML, s.license.SignedAt)
	s.file = pack(t, e)
	s.license.Opening.DocumentDigest = digest
	s.Relog(t, s.license)
	s.proof = s.Proof(t, s.license)
}

// shortLived is the first office with a certificate that has ended by the time of the verdict.
func (s *scene) shortLived(t testing.TB) *verifytest.Office {
	t.Helper()
	return s.Office(t, s.CA, s.First.Name, s.First.Code, "99000000000077", 5*verifytest.Day)
}
