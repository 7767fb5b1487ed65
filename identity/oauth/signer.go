package oauth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/go-jose/go-jose/v3"

	"github.com/yinxin-trust/yinxin/hsm"
)

// signer is one key that signs ID tokens.
type signer struct {
	key    hsm.Key
	alg    string
	header string // of its tokens, encoded
	public jose.JSONWebKey
}

// signers are all published keys; the first of an algorithm signs.
type signers struct{ all []*signer }

func newSigners(keys []hsm.Key) (*signers, error) {
	out := &signers{}
	for _, k := range keys {
		s, err := newSigner(k)
		if err != nil {
			return nil, err
		}
		out.all = append(out.all, s)
	}
	for _, alg := range []string{string(hsm.ES256), string(hsm.RS256)} {
		if out.by(alg) == nil {
			return nil, fmt.Errorf("oauth: a key for %s is needed", alg)
		}
	}
	return out, nil
}

func newSigner(k hsm.Key) (*signer, error) {
	switch pub := k.Public().(type) {
	case *ecdsa.PublicKey:
		if k.Algorithm() != hsm.ES256 || pub.Curve != elliptic.P256() {
			return nil, fmt.Errorf("oauth: key %s is not on P-256", k.Ref())
		}
	case *rsa.PublicKey:
		if k.Algorithm() != hsm.RS256 || pub.N.BitLen() < 2048 {
			return nil, fmt.Errorf("oauth: key %s is not RSA of 2048 bits", k.Ref())
		}
	default:
		return nil, fmt.Errorf("oauth: key %s cannot sign tokens", k.Ref())
	}
	jwk := jose.JSONWebKey{Key: k.Public(), Algorithm: string(k.Algorithm()), Use: "sig"}
	thumb, err := jwk.Thumbprint(crypto.SHA256) // RFC 7638: the same key has the same kid everywhere
	if err != nil {
		return nil, fmt.Errorf("oauth: key %s: %w", k.Ref(), err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumb)
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		Typ string `json:"typ"`
	}{string(k.Algorithm()), jwk.KeyID, "JWT"})
	if err != nil {
		return nil, err
	}
	return &signer{key: k, alg: string(k.Algorithm()), header: base64.RawURLEncoding.EncodeToString(header), public: jwk}, nil
}

// by is the key that signs with an algorithm, nil when there is none.
func (s *signers) by(alg string) *signer {
	for _, k := range s.all {
		if k.alg == alg {
			return k
		}
	}
	return nil
}

// jwks is the published key set.
func (s *signers) jwks() ([]byte, error) {
	set := jose.JSONWebKeySet{}
	for _, k := range s.all {
		set.Keys = append(set.Keys, k.public)
	}
	return json.Marshal(set)
}

// sign makes a JWS in compact form (RFC 7515).
func (s *signer) sign(ctx context.Context, claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	input := s.header + "." + base64.RawURLEncoding.EncodeToString(payload)
	sig, err := s.key.SignDigest(ctx, sha256.Sum256([]byte(input)))
	if err != nil {
		return "", err
	}
	if s.alg == string(hsm.ES256) {
		if sig, err = rawECDSA(sig); err != nil {
			return "", err
		}
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// rawECDSA turns DER SEQUENCE{r, s} into r ‖ s of 32 bytes each (RFC 7518 §3.4).
func rawECDSA(der []byte) ([]byte, error) {
	var v struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &v); err != nil || len(rest) > 0 {
		return nil, errors.Join(errors.New("oauth: signature is not DER"), err)
	}
	if v.R.Sign() <= 0 || v.S.Sign() <= 0 || v.R.BitLen() > 256 || v.S.BitLen() > 256 {
		return nil, errors.New("oauth: signature is out of range")
	}
	out := make([]byte, 64)
	v.R.FillBytes(out[:32])
	v.S.FillBytes(out[32:])
	return out, nil
}

// hint is what an ID token says about whom it was made for. Its dates do not matter: an old hint is still a hint.
type hint struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	SID      string   `json:"sid"`
}

// audience is one string or several (RFC 7519 §4.1.3).
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(a))
	}
	var one string
	err := json.Unmarshal(b, &one)
	*a = audience{one}
	return err
}

// maxHint bounds an id_token_hint.
const maxHint = 8 << 10

var errHint = errors.New("oauth: the ID token is not one of ours")

// verify reads an ID token that this provider signed, with the algorithm of its key.
func (s *signers) verify(token, issuer string) (hint, error) {
	if len(token) > maxHint {
		return hint{}, errHint
	}
	jws, err := jose.ParseSigned(token)
	if err != nil || len(jws.Signatures) != 1 {
		return hint{}, errHint
	}
	head := jws.Signatures[0].Header
	for _, k := range s.all {
		if k.public.KeyID != head.KeyID || k.alg != head.Algorithm {
			continue
		}
		payload, err := jws.Verify(k.public.Key)
		if err != nil {
			return hint{}, errHint
		}
		var h hint
		if err := json.Unmarshal(payload, &h); err != nil || h.Issuer != issuer || h.Subject == "" || len(h.Audience) != 1 {
			return hint{}, errHint
		}
		return h, nil
	}
	return hint{}, errHint
}
