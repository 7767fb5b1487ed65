package verify_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/seal/pki"
	"github.com/yinxin-trust/yinxin/seal/sealtest"
	"github.com/yinxin-trust/yinxin/verify/verifytest"
)

const (
	note       = "Doc_0/Annots/Page_0/Annotation.xml"
	laterSigns = "Doc_0/Signs/Sign_1/"
)

var pageID = regexp.MustCompile(`<ofd:Page ID="(\d+)"`)

// copied makes a copy for one use (加注件) of a license: an annotation drawn on it, and a second signature over everything.
// sign gives the value over the digest of the second signature's description.
func copied(t testing.TB, file []byte, kind string, sign func(xml []byte) []byte) []byte {
	t.Helper()
	e := unpack(file)
	page := string(pageID.FindSubmatch(at(t, e, "Doc_0/Document.xml").data)[1])
	const ns = ` xmlns:ofd="http://www.ofdspec.org/2016">`
	at(t, e, annotsXML).data = []byte(declaration + "\n<ofd:Annotations" + ns +
		`<ofd:Page PageID="` + page + `"><ofd:FileLoc>Page_0/Annotation.xml</ofd:FileLoc></ofd:Page></ofd:Annotations>`)
	e = append(e, entry{name: note, data: []byte(`<ofd:PageAnnot` + ns + `<ofd:Annot ID="9001" Type="Watermark" Creator="x" LastModDate="2026-03-05">` +
		`<ofd:Appearance Boundary="0 0 10 10"/></ofd:Annot></ofd:PageAnnot>`)})
	at(t, e, listXML).data = []byte(declaration + "\n<ofd:Signatures" + ns + `<ofd:MaxSignId>s003</ofd:MaxSignId>` +
		`<ofd:Signature ID="s001" Type="Seal" BaseLoc="/Doc_0/Signs/Sign_0/Signature.xml"/>` +
		`<ofd:Signature ID="s003" Type="` + kind + `" Relative="s001" BaseLoc="/` + laterSigns + `Signature.xml"/></ofd:Signatures>`)
	var refs strings.Builder
	for _, x := range e {
		if x.name == listXML {
			continue
		}
		d := gm.SM3(x.data)
		fmt.Fprintf(&refs, `<ofd:Reference FileRef="/%s"><ofd:CheckValue>%s</ofd:CheckValue></ofd:Reference>`, x.name, base64.StdEncoding.EncodeToString(d[:]))
	}
	xml := []byte(`<ofd:Signature` + ns + `<ofd:SignedInfo><ofd:Provider ProviderName="yinxin"/><ofd:References CheckMethod="1.2.156.10197.1.401">` + refs.String() +
		`</ofd:References></ofd:SignedInfo><ofd:SignedValue>/` + laterSigns + `SignedValue.dat</ofd:SignedValue></ofd:Signature>`)
	return pack(t, append(e, entry{name: laterSigns + "Signature.xml", data: xml}, entry{name: laterSigns + "SignedValue.dat", data: sign(xml)}))
}

// later adds a copy's seal by an office, five days after the issue.
func (s *scene) later(t testing.TB, o *verifytest.Office) {
	t.Helper()
	s.file = copied(t, s.file, "Seal", func(xml []byte) []byte {
		return s.Seal(t, o, gm.SM3(xml), "/"+laterSigns+"Signature.xml", verifytest.Issued().Add(5*verifytest.Day))
	})
}

// allow lets keys sign on licenses.
func (s *scene) allow(t testing.TB, points ...[]byte) {
	t.Helper()
	s.trust = s.Trust(t, func(l *pki.List) { l.Policies.LaterSigners = points })
}

