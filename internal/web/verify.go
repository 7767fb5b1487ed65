package web

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
)

// verifyData is the counter's page (核验): how to put something in, and the verdict on what was put in before.
type verifyData struct {
	Verdict *verdictView
	Problem string // of the input itself
	Hint    string
	Code    string
}

// verify draws the empty page.
func (s *server) verify(q *request) error {
	return s.render(q, http.StatusOK, "verify", verifyData{})
}

// verifier says who checks: only a signed-in clerk consumes a code.
func verifier(v *viewer) license.Verifier {
	if v == nil || !v.account.Has(identity.Clerk) {
		return license.Verifier{}
	}
	return license.Verifier{Authenticated: true, Audience: v.account.Office, Act: actOf(v.principal())}
}

// verifyCode judges a code that was scanned, pasted or typed.
func (s *server) verifyCode(q *request) error {
	if err := q.form(); err != nil {
		return err
	}
	code := cleanCode(q.PostForm.Get("code"))
	if code == "" {
		return s.verifyProblem(q, fault.New(fault.Invalid, "code_missing", "there is no code to check").
			WithHint("scan it, choose a picture, or paste its text"))
	}
	out, err := s.Licenses.CheckCode(q.Context(), code, verifier(q.viewer))
	if err != nil {
		if fault.KindOf(err) == fault.Invalid {
			return s.verifyProblem(q, err)
		}
		return err
	}
	return s.render(q, http.StatusOK, "verify", verifyData{Verdict: s.viewOutcome(q, &out)})
}

func (s *server) verifyProblem(q *request, err error) error {
	message, hint := s.words.fault(q.lang, err)
	return s.render(q, fault.KindOf(err).HTTPStatus(), "verify", verifyData{Problem: message, Hint: hint})
}

// verifyFile judges an OFD file, with its proof where one came along.
func (s *server) verifyFile(q *request) error {
	file, proof, err := readFiles(q.Request)
	if err != nil {
		if k := fault.KindOf(err); k == fault.Invalid || k == fault.TooLarge {
			return s.verifyProblem(q, err)
		}
		return err
	}
	report := s.Judge.File(q.Context(), file, proof)
	return s.render(q, http.StatusOK, "verify", verifyData{Verdict: s.viewReport(q, &report)})
}

// Limits of what a verifier may send.
const (
	maxFile  = 20 << 20
	maxProof = 1 << 20
)

// readFiles takes the parts "file" and "proof" of a multipart form.
func readFiles(r *http.Request) (file, proof []byte, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Invalid, "form_malformed", "the form could not be read")
	}
	for count := 0; ; count++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, formFault(err)
		}
		if count >= 8 {
			return nil, nil, fault.New(fault.Invalid, "form_malformed", "the form has too many parts")
		}
		switch part.FormName() {
		case "file":
			file, err = readPart(part, maxFile)
		case "proof":
			proof, err = readPart(part, maxProof)
		default:
			err = fault.New(fault.Invalid, "form_malformed", "the form has a part that is not known here")
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if len(file) == 0 {
		return nil, nil, fault.New(fault.Invalid, "file_missing", "there is no file to check").WithHint("choose an OFD file")
	}
	return file, proof, nil
}

func readPart(p *multipart.Part, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(p, limit+1))
	if err != nil {
		return nil, formFault(err)
	}
	if int64(len(b)) > limit {
		return nil, fault.New(fault.TooLarge, "body_too_large", "what was sent is too large")
	}
	return b, nil
}

// maxCode bounds what a person may paste; the longest code is 480 bytes.
const maxCode = 1024

// cleanCode brings what a scanner, a keyboard or a clipboard gave into the form that codes have. Codes that are addresses
// hold no white space and are upper case; Base45 codes may hold spaces, so only their ends are trimmed.
func cleanCode(s string) string {
	if len(s) > 4*maxCode {
		return ""
	}
	s = strings.TrimFunc(s, invisible)
	if strings.HasPrefix(strings.ToUpper(s), "YX1:") {
		s = strings.ToUpper(strings.Map(func(r rune) rune {
			if r != ' ' && invisible(r) {
				return -1
			}
			return r
		}, s))
	} else {
		s = strings.ToUpper(strings.Map(func(r rune) rune {
			switch {
			case invisible(r):
				return -1
			case r >= '！' && r <= '～': // full-width forms of a Chinese keyboard
				return r - '！' + '!'
			}
			return r
		}, s))
	}
	if len(s) > maxCode {
		return ""
	}
	return s
}

// invisible are characters that copying adds: spaces, line ends, byte order marks, joiners.
func invisible(r rune) bool {
	switch {
	case r <= ' ', r == 0x7f, r == 0xa0, r == 0x3000, r == 0xfeff, r >= 0x2000 && r <= 0x200f, r == 0x2028, r == 0x2029, r == 0x2060:
		return true
	}
	return false
}

// landing is what an ordinary camera opens: it says how to verify officially, and consumes nothing.
func (s *server) landing(q *request) error {
	code := q.PathValue("code")
	if len(code) == 0 || len(code) > maxCode {
		return fault.New(fault.NotFound, "page_not_found", "there is nothing at this address")
	}
	static := strings.EqualFold(q.URL.Path[:3], "/s/")
	letter := "/P/"
	if static {
		letter = "/S/"
	}
	full := cleanCode(strings.TrimSuffix(s.BaseURL, "/") + letter + code)
	out, err := s.Licenses.CheckCode(q.Context(), full, license.Verifier{})
	d := struct {
		Static  bool
		Code    string
		Verdict *verdictView
		Known   bool
	}{Static: static, Code: full}
	if err != nil && fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.NotFound {
		return err
	}
	if err == nil {
		d.Verdict = s.viewOutcome(q, &out)
		d.Known = out.KindName != ""
	} else {
		d.Verdict = s.viewReport(q, &verdict.Report{
			Verdict: verdict.NotValid, AsOf: s.Now(),
			Checks: []verdict.Check{verdict.Note("code.form", verdict.CodeMalformed, "", "")},
		})
	}
	return s.render(q, http.StatusOK, "landing", d)
}
