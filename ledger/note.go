package ledger

import (
	"context"
	"encoding/base64"
	"math/big"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// A signed note (C2SP signed-note) is a text that ends in a line feed, an empty line, and signature lines
// "— name base64(key id ‖ signature)". The SM2 signature in it is r ‖ s, 64 bytes, over e = SM3(Z ‖ text) with the default
// user ID.
type note struct {
	text string // with its last line feed
	sigs []noteSignature
}

type noteSignature struct {
	name string
	id   [4]byte
	sig  []byte
	line string // with its line feed
}

const (
	signaturePrefix = "— "
	maxSignatures   = 100
)

func parseNote(b []byte, limit int) (note, error) {
	bad := malformed("ledger_note_malformed", "the text is not a signed note")
	if len(b) > limit {
		return note{}, malformed("ledger_note_malformed", "the signed note is too long")
	}
	s := string(b)
	for i := range len(s) { // our texts and names are ASCII; only the dash of a signature line is not
		if c := s[i]; c < ' ' && c != '\n' {
			return note{}, bad
		}
	}
	at := strings.LastIndex(s, "\n\n")
	if at < 0 {
		return note{}, bad
	}
	n := note{text: s[:at+1]}
	sigs, err := parseSignatures(s[at+2:])
	n.sigs = sigs
	return n, err
}

// parseSignatures reads one or more signature lines.
func parseSignatures(s string) ([]noteSignature, error) {
	bad := malformed("ledger_note_malformed", "the signed note has a malformed signature line")
	var sigs []noteSignature
	for s != "" {
		line, rest, ok := strings.Cut(s, "\n")
		s = rest
		body, dash := strings.CutPrefix(line, signaturePrefix)
		name, data, space := strings.Cut(body, " ")
		if !ok || !dash || !space || !ValidName(name) || len(sigs) == maxSignatures {
			return nil, bad
		}
		raw, err := base64.StdEncoding.Strict().DecodeString(data)
		if err != nil || len(raw) < 5 {
			return nil, bad
		}
		sigs = append(sigs, noteSignature{name: name, id: [4]byte(raw[:4]), sig: raw[4:], line: line + "\n"})
	}
	if len(sigs) == 0 {
		return nil, bad
	}
	return sigs, nil
}

// signatureLine writes one signature line.
func signatureLine(k Key, sig []byte) string {
	id := k.ID()
	return signaturePrefix + k.Name + " " + base64.StdEncoding.EncodeToString(append(id[:], sig...)) + "\n"
}

// signText signs a text with SM2 and gives r ‖ s.
func signText(ctx context.Context, signer Signer, pub *gm.PublicKey, text string) ([]byte, error) {
	e, err := gm.SignatureDigest(pub, []byte(text))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "ledger_sign", "the text cannot be signed with this key")
	}
	der, err := signer.SignDigest(ctx, e)
	if err != nil {
		return nil, err
	}
	raw, ok := rawSignature(der)
	if !ok {
		return nil, fault.New(fault.Internal, "ledger_sign", "the key gave no SM2 signature")
	}
	return raw, nil
}

// verifyText checks r ‖ s over a text.
func verifyText(pub *gm.PublicKey, text string, raw []byte) bool {
	if len(raw) != 64 {
		return false
	}
	e, err := gm.SignatureDigest(pub, []byte(text))
	if err != nil {
		return false
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(raw[:32]))
		b.AddASN1BigInt(new(big.Int).SetBytes(raw[32:]))
	})
	der, err := b.Bytes()
	return err == nil && gm.VerifyDigest(pub, e, der)
}

// rawSignature turns strict DER into r ‖ s.
func rawSignature(der []byte) ([]byte, bool) {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(r) || !seq.ReadASN1Integer(s) ||
		!seq.Empty() || r.Sign() <= 0 || s.Sign() <= 0 || r.BitLen() > 256 || s.BitLen() > 256 {
		return nil, false
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	return raw, true
}
