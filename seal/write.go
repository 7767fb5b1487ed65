package seal

import (
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/yinxin-trust/yinxin/seal/pki"
)

// We write V4 (GB/T 38540-2020), which the readers of the field know. No extDatas are written; nothing that was read is
// ever written again from its parts.

// Info is what a new seal says (SES_SealInfo).
type Info struct {
	ID         string // esID, the seal's code (印章编码): ASCII
	Vendor     string // header.Vid: ASCII
	Type       int    // business-defined
	Name       string
	Signers    [][]byte // DER certificates of those who may sign with it; at least one
	CreatedAt  time.Time
	ValidStart time.Time
	ValidEnd   time.Time
	Picture    Picture
}

// marshalInfo is the DER of SES_SealInfo, V4.
func marshalInfo(i Info) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addIA5(b, "ES")
			b.AddASN1Int64(int64(V4))
			addIA5(b, i.Vendor)
		})
		addIA5(b, i.ID)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(i.Type))
			addUTF8(b, i.Name)
			b.AddASN1Int64(ListCertificates)
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, c := range i.Signers {
					b.AddASN1OctetString(c)
				}
			})
			addTime(b, i.CreatedAt)
			addTime(b, i.ValidStart)
			addTime(b, i.ValidEnd)
		})
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addIA5(b, i.Picture.Type)
			b.AddASN1OctetString(i.Picture.Data)
			b.AddASN1Int64(int64(i.Picture.Width))
			b.AddASN1Int64(int64(i.Picture.Height))
		})
	})
	return done(&b)
}

// marshalSigned is what SESeal and SES_Signature have in common: a raw part, a certificate, an algorithm, a signature.
func marshalSigned(raw, cert, signature []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(raw)
		b.AddASN1OctetString(cert)
		addOID(b, pki.OIDSM2WithSM3)
		b.AddASN1BitString(signature)
	})
	return done(&b)
}

// marshalTBS is the DER of TBS_Sign, V4: the exact bytes that a seal signature signs.
func marshalTBS(seal []byte, at time.Time, dataHash [32]byte, propertyInfo string) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(int64(V4))
		b.AddBytes(seal)
		addTime(b, at)
		b.AddASN1BitString(dataHash[:])
		addIA5(b, propertyInfo)
	})
	return done(&b)
}

func done(b *cryptobyte.Builder) ([]byte, error) {
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("seal: write: %w", err)
	}
	return out, nil
}
