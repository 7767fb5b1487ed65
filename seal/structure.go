package seal

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// The kinds of a seal's list of signers (certListType).
const (
	ListCertificates = 1 // certificates, compared byte for byte
	ListDigests      = 2 // SM3 digests of certificates
)

// Picture is the seal's image (印章图像, SES_ESPictureInfo).
type Picture struct {
	Type   string // PNG, GIF, BMP, JPG, SVG, or OFD for a whole package as vector artwork; any case
	Data   []byte
	Width  int // millimetres, nominal
	Height int
}

// Seal is an electronic seal (电子印章, SESeal) as it was read. Byte slices point into Raw.
type Seal struct {
	Raw     []byte // the whole SESeal
	Version Version

	RawInfo      []byte // SES_SealInfo with its header: what the maker signed, in V4 and V5
	ID           string // esID, the seal's code (印章编码)
	Vendor       string // header.Vid
	Type         int
	Name         string
	CertListType int
	Certs        [][]byte // DER certificates of those who may sign with it (list type 1)
	CertDigests  [][]byte // or their digests (list type 2)
	CreatedAt    time.Time
	ValidStart   time.Time
	ValidEnd     time.Time
	Picture      Picture
	Exts         []Ext

	MakerCert []byte // DER certificate of the seal maker (制章者)
	Algorithm string // dotted OID
	Signature []byte // payload of the BIT STRING
	TimeStamp []byte // V5: time-stamp token over Signature; nil when absent

	message []byte // the exact bytes that Signature is over
}

// errVersion is a structure of a generation that this package does not know.
type errVersion int

func (v errVersion) Error() string { return "version " + strconv.Itoa(int(v)) + " is not supported" }

func isVersion(err error) bool {
	var v errVersion
	return errors.As(err, &v)
}

// errTrailing is a well-formed structure with bytes behind it.
var errTrailing = errors.New("bytes follow the structure")

// ParseSeal reads one seal of any generation. It checks form, not signatures.
func ParseSeal(der []byte) (*Seal, error) {
	if len(der) > maxSeal {
		return nil, errors.New("a seal is at most 8 MiB")
	}
	in := cryptobyte.String(der)
	raw, err := readRaw(&in, asn1.SEQUENCE, "SESeal")
	if err != nil {
		return nil, err
	}
	s, err := readSeal(raw)
	if err != nil {
		return nil, err
	}
	if !in.Empty() {
		return s, errTrailing
	}
	return s, nil
}

func readSeal(raw []byte) (*Seal, error) {
	n, err := children(raw)
	if err != nil {
		return nil, within("SESeal", err)
	}
	s := &Seal{Raw: raw}
	in := cryptobyte.String(raw)
	seal, err := readSequence(&in, "SESeal")
	if err != nil {
		return nil, err
	}
	if s.RawInfo, err = readRaw(&seal, asn1.SEQUENCE, "eSealInfo"); err != nil {
		return nil, err
	}
	header, err := readHeader(s.RawInfo)
	if err != nil {
		return nil, err
	}
	s.Vendor = header.vendor
	switch {
	case n == 2:
		s.Version = V1 // the header's number is free in V1; the shape decides
	case n == 4 && (header.version == int(V4) || header.version == int(V5)):
		s.Version = Version(header.version)
	case n == 5 && header.version == int(V5):
		s.Version = V5
	case n == 5:
		return nil, within("SESeal", errors.New("five parts belong to version 5"))
	case n == 4:
		return nil, within("header.version", errVersion(header.version))
	default:
		return nil, within("SESeal", errors.New("two, four or five parts expected"))
	}
	if err := s.readInfo(); err != nil {
		return nil, err
	}
	if s.Version == V1 {
		return s, s.readSignInfo(&seal)
	}
	return s, s.readSigned(&seal)
}

type header struct {
	version int
	vendor  string
}

func readHeader(rawInfo []byte) (h header, err error) {
	in := cryptobyte.String(rawInfo)
	info, err := readSequence(&in, "eSealInfo")
	if err != nil {
		return h, err
	}
	seq, err := readSequence(&info, "header")
	if err != nil {
		return h, err
	}
	id, err := readText(&seq, tagIA5, "header.ID")
	if err != nil {
		return h, err
	}
	if id != "ES" {
		return h, bad("header.ID")
	}
	if h.version, err = readInt(&seq, "header.version"); err != nil {
		return h, err
	}
	if h.vendor, err = readText(&seq, tagIA5, "header.Vid"); err != nil {
		return h, err
	}
	if !seq.Empty() {
		return h, bad("header")
	}
	return h, nil
}

func (s *Seal) readInfo() (err error) {
	in := cryptobyte.String(s.RawInfo)
	info, err := readSequence(&in, "eSealInfo")
	if err != nil {
		return err
	}
	if _, err = readSequence(&info, "header"); err != nil {
		return err
	}
	if s.ID, err = readText(&info, tagIA5, "esID"); err != nil {
		return err
	}
	property, err := readSequence(&info, "property")
	if err != nil {
		return err
	}
	if err = s.readProperty(property); err != nil {
		return err
	}
	picture, err := readSequence(&info, "picture")
	if err != nil {
		return err
	}
	if err = s.Picture.read(picture); err != nil {
		return err
	}
	if info.Empty() {
		return nil
	}
	// extDatas is an untagged SEQUENCE in all real seals; [0] EXPLICIT is accepted too.
	if info.PeekASN1Tag(tagExplicit0) && !info.ReadASN1(&info, tagExplicit0) {
		return bad("extDatas")
	}
	list, err := readSequence(&info, "extDatas")
	if err != nil {
		return err
	}
	if !info.Empty() {
		return bad("eSealInfo")
	}
	s.Exts, err = readExts(list, "extDatas")
	return err
}

