package license

import (
	"strings"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// CodeKind says which of the two codes a text is.
type CodeKind byte

// The codes.
const (
	CodeDynamic CodeKind = 'P' // 亮证码, shown on a phone
	CodeStatic  CodeKind = 'S' // printed on the license
)

// maxCodeText bounds what is looked at when somebody pastes a code.
const maxCodeText = 600

// codeURL writes a code as the URL that a QR holds in alphanumeric mode, so upper case throughout.
func codeURL(base string, kind CodeKind, payload []byte) string {
	return strings.ToUpper(strings.TrimRight(base, "/")) + "/" + string(kind) + "/" + idText().EncodeToString(payload)
}

// SplitCode finds the code in what a camera read or a person pasted: a whole URL of any host, or the bare Base32, in any
// case, with white space around it. Who hosts a code proves nothing, so the host is not looked at.
func SplitCode(text string) (CodeKind, []byte, error) {
	bad := fault.New(fault.Invalid, "code_malformed", "this is not one of our codes, or it is incomplete").
		WithHint("scan it again, or paste the whole of it")
	if len(text) > maxCodeText {
		return 0, nil, bad
	}
	text = strings.ToUpper(strings.TrimSpace(text))
	kind := CodeKind(0)
	if i := strings.LastIndexByte(text, '/'); i >= 0 {
		path := text[:i]
		switch {
		case strings.HasSuffix(path, "/P"):
			kind = CodeDynamic
		case strings.HasSuffix(path, "/S"):
			kind = CodeStatic
		default:
			return 0, nil, bad
		}
		text = text[i+1:]
	}
	payload, err := idText().DecodeString(text)
	if err != nil || idText().EncodeToString(payload) != text {
		return 0, nil, bad
	}
	// The two records differ in length, so a bare payload says what it is.
	switch {
	case len(payload) == dynamicSize && kind != CodeStatic:
		return CodeDynamic, payload, nil
	case len(payload) == StaticSize && kind != CodeDynamic:
		return CodeStatic, payload, nil
	}
	return 0, nil, bad
}