func TestLaterSignatures(t *testing.T) {
	t.Parallel()
	message := func(t testing.TB, s *scene, key *sealtest.Key, xml []byte, edit func(*sealtest.Message)) []byte {
		t.Helper()
		cert, err := s.CA.IssueSigning(t.Context(), pki.Subject{CommonName: "加注服务"}, key.SM2(), 365*verifytest.Day)
		if err != nil {
			t.Fatal(err)
		}
		p := &sealtest.PKI{SignerCert: cert, Signer: key}
		m := p.Message(xml)
		if edit != nil {
			edit(m)
		}
		return m.DER(t)
	}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, s *scene)
		word   verdict.Word
		why    []verdict.Code
	}{
		{"of an office that the list allows", func(t *testing.T, s *scene) {
			s.later(t, s.Second)
			s.allow(t, s.Second.Key.Point())
		}, verdict.ValidAsOf, nil},
		{"of the issuer", func(t *testing.T, s *scene) { s.later(t, s.First) }, verdict.ValidAsOf, nil},
		{
			"of an office that it does not allow", func(t *testing.T, s *scene) { s.later(t, s.Second) },
			verdict.NotValid,
			[]verdict.Code{verdict.OpenSetAltered, verdict.TrustRoleNotAllowed},
		},
		{
			"of a stranger", func(t *testing.T, s *scene) { s.later(t, s.Stranger(t)) },
			verdict.NotValid,
			[]verdict.Code{verdict.OpenSetAltered, verdict.TrustAnchorUnknown, verdict.TrustRoleNotAllowed},
		},
		{"taken out again, its annotation left", func(t *testing.T, s *scene) {
			before := unpack(s.file)
			s.later(t, s.First)
			e := unpack(s.file)
			at(t, e, listXML).data = at(t, before, listXML).data
			s.file = pack(t, e[:len(e)-2])
		}, verdict.NotValid, []verdict.Code{verdict.OpenSetAltered}},
		{"over another annotation", func(t *testing.T, s *scene) {
			s.later(t, s.First)
			e := unpack(s.file)
			at(t, e, note).data = bytes.Replace(at(t, e, note).data, []byte("0 0 10 10"), []byte("0 0 99 99"), 1)
			s.file = pack(t, e)
		}, verdict.NotValid, []verdict.Code{verdict.OpenSetAltered, verdict.RefDigestMismatch}},
		{"digital, by a key that the list allows", func(t *testing.T, s *scene) {
			key := sealtest.NewKey(t)
			s.file = copied(t, s.file, "Sign", func(xml []byte) []byte { return message(t, s, key, xml, nil) })
			s.allow(t, gm.MarshalPublicKey(key.SM2()))
		}, verdict.ValidAsOf, nil},
		{"digital, by another key", func(t *testing.T, s *scene) {
			key := sealtest.NewKey(t)
			s.file = copied(t, s.file, "Sign", func(xml []byte) []byte { return message(t, s, key, xml, nil) })
			s.allow(t, gm.MarshalPublicKey(sealtest.NewKey(t).SM2()))
		}, verdict.NotValid, []verdict.Code{verdict.OpenSetAltered, verdict.TrustRoleNotAllowed}},
		{"digital, forged in the name of an allowed key", func(t *testing.T, s *scene) {
			key := sealtest.NewKey(t)
			s.file = copied(t, s.file, "Sign", func(xml []byte) []byte {
				return message(t, s, key, xml, func(m *sealtest.Message) { m.Signer = sealtest.NewKey(t) })
			})
			s.allow(t, gm.MarshalPublicKey(key.SM2()))
		}, verdict.NotValid, []verdict.Code{verdict.OpenSetAltered, verdict.SignatureInvalid}},
		{"signed by nobody", func(t *testing.T, s *scene) {
			s.file = copied(t, s.file, "Sign", func(xml []byte) []byte {
				return message(t, s, sealtest.NewKey(t), xml, func(m *sealtest.Message) { m.NoSigner = true })
			})
		}, verdict.NotValid, []verdict.Code{verdict.OpenSetAltered, verdict.SignedDataEmpty, verdict.TrustRoleNotAllowed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good(t)
			c.change(t, s)
			r := s.judge(t)
			want(t, r, c.word, c.why...)
			if c.word == verdict.ValidAsOf && (len(r.Signatures) != 2 || r.Signatures[0].Covers != verdict.CoversEarlier || r.Signatures[1].Covers != verdict.CoversCurrent) {
				t.Errorf("the original's seal and the copy's: %+v", r.Signatures)
			}
		})
	}
}

// TestIssuedByDigitalSignature: a license has a seal, whoever signs.
func TestIssuedByDigitalSignature(t *testing.T) {
	t.Parallel()
	s := good(t)
	e := unpack(s.file)
	x := at(t, e, listXML)
	x.data = bytes.Replace(x.data, []byte(`Type="Seal"`), []byte(`Type="Sign"`), 1)
	s.file = pack(t, e)
	if r := s.judge(t); r.Verdict != verdict.NotValid || !slices.Contains(troubles(r), verdict.SVTypeMismatch) || !slices.Contains(troubles(r), verdict.OpenSetAltered) {
		t.Errorf("%s %v", r.Verdict, troubles(r))
	}
}

// TestSignedInTheFuture: --at before the signing is told from what is wrong.
func TestSignedInTheFuture(t *testing.T) {
	t.Parallel()
	s := good(t)
	s.at = verifytest.Issued().Add(-time.Hour)
	s.proof = nil
	want(t, s.judge(t), verdict.NotValid, verdict.CoverageGap, verdict.SignTimeInFuture, verdict.StatusUnknown)
}
