package license

import (
	"bytes"
	"encoding/xml"
	"io"
	"strconv"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// MetadataName is the file name of the hidden attachment that holds a file's metadata.
const MetadataName = "license.xml"

// MetadataNamespace is the namespace of its root element.
const MetadataNamespace = "urn:yinxin:license:1"

const (
	maxMetadata      = 256 << 10
	maxMetadataItems = 200
)

// Metadata is what a license file says of itself for machines (元数据, GB/T 36903): the face in full, more that is not
// printed, and the static code, which ties the file to the printed code.
type Metadata struct {
	Face   Face
	More   Face // not part of the face digest
	Static string
}

// MetadataOf gathers the metadata of a license with its static code.
func MetadataOf(l License, k Kind, face Face, static string) Metadata {
	var types []string
	for _, h := range l.Holders {
		if h.Role != RoleGuardian {
			types = append(types, h.Type)
		}
	}
	return Metadata{Face: face, Static: static, More: Face{
		{MetaKindCode, "证照类型代码", k.Code},
		{MetaKindVersion, "证照类型版本", strconv.Itoa(k.Version)},
		{MetaIssuerCode, "证照颁发机构代码", l.Office},
		{MetaVersion, "证照版本号", strconv.Itoa(l.Version)},
		{MetaHolderType, "持证主体代码类型代码", strings.Join(types, Joined)},
		{MetaDefiner, "证照定义机构名称", k.DefiningName},
		{MetaDefinerCode, "证照定义机构代码", k.DefiningOffice},
	}}
}

type metadataXML struct {
	XMLName xml.Name  `xml:"urn:yinxin:license:1 License"`
	Face    []itemXML `xml:"Face>Item"`
	More    []itemXML `xml:"More>Item"`
	Static  string    `xml:"StaticCode"`
}

type itemXML struct {
	Code string `xml:"Code,attr"`
	Name string `xml:"Name,attr"`
	Text string `xml:",chardata"`
}

// Marshal writes the XML; the same metadata give the same bytes.
func (m Metadata) Marshal() ([]byte, error) {
	x := metadataXML{Face: itemsOf(m.Face), More: itemsOf(m.More), Static: m.Static}
	body, err := xml.Marshal(x)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "metadata_write", "the metadata cannot be written")
	}
	return append([]byte(xml.Header), append(body, '\n')...), nil
}

// ParseMetadata reads what Marshal writes, from a stranger's file.
func ParseMetadata(b []byte) (Metadata, error) {
	bad := fault.New(fault.Invalid, "metadata_malformed", "the file's license metadata cannot be read")
	if len(b) > maxMetadata || bytes.Contains(b, []byte("<!")) {
		return Metadata{}, bad
	}
	d := xml.NewDecoder(bytes.NewReader(b))
	var x metadataXML
	if err := d.Decode(&x); err != nil {
		return Metadata{}, bad
	}
	for { // nothing but white space may follow the root
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if text, ok := token.(xml.CharData); err != nil || !ok || len(bytes.TrimSpace(text)) > 0 {
			return Metadata{}, bad
		}
	}
	if len(x.Face)+len(x.More) > maxMetadataItems {
		return Metadata{}, bad
	}
	m := Metadata{Face: faceOfItems(x.Face), More: faceOfItems(x.More), Static: x.Static}
	seen := map[string]bool{}
	for _, i := range append(append(Face{}, m.Face...), m.More...) {
		if i.Code == "" || seen[i.Code] {
			return Metadata{}, bad
		}
		seen[i.Code] = true
	}
	return m, nil
}

func itemsOf(f Face) []itemXML {
	out := make([]itemXML, len(f))
	for i, v := range f {
		out[i] = itemXML(v)
	}
	return out
}

func faceOfItems(items []itemXML) Face {
	var out Face
	for _, v := range items {
		out = append(out, FaceItem(v))
	}
	return out
}
