// Package face draws licenses as OFD: the artwork of each layout as paths on a template page, every value as a tagged
// text object, the static code, the metadata, and the place of the issuing seal.
package face

import (
	"bytes"
	"encoding/hex"
	"image"
	_ "image/jpeg" // portraits come as JPEG too
	"image/png"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/ofd"
)

// Drawer draws licenses in one typeface.
type Drawer struct {
	font *ofd.Font
	bold *ofd.Font // of titles
	name string
	// laid are the layouts that do not depend on the kind, by name, with their artwork: it is the same on every license, and
	// a quarter of what drawing costs.
	laid map[string]layout
}

// New takes a TrueType font, complete, a bold one for titles (nil: the same), and the common name under which readers that
// load no embedded fonts look for one like it.
func New(regular, bold []byte, name string) (*Drawer, error) {
	f, err := ofd.ParseFont(regular)
	if err != nil {
		return nil, err
	}
	d := &Drawer{font: f, bold: f, name: name, laid: map[string]layout{}}
	for name, lay := range map[string]layout{"business": business(), "food": food(), "property": property(), "birth": birth()} {
		d.laid[name] = lay.drawn()
	}
	if bold != nil {
		if d.bold, err = ofd.ParseFont(bold); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// TagType and the names around it are how the custom tag of a license file is found.
const (
	TagType = "license"
	TagRoot = "Fields"
)

// StaticCustomData is the name of the CustomData that holds the static code.
const StaticCustomData = "YinxinStaticCode"

// Fits implements license.Drawer: it lays everything out and draws nothing.
func (d *Drawer) Fits(in license.DrawInput) error {
	_, _, err := d.draw(in, false)
	return err
}

// Draw implements license.Drawer.
func (d *Drawer) Draw(in license.DrawInput) (license.Unsigned, error) {
	b, lay, err := d.draw(in, true)
	if err != nil {
		return nil, err
	}
	metadata, err := in.Metadata.Marshal()
	if err != nil {
		return nil, err
	}
	b.Attach("证照元数据", "xml", license.MetadataName, metadata)
	u, err := b.Prepare(ofd.Signing{
		Seal: in.Seal.SealDER, Stamps: []ofd.Stamp{{Page: 0, Box: lay.stamp(in.Seal)}}, OpenSet: true, Time: in.SignedAt,
		Provider: ofd.Provider{Name: in.Seal.Provider, Version: in.Seal.Version, Company: in.Seal.Company},
	})
	if err != nil {
		return nil, err
	}
	return unsigned{u}, nil
}

type unsigned struct{ *ofd.Unsigned }

// DataHash implements license.Unsigned.
func (u unsigned) DataHash() []byte { h := u.Unsigned.DataHash(); return h[:] }

// docID names the document: the same license drawn again is the same document.
func docID(in license.DrawInput) string {
	h := gm.SM3([]byte("yinxin document\x00"), in.License.ID[:])
	return hex.EncodeToString(h[:16])
}

// customData is the metadata that stands in the document's own information (元数据), beside the attachment that holds all.
func customData(in license.DrawInput) []ofd.CustomData {
	var out []ofd.CustomData
	for _, part := range []license.Face{in.Metadata.Face, in.Metadata.More} {
		for _, i := range part {
			switch i.Code {
			case license.FaceKindName, license.FaceNumber, license.FaceIdentifier, license.FaceIssuer, license.FaceIssueDate,
				license.FaceValidFrom, license.FaceValidTo, license.MetaKindCode, license.MetaIssuerCode, license.MetaVersion,
				license.MetaHolderType:
				out = append(out, ofd.CustomData{Name: i.Code, Value: license.FoldText(i.Text)})
			}
		}
	}
	if in.Metadata.Static != "" {
		out = append(out, ofd.CustomData{Name: StaticCustomData, Value: in.Metadata.Static})
	}
	return out
}

// draw lays a license out on a fresh document, with its artwork or without.
func (d *Drawer) draw(in license.DrawInput, artwork bool) (*ofd.Builder, layout, error) {
	lay, err := d.layout(in.Kind)
	if err != nil {
		return nil, layout{}, err
	}
	created, err := time.ParseInLocation(time.DateOnly, in.IssueDate, license.China())
	if err != nil {
		return nil, layout{}, fault.Wrap(err, fault.Internal, "face_date", "the date of issue is wrong")
	}
	b := ofd.NewBuilder(ofd.Info{
		DocID: docID(in), Title: in.Kind.Name, Author: in.License.OfficeName, Subject: in.License.Identifier,
		Created: created, Creator: "Yinxin 印信", CreatorVersion: "1", Custom: customData(in),
	}, ofd.Box{W: lay.w, H: lay.h})
	c := &canvas{
		d: d, face: in.Face, lay: lay, font: b.Font(d.font, d.name), drawn: map[string]bool{},
		art: b.Template().Layer(ofd.Background), page: b.Page().Layer(ofd.Body),
		title: b.Font(d.bold, d.name), tag: b.Tag(TagType, license.MetadataNamespace, TagRoot),
	}
	if artwork {
		for _, p := range lay.drawn().art {
			c.art.Path(p)
		}
	}
	for _, p := range lay.places {
		c.place(p)
	}
	if err := c.finish(in); err != nil {
		return nil, layout{}, err
	}
	if len(in.Photo) > 0 {
		picture, err := asPNG(in.Photo)
		if err != nil {
			return nil, layout{}, err
		}
		c.page.Picture(ofd.Picture{Box: lay.photo, Image: b.Image(picture)})
	}
	return b, lay, nil
}

// asPNG gives a portrait in the one format that every reader draws.
func asPNG(photo []byte) ([]byte, error) {
	bad := fault.New(fault.Invalid, "photo_format", "the photo cannot be read").WithHint("a photo is PNG or JPEG")
	cfg, format, err := image.DecodeConfig(bytes.NewReader(photo))
	if err != nil || cfg.Width < 1 || cfg.Height < 1 || cfg.Width > 4096 || cfg.Height > 4096 {
		return nil, bad
	}
	if format == "png" {
		return photo, nil
	}
	m, _, err := image.Decode(bytes.NewReader(photo))
	if err != nil {
		return nil, bad
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "photo_format", "the photo cannot be written")
	}
	return out.Bytes(), nil
}
