package verify

import (
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
)

// Code judges a code by what a verifier without the service can know: the signature and dates of a static code. A dynamic
// code can only be accepted by the service, which keeps its handle.
func (j Judge) Code(text string) verdict.Report {
	r := j.begin(kindCode)
	kind, payload, err := license.SplitCode(text)
	if err != nil {
		r.Checks = append(r.Checks, verdict.Note("code.form", verdict.CodeMalformed, "", "neither a dynamic nor a static code"))
		r.Settle(false, j.At)
		return r
	}
	if kind == license.CodeDynamic {
		if _, err := license.ParseDynamic(payload); err != nil {
			r.Checks = append(r.Checks, verdict.Note("code.form", verdict.CodeMalformed, "", "a dynamic code of an unknown version"))
		} else {
			r.Checks = append(r.Checks, verdict.OK("code.form", ""),
				verdict.Note(checkStatus, verdict.StatusUnknown, "", "a dynamic code is accepted online only"))
		}
		r.Settle(false, j.At)
		return r
	}
	s, err := license.ParseStatic(payload)
	if err != nil {
		r.Checks = append(r.Checks, verdict.Note("code.form", verdict.CodeMalformed, "", "a static code of an unknown version"))
		r.Settle(false, j.At)
		return r
	}
	r.Checks = append(r.Checks, verdict.OK("code.form", ""))
	r.Subject.ID = s.License.String()
	j.judgeStatic(&r, s, j.At, "")
	j.judgeDates(&r, s, "")
	j.judgeStatus(&r, s, nil)
	r.Settle(false, j.At)
	return r
}
