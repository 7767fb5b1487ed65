package sealtest

import (
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// Message writes GB/T 35275 signed data, right or wrong.
type Message struct {
	Outer      string // content type of the whole
	Type       string // content type of the content
	Content    []byte // nil: detached
	Certs      [][]byte
	NoSigner   bool
	Cert       []byte // names the signer
	Signer     *Key
	DigestAlg  string
	SigAlg     string
	Attributes bool
	Digest     []byte // the messageDigest attribute
	At         time.Time
	Plain      []byte // what is signed without attributes; nil: Content
	Value      func([]byte) []byte
}

// Message is signed data over the SM3 of an original, as most producers write it: attached, without attributes.
func (p *PKI) Message(original []byte) *Message {
	d := gm.SM3(original)
	return &Message{
		Outer: "1.2.156.10197.6.1.4.2.2", Type: "1.2.156.10197.6.1.4.2.1", Content: d[:],
		Certs: [][]byte{p.SignerCert}, Cert: p.SignerCert, Signer: p.Signer,
		DigestAlg: pki.OIDSM3, SigAlg: pki.OIDSM2Sign,
	}
}

// Detached is signed data with attributes over an original that is not inside.
func (p *PKI) Detached(original []byte, at time.Time) *Message {
	m := p.Message(original)
	d := gm.SM3(original)
	m.Type, m.Content, m.Attributes, m.Digest, m.At = "1.2.840.113549.1.7.1", nil, true, d[:], at
	return m
}

// DER is the message.
func (m *Message) DER(t testing.TB) []byte {
	t.Helper()
	return build(t, func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) {
			oid(b, m.Outer)
			b.AddASN1(explicit0, func(b *cryptobyte.Builder) {
				seq(b, func(b *cryptobyte.Builder) { m.body(t, b) })
			})
		})
	})
}

func (m *Message) body(t testing.TB, b *cryptobyte.Builder) {
	b.AddASN1Int64(1)
	b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) { oid(b, m.DigestAlg) })
	})
	seq(b, func(b *cryptobyte.Builder) {
		oid(b, m.Type)
		if m.Content != nil {
			b.AddASN1(explicit0, func(b *cryptobyte.Builder) { b.AddASN1OctetString(m.Content) })
		}
	})
	if m.Certs != nil {
		b.AddASN1(explicit0, func(b *cryptobyte.Builder) {
			for _, c := range m.Certs {
				b.AddBytes(c)
			}
		})
	}
	b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
		if !m.NoSigner {
			seq(b, func(b *cryptobyte.Builder) { m.signer(t, b) })
		}
	})
}

func (m *Message) signer(t testing.TB, b *cryptobyte.Builder) {
	t.Helper()
	c, err := pki.Read(m.Cert)
	if err != nil {
		t.Fatal(err)
	}
	b.AddASN1Int64(1)
	seq(b, func(b *cryptobyte.Builder) {
		b.AddBytes(c.RawIssuer)
		b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(c.Serial) })
	})
	seq(b, func(b *cryptobyte.Builder) { oid(b, m.DigestAlg) })
	signed := m.Plain
	if signed == nil {
		signed = m.Content
	}
	if m.Attributes {
		attrs := build(t, func(b *cryptobyte.Builder) { b.AddASN1(asn1.SET, m.attributes) })
		signed = attrs
		stored := append([]byte{0xa0}, attrs[1:]...)
		b.AddBytes(stored)
	}
	seq(b, func(b *cryptobyte.Builder) { oid(b, m.SigAlg) })
	b.AddASN1OctetString(edit(m.Value, m.Signer.Sign(t, signed)))
}

func (m *Message) attributes(b *cryptobyte.Builder) {
	attr := func(id string, value func(*cryptobyte.Builder)) {
		seq(b, func(b *cryptobyte.Builder) { oid(b, id); b.AddASN1(asn1.SET, value) })
	}
	typ := m.Type
	if typ == "1.2.840.113549.1.7.1" {
		typ = "1.2.156.10197.6.1.4.2.1" // as found in the field: not the outer content type
	}
	attr("1.2.840.113549.1.9.3", func(b *cryptobyte.Builder) { oid(b, typ) })
	attr("1.2.840.113549.1.9.4", func(b *cryptobyte.Builder) { b.AddASN1OctetString(m.Digest) })
	if !m.At.IsZero() {
		attr("1.2.840.113549.1.9.5", func(b *cryptobyte.Builder) { b.AddASN1UTCTime(m.At) })
	}
}

// Stamp is a time-stamp token over value. change, if not nil, alters the message before it is signed.
func (p *PKI) Stamp(t testing.TB, value []byte, at time.Time, change func(*Message)) []byte {
	t.Helper()
	d := gm.SM3(value)
	info := build(t, func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(1)
			oid(b, "1.2.3.4")
			seq(b, func(b *cryptobyte.Builder) {
				seq(b, func(b *cryptobyte.Builder) { oid(b, pki.OIDSM3) })
				b.AddASN1OctetString(d[:])
			})
			b.AddASN1Int64(7)
			b.AddASN1GeneralizedTime(at)
		})
	})
	over := gm.SM3(info)
	m := &Message{
		Outer: "1.2.840.113549.1.7.2", Type: pki.OIDTSTInfo, Content: info, Certs: [][]byte{p.TSACert}, Cert: p.TSACert,
		Signer: p.TSA, DigestAlg: pki.OIDSM3, SigAlg: pki.OIDSM2WithSM3, Attributes: true, Digest: over[:],
	}
	if change != nil {
		change(m)
	}
	return m.DER(t)
}
