package seal

import (
	"context"
	"fmt"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// Make makes a seal (制章), V4: it checks the maker's certificate and key, the dates and the list of signers, signs, and
// reads and verifies its own output before it returns it.
func Make(ctx context.Context, info Info, makerCert []byte, maker DigestSigner) ([]byte, error) {
	refuse := func(message string) error { return fault.New(fault.Invalid, "seal_info", message) }
	switch {
	case info.ID == "" || !ascii(info.ID) || len(info.ID) > 64:
		return nil, refuse("a seal's code is 1 to 64 ASCII characters")
	case !ascii(info.Vendor) || len(info.Vendor) > 64:
		return nil, refuse("a vendor's name is at most 64 ASCII characters")
	case info.Name == "" || len(info.Name) > 300:
		return nil, refuse("a seal has a name of at most 300 bytes")
	case len(info.Signers) == 0 || len(info.Signers) > maxCertList:
		return nil, refuse("a seal names 1 to 256 signers")
	case !info.ValidEnd.After(info.ValidStart):
		return nil, refuse("a seal ends after it begins")
	case len(info.Picture.Data) == 0 || info.Picture.Width <= 0 || info.Picture.Height <= 0 || info.Picture.Type == "":
		return nil, refuse("a seal has a picture with its size in millimetres")
	}
	for _, der := range info.Signers {
		c, err := pki.Read(der)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "seal_info", "a signer's certificate cannot be read")
		}
		if _, ok := c.SM2Key(); !ok || !c.MaySign() {
			return nil, refuse("a signer's certificate is not for SM2 signatures")
		}
	}
	cert, key, err := certified(makerCert, maker)
	if err != nil {
		return nil, err
	}
	if !cert.Within(info.CreatedAt) {
		return nil, fault.New(fault.Invalid, "seal_maker", "the seal maker's certificate is outside its dates")
	}
	raw, err := marshalInfo(info)
	if err != nil {
		return nil, err
	}
	sig, err := sign(ctx, maker, key, raw)
	if err != nil {
		return nil, err
	}
	der, err := marshalSigned(raw, makerCert, sig)
	if err != nil {
		return nil, err
	}
	s, err := ParseSeal(der)
	if err != nil {
		return nil, fmt.Errorf("seal: own seal: %w", err)
	}
	if !gm.Verify(key, s.message, s.Signature) {
		return nil, fmt.Errorf("seal: own seal does not verify")
	}
	return der, nil
}

// certified reads a certificate and checks that it is for signing and for this very key.
func certified(der []byte, signer DigestSigner) (*pki.Certificate, *gm.PublicKey, error) {
	c, err := pki.Read(der)
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Invalid, "seal_certificate", "the certificate cannot be read")
	}
	key, ok := c.SM2Key()
	if !ok || !c.MaySign() {
		return nil, nil, fault.New(fault.Invalid, "seal_certificate", "the certificate is not for SM2 signatures")
	}
	if own, ok := signer.Public().(*gm.PublicKey); !ok || !key.Equal(own) {
		return nil, nil, fault.New(fault.Conflict, "seal_key", "the key is not the one in the certificate")
	}
	return c, key, nil
}

// sign signs a message under SM2 with SM3 and the default user ID, and checks what the device gave.
func sign(ctx context.Context, signer DigestSigner, key *gm.PublicKey, message []byte) ([]byte, error) {
	e, err := gm.SignatureDigest(key, message)
	if err != nil {
		return nil, err
	}
	sig, err := signer.SignDigest(ctx, e)
	if err != nil {
		return nil, err
	}
	if !gm.VerifyDigest(key, e, sig) {
		return nil, fault.New(fault.Unavailable, "seal_key", "the device's signature does not verify")
	}
	return sig, nil
}
