package sealtest

import (
	"context"
	encasn1 "encoding/asn1"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// Forge writes seals and signatures of every generation, right or wrong, with a writer of its own. Start from
// PKI.Forge and change what the test is about.
type Forge struct {
	Version      int // 1, 4, 5 or anything
	ID           string
	CertListType int
	List         [][]byte // certificates, or digests with type 2
	Created      time.Time
	Start, End   time.Time
	SealExts     []seal.Ext
	MakerCert    []byte
	Maker        *Key
	SealAlg      string
	SealValue    func([]byte) []byte // changes the maker's signature value
	SealStamp    func(value []byte) []byte

	TBSVersion int
	At         time.Time
	TimeV1     []byte // V1: payload of the timeInfo BIT STRING instead of a UTCTime
	Original   []byte
	DataHash   []byte // instead of the original's SM3
	Property   string
	Exts       []seal.Ext
	Cert       []byte
	Signer     *Key
	Alg        string
	Value      func([]byte) []byte // changes the signature value
	Stamp      func(value []byte) []byte
	Seal       []byte // instead of a forged one
}

// Forge is a good V4 seal and a good signature with it, ten days after Now.
func (p *PKI) Forge() *Forge {
	return &Forge{
		Version: 4, ID: "42990000000001", CertListType: 1, List: [][]byte{p.SignerCert},
		Created: Now(), Start: Now(), End: Now().Add(300 * Day), MakerCert: p.MakerCert, Maker: p.Maker, SealAlg: pki.OIDSM2WithSM3,
		TBSVersion: 4, At: Now().Add(10 * Day), Original: []byte("<ofd:Signature/>"), Property: "/Doc_0/Signs/Sign_0/Signature.xml",
		Cert: p.SignerCert, Signer: p.Signer, Alg: pki.OIDSM2WithSM3,
	}
}

// Sign is the key's strict DER signature over a message.
func (k *Key) Sign(t testing.TB, message []byte) []byte {
	t.Helper()
	e, err := gm.SignatureDigest(k.SM2(), message)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := k.SignDigest(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func build(t testing.TB, f func(*cryptobyte.Builder)) []byte {
	t.Helper()
	var b cryptobyte.Builder
	f(&b)
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func seq(b *cryptobyte.Builder, f func(*cryptobyte.Builder)) { b.AddASN1(asn1.SEQUENCE, f) }

func str(b *cryptobyte.Builder, tag asn1.Tag, s string) {
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

func oid(b *cryptobyte.Builder, dotted string) {
	var id encasn1.ObjectIdentifier
	for part := range strings.SplitSeq(dotted, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			b.SetError(err)
			return
		}
		id = append(id, n)
	}
	b.AddASN1ObjectIdentifier(id)
}

func exts(b *cryptobyte.Builder, list []seal.Ext) {
	seq(b, func(b *cryptobyte.Builder) {
		for _, e := range list {
			seq(b, func(b *cryptobyte.Builder) {
				oid(b, e.ID)
				b.AddASN1Boolean(e.Critical) // FALSE explicitly, as the field writes it
				b.AddASN1OctetString(e.Value)
			})
		}
	})
}

const (
	ia5       = asn1.Tag(22)
	printable = asn1.Tag(19)
	explicit0 = asn1.Tag(0xa0)
)

func stamp(b *cryptobyte.Builder, make func([]byte) []byte, value []byte) {
	if make != nil {
		b.AddASN1(explicit0, func(b *cryptobyte.Builder) { b.AddASN1BitString(make(value)) })
	}
}

func edit(f func([]byte) []byte, value []byte) []byte {
	if f == nil {
		return value
	}
	return f(value)
}

func (f *Forge) time(b *cryptobyte.Builder, at time.Time) {
	if f.Version == 1 {
		b.AddASN1UTCTime(at)
		return
	}
	b.AddASN1GeneralizedTime(at)
}

// SealDER is the seal.
func (f *Forge) SealDER(t testing.TB) []byte {
	t.Helper()
	if f.Seal != nil {
		return f.Seal
	}
	info := build(t, func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) {
			seq(b, func(b *cryptobyte.Builder) {
				str(b, ia5, "ES")
				b.AddASN1Int64(int64(f.Version))
				str(b, ia5, "forge")
			})
			str(b, ia5, f.ID)
			seq(b, f.property)
			seq(b, func(b *cryptobyte.Builder) {
				str(b, ia5, "png")
				b.AddASN1OctetString([]byte("\x89PNG"))
				b.AddASN1Int64(42)
				b.AddASN1Int64(42)
			})
			if f.SealExts != nil {
				exts(b, f.SealExts)
			}
		})
	})
	if f.Version != 1 {
		value := edit(f.SealValue, f.Maker.Sign(t, info))
		return build(t, func(b *cryptobyte.Builder) {
			seq(b, func(b *cryptobyte.Builder) {
				b.AddBytes(info)
				b.AddASN1OctetString(f.MakerCert)
				oid(b, f.SealAlg)
				b.AddASN1BitString(value)
				stamp(b, f.SealStamp, value)
			})
		})
	}
	tail := build(t, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(f.MakerCert)
		oid(b, f.SealAlg)
	})
	signed := build(t, func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) { b.AddBytes(info); b.AddBytes(tail) })
	})
	value := edit(f.SealValue, f.Maker.Sign(t, signed))
	return build(t, func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) {
			b.AddBytes(info)
			seq(b, func(b *cryptobyte.Builder) { b.AddBytes(tail); b.AddASN1BitString(value) })
		})
	})
}

