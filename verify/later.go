package verify

import (
	"bytes"
	"slices"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ofd"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// judgeLater holds later signatures of a license to the keys that the trust list allows for it, and the issuer's own.
// Without that, whoever owns any certificate could draw on somebody else's license.
func (j Judge) judgeLater(e *ofd.Examination, issuing *ofd.SignatureEntry, signatures []verdict.Signature, held map[*ofd.SignatureEntry]bool) {
	allowed := slices.Clone(j.Trust.pki.Policies().LaterSigners)
	if issuing != nil {
		allowed = append(allowed, signerPoints(issuing)...)
	}
	for i, entry := range e.Signatures {
		if entry == issuing {
			continue
		}
		points := signerPoints(entry)
		ok := len(points) > 0
		for _, p := range points {
			ok = ok && slices.ContainsFunc(allowed, func(a []byte) bool { return bytes.Equal(a, p) })
		}
		if !ok {
			signatures[i].Checks = append(signatures[i].Checks, verdict.Note("license.later_signer", verdict.TrustRoleNotAllowed,
				entry.Path, "the trust list does not allow this key to sign on licenses"))
			held[entry] = false
		}
	}
}

// signerPoints are the public keys that an entry's value must have been made with for it to hold; none when one of them
// is not at hand or is no SM2 key.
func signerPoints(e *ofd.SignatureEntry) [][]byte {
	var certs []*pki.Certificate
	switch e.Type {
	case ofd.TypeSign:
		data, err := pki.ReadSignedData(e.Value)
		if err != nil {
			return nil
		}
		for i := range data.Signers {
			certs = append(certs, data.Signer(&data.Signers[i]))
		}
	default:
		s, err := seal.ParseSignature(e.Value)
		if err != nil {
			return nil
		}
		c, err := pki.Read(s.Cert)
		if err != nil {
			return nil
		}
		certs = append(certs, c)
	}
	var points [][]byte
	for _, c := range certs {
		if c == nil {
			return nil
		}
		pub, ok := c.SM2Key()
		if !ok {
			return nil
		}
		points = append(points, gm.MarshalPublicKey(pub))
	}
	return points
}
