package ofd

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// The algorithms that Signature.xml names, as OIDs (GM/T 0006).
const (
	oidSM3        = "1.2.156.10197.1.401"
	oidSM2WithSM3 = "1.2.156.10197.1.501"
)

// Stamp is where the seal's picture is drawn on a new document.
type Stamp struct {
	Page int  // from 0
	Box  Box  // mm, on the page
	Clip *Box // the part of the box that is drawn, for seals across pages (骑缝章)
}

// Signing is what the first seal of a document needs before its value can be made.
type Signing struct {
	Seal     []byte // Seal.esl: the seal that will sign, DER
	Stamps   []Stamp
	Provider Provider
	Time     time.Time // must be the time inside the signature value
	// OpenSet leaves the signature list and the annotation index open, and declares it, so that copies and later
	// signatures can be added. Without it the document is locked: any addition breaks the seal.
	OpenSet bool
}

// Unsigned is a document that is complete but for the signature value. It never changes.
type Unsigned struct {
	files     []file
	signature []byte
}

// Prepare writes the document with its signature list and a frozen Signature.xml. What has to be signed is DataHash and
// PropertyInfo; the value goes to Finish.
func (b *Builder) Prepare(s Signing) (*Unsigned, error) {
	if len(s.Seal) == 0 || s.Provider.Name == "" || s.Time.IsZero() {
		return nil, fault.New(fault.Invalid, "ofd_signing", "sealing needs a seal, a provider and a time")
	}
	if len(s.Stamps) > 900 {
		return nil, fault.New(fault.TooLarge, "ofd_signing", "too many stamps")
	}
	for _, v := range []string{s.Provider.Name, s.Provider.Version, s.Provider.Company} {
		b.text(v)
	}
	for _, st := range s.Stamps {
		if st.Page < 0 || st.Page >= len(b.pages) || !st.Box.valid() || st.Clip != nil && !st.Clip.valid() {
			return nil, fault.New(fault.Invalid, "ofd_stamp", "a stamp's place is not possible")
		}
	}
	files, err := b.assemble(true, s.OpenSet)
	if err != nil {
		return nil, err
	}
	list := file{listPath[1:], signatureList([]listRow{{ID: firstID, Type: TypeSeal, Loc: signFolder + "/Signature.xml"}}, 1+len(s.Stamps))}
	files = append(files, list, file{signFolder[1:] + "/Seal.esl", append([]byte(nil), s.Seal...)})
	u := &Unsigned{signature: b.signatureFile(files, s)}
	u.files = append(files, file{signFolder[1:] + "/Signature.xml", u.signature})
	return u, nil
}

// signatureFile writes Signature.xml (tables 67 to 69): every file but the open ones is referenced.
func (b *Builder) signatureFile(files []file, s Signing) []byte {
	w := newWriter("Signature")
	w.start("SignedInfo")
	w.empty("Provider", "ProviderName", s.Provider.Name, "Version", s.Provider.Version, "Company", s.Provider.Company)
	w.leaf("SignatureMethod", oidSM2WithSM3)
	w.leaf("SignatureDateTime", s.Time.UTC().Format("20060102150405Z"))
	w.start("References", "CheckMethod", oidSM3)
	for _, f := range files {
		if path := "/" + f.name; !s.OpenSet || path != listPath && path != annotPath {
			d := gm.SM3(f.data)
			w.start("Reference", "FileRef", path)
			w.leaf("CheckValue", base64.StdEncoding.EncodeToString(d[:]))
			w.end()
		}
	}
	w.end()
	for i, st := range s.Stamps {
		clip := ""
		if st.Clip != nil {
			clip = st.Clip.String()
		}
		w.empty("StampAnnot", "ID", signatureID(i+2), "PageRef", strconv.Itoa(b.pages[st.Page].id),
			"Boundary", st.Box.String(), "Clip", clip)
	}
	w.start("Seal")
	w.leaf("BaseLoc", signFolder+"/Seal.esl")
	w.end()
	w.end()
	w.leaf("SignedValue", signFolder+"/SignedValue.dat")
	return w.bytes()
}

// SignatureXML is Signature.xml, byte for byte as it will stand in the package.
func (u *Unsigned) SignatureXML() []byte { return append([]byte(nil), u.signature...) }

// DataHash is the SM3 of Signature.xml: the dataHash of a seal's signature (GB/T 38540-2020).
func (u *Unsigned) DataHash() gm.Digest { return gm.SM3(u.signature) }

// PropertyInfo is the absolute path of Signature.xml: the propertyInfo of a seal's signature.
func (u *Unsigned) PropertyInfo() string { return signFolder + "/Signature.xml" }

// Finish puts the signature value in and packs the document. The same value gives the same bytes.
func (u *Unsigned) Finish(signedValue []byte) ([]byte, error) {
	if len(signedValue) == 0 {
		return nil, fault.New(fault.Invalid, "ofd_signing", "the signature value is empty")
	}
	files := append(u.files[:len(u.files):len(u.files)], file{signFolder[1:] + "/SignedValue.dat", signedValue})
	return pack(files)
}

// Draft is the document without its signature value, packed, so that it can be kept until the value is there.
func (u *Unsigned) Draft() ([]byte, error) { return pack(u.files) }

// Resume takes up a document that Draft gave. It refuses one that was changed since.
func Resume(draft []byte) (*Unsigned, error) {
	damaged := func(err error) error {
		return fault.Wrap(err, fault.Internal, "ofd_draft", "the stored draft of the document is damaged")
	}
	c, ok := readContainer(draft, DefaultLimits())
	if !ok || len(c.checks) > 0 {
		return nil, damaged(fmt.Errorf("container: %v", c.checks))
	}
	u := &Unsigned{}
	for _, m := range c.members {
		u.files = append(u.files, file{m.name, m.data})
		if "/"+m.name == u.PropertyInfo() {
			u.signature = m.data
		}
	}
	if u.signature == nil {
		return nil, damaged(fmt.Errorf("no %s", u.PropertyInfo()))
	}
	p, checks := Open(draft, DefaultLimits())
	if p == nil || verdict.Fold(checks) != verdict.Valid {
		return nil, damaged(fmt.Errorf("structure: %v", checks))
	}
	e := p.Examine()
	if len(e.Signatures) != 1 || e.Signatures[0].RefsBad() != 0 || e.Signatures[0].RefsOK() == 0 {
		return nil, damaged(fmt.Errorf("a protected file was changed"))
	}
	return u, nil
}

// listRow is one entry of a signature list.
type listRow struct{ ID, Type, Loc, Relative string }

// signatureList writes Signatures.xml (table 66); last is the number of the highest ID in use.
func signatureList(rows []listRow, last int) []byte {
	w := newWriter("Signatures")
	w.leaf("MaxSignId", signatureID(last))
	for _, r := range rows {
		w.empty("Signature", "ID", r.ID, "Type", r.Type, "Relative", r.Relative, "BaseLoc", r.Loc)
	}
	return w.bytes()
}

// signatureID is the recommended form of an ID, sNNN.
func signatureID(n int) string {
	s := strconv.Itoa(n)
	return "s" + strings.Repeat("0", max(0, 3-len(s))) + s
}
