package seal_test

import (
	"archive/zip"
	"encoding/json"
	"encoding/xml"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// expected is the part of the corpus' expected.json that concerns seals and signature values.
type expected struct {
	Runs map[string]struct {
		Anchors []string  `json:"anchors"`
		At      time.Time `json:"at"`
	} `json:"runs"`
	Files map[string]struct {
		Standard   string `json:"standard"`
		Signatures []struct {
			Type     string    `json:"type"`
			Standard string    `json:"standard"`
			Claimed  time.Time `json:"claimed_signing_time"`
		} `json:"signatures"`
		Verdict map[string]string   `json:"verdict"`
		Codes   map[string][]string `json:"codes_among_the_checks"`
	} `json:"files"`
}

func corpus(t *testing.T) (string, expected) {
	t.Helper()
	dir := os.Getenv("YINXIN_CORPUS")
	var e expected
	if dir == "" {
		t.Log("YINXIN_CORPUS is not set: the foreign files were left out")
		return "", e
	}
	data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return dir, e
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	dir, want := corpus(t)
	for name, file := range want.Files {
		if !strings.HasPrefix(name, "seals/") && len(file.Signatures) == 0 {
			continue
		}
		for run, word := range file.Verdict {
			t.Run(name+"/"+run, func(t *testing.T) {
				ev := seal.Evidence{At: want.Runs[run].At}
				for _, anchor := range want.Runs[run].Anchors {
					trust, err := pki.TrustFromPEM(read(t, dir, anchor))
					if err != nil {
						t.Fatal(err)
					}
					ev.Trust = trust
				}
				var checks []verdict.Check
				if strings.HasPrefix(name, "seals/") {
					der := read(t, dir, name)
					s, err := seal.ParseSeal(der)
					if err != nil {
						t.Fatal(err)
					}
					if got := s.Version.Standard(); got != file.Standard {
						t.Errorf("standard %s, want %s", got, file.Standard)
					}
					checks = seal.JudgeSeal(seal.SealInput{Seal: der, Evidence: ev})
					passed(t, checks, "seal.signature")
				} else {
					checks = judgePackage(t, filepath.Join(dir, name), ev, file.Signatures[0].Standard, file.Signatures[0].Claimed)
				}
				if got := verdict.Fold(checks); string(got) != word {
					t.Errorf("verdict %s, want %s: %v", got, word, checks)
				}
				codes := map[string]bool{}
				for _, c := range checks {
					codes[string(c.Code)] = true
				}
				for _, code := range file.Codes[run] {
					if !codes[code] {
						t.Errorf("no %s among %v", code, slices.Sorted(maps.Keys(codes)))
					}
				}
			})
		}
	}
}

// judgePackage judges the one signature of a package.
func judgePackage(t *testing.T, path string, ev seal.Evidence, standard string, claimed time.Time) []verdict.Check {
	t.Helper()
	entries := unzip(t, path)
	in, typ := packageSignature(t, entries)
	in.Evidence = ev
	judge := seal.JudgeSignature
	if typ == seal.TypeSign {
		judge = seal.JudgeSign
	}
	got := judge(in)
	if got.Standard != standard || got.Type != typ {
		t.Errorf("%s of %s, want %s", got.Type, got.Standard, standard)
	}
	if typ == seal.TypeSeal {
		if got.SignedAt == nil || !got.SignedAt.Equal(claimed) {
			t.Errorf("signed at %v, want %v", got.SignedAt, claimed)
		}
		passed(t, got.Checks, "data_hash", "signature", "seal.signature", "signer.in_seal")
	}
	return got.Checks
}

func passed(t *testing.T, checks []verdict.Check, names ...string) {
	t.Helper()
	for _, name := range names {
		if !slices.ContainsFunc(checks, func(c verdict.Check) bool { return c.Name == name && c.Result == verdict.Pass }) {
			t.Errorf("%s did not pass: %v", name, checks)
		}
	}
}

func unzip(t *testing.T, path string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out["/"+strings.TrimPrefix(f.Name, "/")] = data
	}
	return out
}

func packageSignature(t *testing.T, entries map[string][]byte) (in seal.SignatureInput, typ string) {
	t.Helper()
	for path, data := range entries {
		if !strings.HasSuffix(path, "/Signature.xml") {
			continue
		}
		var x struct {
			Method string `xml:"SignedInfo>SignatureMethod"`
			Value  string `xml:"SignedValue"`
			Seal   string `xml:"SignedInfo>Seal>BaseLoc"`
		}
		if err := xml.Unmarshal(data, &x); err != nil {
			t.Fatal(err)
		}
		in = seal.SignatureInput{SignatureXML: data, SignaturePath: path, SignatureMethod: x.Method, Value: entries[x.Value]}
		if x.Seal != "" {
			in.SealFile = entries[x.Seal]
		}
	}
	typ = seal.TypeSeal
	for path, data := range entries {
		if strings.HasSuffix(path, "/Signatures.xml") && strings.Contains(string(data), `Type="Sign"`) {
			typ = seal.TypeSign
		}
	}
	return in, typ
}

// The signature values that stand alone, without their original.
func TestCorpusSignatureValues(t *testing.T) {
	t.Parallel()
	dir, _ := corpus(t)
	if dir == "" {
		return
	}
	trust, err := pki.TrustFromPEM(read(t, dir, "anchors/ofdrw-root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file, standard string
		at             time.Time
		word           verdict.Word
		code           verdict.Code
	}{
		{"seals/SignedValueV4.dat", "GB/T 38540-2020", date("2021-06-01"), verdict.CannotDetermine, verdict.DatahashUnchecked},
		{"seals/SignedValueV5.dat", "GM/T 0031-2025", date("2026-11-22"), verdict.NotValid, verdict.SignTimeOutsideCertValidity},
	} {
		got := seal.JudgeSignature(seal.SignatureInput{Value: read(t, dir, c.file), Evidence: seal.Evidence{At: c.at, Trust: trust}})
		if got.Standard != c.standard || verdict.Fold(got.Checks) != c.word || !has(got.Checks, c.code) {
			t.Errorf("%s: %s %s %v", c.file, got.Standard, verdict.Fold(got.Checks), got.Checks)
		}
		passed(t, got.Checks, "signature", "seal.signature")
	}
	// The bare signature verifies once the certificate in the seal's list is given.
	in, _ := packageSignature(t, unzip(t, filepath.Join(dir, "ofd-signed/DigitalSign.ofd")))
	s, err := seal.ParseSeal(read(t, dir, "seals/UserV4.esl"))
	if err != nil {
		t.Fatal(err)
	}
	in.Certificate, in.At, in.Trust = s.Certs[0], date("2021-06-01"), trust
	got := seal.JudgeSign(in)
	passed(t, got.Checks, "signature")
	if w := verdict.Fold(got.Checks); w != verdict.Valid {
		t.Errorf("bare signature with its certificate: %s %v", w, got.Checks)
	}
}

func date(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

func has(checks []verdict.Check, code verdict.Code) bool {
	return slices.ContainsFunc(checks, func(c verdict.Check) bool { return c.Code == code })
}