func (s *Seal) readProperty(p cryptobyte.String) (err error) {
	if s.Type, err = readInt(&p, "property.type"); err != nil {
		return err
	}
	if s.Name, err = readText(&p, asn1.UTF8String, "property.name"); err != nil {
		return err
	}
	s.CertListType = ListCertificates
	if s.Version != V1 {
		if s.CertListType, err = readInt(&p, "property.certListType"); err != nil {
			return err
		}
	}
	list, err := readSequence(&p, "property.certList")
	if err != nil {
		return err
	}
	if err = s.readCertList(list); err != nil {
		return err
	}
	for _, at := range []*time.Time{&s.CreatedAt, &s.ValidStart, &s.ValidEnd} {
		if *at, err = readTime(&p, s.Version == V1, "property times"); err != nil {
			return err
		}
	}
	if !p.Empty() {
		return bad("property")
	}
	return nil
}

// readCertList reads either arm; a list of an unknown type is kept unread and judged as such.
func (s *Seal) readCertList(list cryptobyte.String) error {
	for n := 0; !list.Empty(); n++ {
		if n == maxCertList {
			return within("property.certList", errors.New("too many entries"))
		}
		switch {
		case s.CertListType == ListDigests:
			item, err := readSequence(&list, "property.certList")
			if err != nil {
				return err
			}
			if _, err := readText(&item, tagPrintable, "property.certList"); err != nil {
				return err
			}
			digest, err := readOctets(&item, "property.certList")
			if err != nil {
				return err
			}
			if !item.Empty() {
				return bad("property.certList")
			}
			s.CertDigests = append(s.CertDigests, digest)
		case s.CertListType == ListCertificates && list.PeekASN1Tag(asn1.OCTET_STRING):
			cert, err := readOctets(&list, "property.certList")
			if err != nil {
				return err
			}
			s.Certs = append(s.Certs, cert)
		case s.CertListType == ListCertificates && s.Version == V1:
			// Some V1 makers put an identifier where the certificate belongs; it admits nobody.
			if _, err := readText(&list, tagIA5, "property.certList"); err != nil {
				return err
			}
		case s.CertListType == ListCertificates:
			return bad("property.certList")
		default:
			var v cryptobyte.String
			var tag asn1.Tag
			if !list.ReadAnyASN1(&v, &tag) {
				return bad("property.certList")
			}
		}
	}
	return nil
}

func (p *Picture) read(seq cryptobyte.String) (err error) {
	if p.Type, err = readText(&seq, tagIA5, "picture.type"); err != nil {
		return err
	}
	if p.Data, err = readOctets(&seq, "picture.data"); err != nil {
		return err
	}
	if p.Width, err = readInt(&seq, "picture.width"); err != nil {
		return err
	}
	if p.Height, err = readInt(&seq, "picture.height"); err != nil {
		return err
	}
	if !seq.Empty() {
		return bad("picture")
	}
	return nil
}

// readSignInfo reads the second half of a V1 seal. The maker signs SEQUENCE{info, cert, algorithm}.
func (s *Seal) readSignInfo(seal *cryptobyte.String) error {
	sign, err := readSequence(seal, "signInfo")
	if err != nil {
		return err
	}
	start := sign
	if s.MakerCert, err = readOctets(&sign, "signInfo.cert"); err != nil {
		return err
	}
	if s.Algorithm, err = readOID(&sign, "signInfo.signatureAlgorithm"); err != nil {
		return err
	}
	signed := start[:len(start)-len(sign)]
	if s.Signature, err = readBits(&sign, "signInfo.signData"); err != nil {
		return err
	}
	if !sign.Empty() || !seal.Empty() {
		return bad("signInfo")
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(s.RawInfo)
		b.AddBytes(signed)
	})
	s.message, err = b.Bytes()
	return err
}

// readSigned reads what follows the info in V4 and V5. The maker signs the info alone.
func (s *Seal) readSigned(seal *cryptobyte.String) (err error) {
	s.message = s.RawInfo
	if s.MakerCert, err = readOctets(seal, "cert"); err != nil {
		return err
	}
	if s.Algorithm, err = readOID(seal, "signAlgID"); err != nil {
		return err
	}
	if s.Signature, err = readBits(seal, "signedValue"); err != nil {
		return err
	}
	if !seal.Empty() {
		if s.TimeStamp, err = readTimeStamp(seal); err != nil {
			return err
		}
	}
	if !seal.Empty() {
		return bad("SESeal")
	}
	return nil
}

func readTimeStamp(in *cryptobyte.String) ([]byte, error) {
	var wrapped cryptobyte.String
	if !in.ReadASN1(&wrapped, tagExplicit0) {
		return nil, bad("timeStamp")
	}
	token, err := readBits(&wrapped, "timeStamp")
	if err != nil {
		return nil, err
	}
	if !wrapped.Empty() {
		return nil, bad("timeStamp")
	}
	return token, nil
}

// PictureKind is the picture's type in upper case, by its first bytes where they tell, else as declared.
func (s *Seal) PictureKind() string {
	d := string(s.Picture.Data[:min(len(s.Picture.Data), 8)])
	for kind, magic := range map[string]string{"PNG": "\x89PNG", "GIF": "GIF8", "BMP": "BM", "JPG": "\xff\xd8\xff", "OFD": "PK\x03\x04"} {
		if strings.HasPrefix(d, magic) {
			return kind
		}
	}
	return strings.ToUpper(s.Picture.Type)
}