func (f *Forge) property(b *cryptobyte.Builder) {
	b.AddASN1Int64(1)
	str(b, asn1.UTF8String, "测试局")
	if f.Version != 1 {
		b.AddASN1Int64(int64(f.CertListType))
	}
	seq(b, func(b *cryptobyte.Builder) {
		for _, item := range f.List {
			if f.CertListType == 2 {
				seq(b, func(b *cryptobyte.Builder) { str(b, printable, "custom"); b.AddASN1OctetString(item) })
			} else {
				b.AddASN1OctetString(item)
			}
		}
	})
	f.time(b, f.Created)
	f.time(b, f.Start)
	f.time(b, f.End)
}

// DER is the signature with the seal.
func (f *Forge) DER(t testing.TB) []byte {
	t.Helper()
	hash := f.DataHash
	if hash == nil {
		d := gm.SM3(f.Original)
		hash = d[:]
	}
	der := f.SealDER(t)
	tbs := build(t, func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(f.TBSVersion))
			b.AddBytes(der)
			switch {
			case f.Version != 1:
				b.AddASN1GeneralizedTime(f.At)
			case f.TimeV1 != nil:
				b.AddASN1BitString(f.TimeV1)
			default:
				b.AddASN1BitString(build(t, func(b *cryptobyte.Builder) { b.AddASN1UTCTime(f.At) }))
			}
			b.AddASN1BitString(hash)
			str(b, ia5, f.Property)
			if f.Version == 1 {
				b.AddASN1OctetString(f.Cert)
				oid(b, f.Alg)
			} else if f.Exts != nil {
				b.AddASN1(explicit0, func(b *cryptobyte.Builder) { exts(b, f.Exts) })
			}
		})
	})
	value := edit(f.Value, f.Signer.Sign(t, tbs))
	return build(t, func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) {
			b.AddBytes(tbs)
			if f.Version != 1 {
				b.AddASN1OctetString(f.Cert)
				oid(b, f.Alg)
			}
			b.AddASN1BitString(value)
			stamp(b, f.Stamp, value)
		})
	})
}

// SignCertificate wraps a tbsCertificate, however odd, with a key's signature.
func SignCertificate(t testing.TB, tbs []byte, issuer *Key) []byte {
	t.Helper()
	return build(t, func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) {
			b.AddBytes(tbs)
			seq(b, func(b *cryptobyte.Builder) { oid(b, pki.OIDSM2WithSM3) })
			b.AddASN1BitString(issuer.Sign(t, tbs))
		})
	})
}
