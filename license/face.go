package license

import (
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/yinxin-trust/yinxin/internal/gm"
)

// The metadata that every face carries beside its kind's fields, under the keys that the field uses (GB/T 36903).
const (
	FaceKindName   = "ZZMC"      // 证照名称
	FaceNumber     = "ZZBH"      // 证照编号
	FaceIdentifier = "ZZBS"      // 证照标识
	FaceIssuer     = "ZZBFJG"    // 证照颁发机构
	FaceIssueDate  = "ZZBFRQ"    // 证照颁发日期
	FaceValidFrom  = "ZZYXQQSRQ" // 证照有效期起始日期
	FaceValidTo    = "ZZYXQJZRQ" // 证照有效期截止日期
	FaceHolder     = "CZZT"      // 持证主体
	FaceHolderCode = "CZZTDM"    // 持证主体代码
	FaceShares     = "CZZTFE"    // 持证主体份额, ours: shares of co-owners in the order of the holders
)

// The metadata that stands in a file but not in the face digest.
const (
	MetaKindCode    = "ZZLXDM"     // 证照类型代码
	MetaIssuerCode  = "ZZBFJGDM"   // 证照颁发机构代码
	MetaVersion     = "ZZBBH"      // 证照版本号
	MetaHolderType  = "CZZTDMLXDM" // 持证主体代码类型代码
	MetaDefiner     = "ZZDYJG"     // 证照定义机构名称
	MetaDefinerCode = "ZZDYJGDM"   // 证照定义机构代码
	MetaKindVersion = "ZZLXBB"     // version of the kind in the catalogue, ours
)

// Joined separates several holders in one value.
const Joined = "、"

func reservedCode(s string) bool {
	switch s {
	case FaceKindName, FaceNumber, FaceIdentifier, FaceIssuer, FaceIssueDate, FaceValidFrom, FaceValidTo, FaceHolder,
		FaceHolderCode, FaceShares, MetaKindCode, MetaIssuerCode, MetaVersion, MetaHolderType, MetaDefiner, MetaDefinerCode,
		MetaKindVersion:
		return true
	}
	return false
}

// FaceItem is one thing printed on a face: its code, its label and its text as printed.
type FaceItem struct {
	Code string
	Name string
	Text string
}

// Face is what is printed on a license, in printed order.
type Face []FaceItem

// Text is the text of an item, or "".
func (f Face) Text(code string) string {
	for _, i := range f {
		if i.Code == code {
			return i.Text
		}
	}
	return ""
}

// Digest is the face digest (照面摘要): SM3(salt ‖ CBOR), where CBOR is the deterministic encoding of the map from item code
// to its text in NFC, white space folded. It stands in the static code and in the ledger's commitment.
func (f Face) Digest(salt [16]byte) [32]byte {
	m := make(map[string]string, len(f))
	for _, i := range f {
		m[i.Code] = FoldText(i.Text)
	}
	return gm.SM3(salt[:], cborTextMap(nil, m))
}

// FoldText is a text in the form in which faces are compared: NFC, without white space at its ends, and with one space for
// each run of white space, so that where a line was broken does not count.
func FoldText(s string) string { return strings.Join(strings.Fields(norm.NFC.String(s)), " ") }

// PrintDate is a date yyyy-mm-dd as certificates print it, and 长期 for none.
func PrintDate(s string) string {
	if len(s) != 10 {
		return "长期"
	}
	return s[:4] + "年" + strings.TrimPrefix(s[5:7], "0") + "月" + strings.TrimPrefix(s[8:], "0") + "日"
}

// Print is a field's value as it is printed.
func (f FieldSpec) Print(value string) string {
	if f.Type == TypeDate && value != "" {
		return PrintDate(value)
	}
	return norm.NFC.String(value)
}

// FaceOf is the canonical face of a license. It is a function of the license alone, so that whoever has the fields can
// compute the digest again.
func FaceOf(l License, k Kind, issueDate string) Face {
	var names, codes, parts []string
	shared := false
	for _, h := range l.Holders {
		if h.Role == RoleGuardian {
			continue
		}
		names, codes = append(names, h.Name), append(codes, h.Code)
		part := h.Part
		if part == "" {
			part = "—"
		} else {
			shared = true
		}
		parts = append(parts, part)
	}
	face := Face{
		{FaceKindName, "证照名称", k.Name},
		{FaceNumber, "证照编号", l.BusinessNo},
		{FaceIdentifier, "证照标识", l.Identifier},
		{FaceHolder, "持证主体", strings.Join(names, Joined)},
		{FaceHolderCode, "持证主体代码", strings.Join(codes, Joined)},
	}
	if shared {
		face = append(face, FaceItem{FaceShares, "持证主体份额", strings.Join(parts, Joined)})
	}
	for _, spec := range k.Fields {
		if !spec.OnFace {
			continue
		}
		for _, f := range l.Fields {
			if f.Code == spec.Code && f.Value != "" {
				face = append(face, FaceItem{spec.Code, spec.Name, spec.Print(f.Value)})
			}
		}
	}
	return append(face,
		FaceItem{FaceIssuer, "证照颁发机构", l.OfficeName},
		FaceItem{FaceIssueDate, "证照颁发日期", PrintDate(issueDate)},
		FaceItem{FaceValidFrom, "证照有效期起始日期", PrintDate(l.ValidFrom)},
		FaceItem{FaceValidTo, "证照有效期截止日期", PrintDate(l.ValidTo)},
	)
}
