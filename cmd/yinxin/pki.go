package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/sample"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

const year = 365 * 24 * time.Hour

// authorities are the demonstration's own certification: a root, an issuing CA and the seal maker's certificate. A real
// deployment gets its certificates from a licensed authority (电子签名法, 商用密码管理条例 art. 30) instead.
type authorities struct {
	root    *pki.Authority
	issuing *pki.Authority
	maker   []byte // DER
}

// openAuthorities reads the certificates of a folder and makes those that are not there.
func openAuthorities(ctx context.Context, dir string, keys hsm.Provider) (*authorities, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "pki_dir", "the folder for certificates cannot be made")
	}
	rootKey, err := keys.Key(ctx, keyRootCA)
	if err != nil {
		return nil, err
	}
	rootDER, err := certificate(filepath.Join(dir, "root.cer"), func() ([]byte, error) {
		a, err := pki.NewRoot(ctx, pki.Subject{CommonName: sample.ProvinceName + "电子印章根(演示)", Organization: sample.ProvinceName}, rootKey, 20*year, time.Now, rand.Reader)
		if err != nil {
			return nil, err
		}
		return a.Certificate().Raw, nil
	})
	if err != nil {
		return nil, err
	}
	var a authorities
	if a.root, err = pki.OpenAuthority(rootDER, rootKey, time.Now, rand.Reader); err != nil {
		return nil, err
	}
	issuingKey, err := keys.Key(ctx, keyIssuingCA)
	if err != nil {
		return nil, err
	}
	issuingDER, err := certificate(filepath.Join(dir, "issuing.cer"), func() ([]byte, error) {
		return a.root.IssueAuthority(ctx, pki.Subject{CommonName: sample.ProvinceName + "电子印章签发机构(演示)", Organization: sample.ProvinceName}, sm2Of(issuingKey), 10*year)
	})
	if err != nil {
		return nil, err
	}
	if a.issuing, err = pki.OpenAuthority(issuingDER, issuingKey, time.Now, rand.Reader); err != nil {
		return nil, err
	}
	makerKey, err := keys.Key(ctx, keySealMaker)
	if err != nil {
		return nil, err
	}
	a.maker, err = certificate(filepath.Join(dir, "maker.cer"), func() ([]byte, error) {
		return a.issuing.IssueSigning(ctx, pki.Subject{CommonName: sample.ProvinceName + "电子印章制作系统(演示)", Organization: sample.ProvinceName}, sm2Of(makerKey), 8*year)
	})
	if err != nil {
		return nil, err
	}
	return &a, nil
}

// certificate reads a DER file, or makes and keeps it.
func certificate(path string, make func() ([]byte, error)) ([]byte, error) {
	der, err := os.ReadFile(path)
	if err == nil {
		return der, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(err, fault.Internal, "certificate_unreadable", "a certificate of the demonstration cannot be read")
	}
	if der, err = make(); err != nil {
		return nil, err
	}
	return der, writeFile(path, der, 0o644)
}

// sm2Of is the SM2 public key of one of our own keys, all of which were generated as SM2 by openKeys.
func sm2Of(k hsm.Key) *gm.PublicKey {
	pub, ok := k.Public().(*gm.PublicKey)
	if !ok {
		return nil // refused by whoever is handed it
	}
	return pub
}

// keyID names a key in codes and status evidence: the first eight bytes of SM3 over its point.
func keyID(pub *gm.PublicKey) [8]byte {
	sum := gm.SM3(gm.MarshalPublicKey(pub))
	return [8]byte(sum[:8])
}

// openTrustList reads the published trust list of a folder, or publishes the next version when what it must say has
// changed or half of its life is over.
func openTrustList(ctx context.Context, path string, l *pki.List, key hsm.Key) ([]byte, error) {
	const life = 90 * 24 * time.Hour
	now := time.Now().UTC().Truncate(time.Second)
	l.Version, l.IssuedAt, l.NextUpdate = 1, now, now.Add(life)
	old, err := os.ReadFile(path)
	switch {
	case err == nil:
		opened, err := pki.OpenList(old)
		if err != nil {
			return nil, err
		}
		prev := *opened.List
		same := prev
		same.Version, same.IssuedAt, same.NextUpdate = l.Version, l.IssuedAt, l.NextUpdate
		was, errWas := same.Marshal()
		is, errIs := l.Marshal()
		if err := errors.Join(errWas, errIs); err != nil {
			return nil, err
		}
		if string(was) == string(is) && now.Before(prev.IssuedAt.Add(life/2)) {
			return old, nil
		}
		l.Version = prev.Version + 1
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fault.Wrap(err, fault.Internal, "trust_list_unreadable", "the published trust list cannot be read")
	}
	signed, err := pki.SignList(ctx, l, key)
	if err != nil {
		return nil, err
	}
	return signed, writeFile(path, signed, 0o644)
}

// trustList is what the demonstration's list says.
func trustList(ctx context.Context, keys hsm.Provider, a *authorities, origin string, witness ledger.Key, baseURL string) (*pki.List, error) {
	point := func(ref hsm.Ref) ([]byte, [8]byte, error) {
		k, err := keys.Key(ctx, ref)
		if err != nil {
			return nil, [8]byte{}, err
		}
		pub := sm2Of(k)
		return gm.MarshalPublicKey(pub), keyID(pub), nil
	}
	logPoint, _, err := point(keyLedger)
	if err != nil {
		return nil, err
	}
	data, ok := sample.OfficeFor(sample.DutyData, sample.ProvinceCell)
	if !ok {
		return nil, fault.New(fault.Internal, "sample_office", "the sample province has no data office")
	}
	base, err := url.Parse(baseURL)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "base_url", "the base URL is not a URL")
	}
	policies := pki.DefaultPolicies()
	l := &pki.List{
		Anchors:       []pki.ListAnchor{{Name: a.root.Certificate().CommonName(), Certificate: a.root.Certificate().Raw, Roles: []pki.Role{pki.RoleSealMaker, pki.RoleSealSigner}}},
		Intermediates: [][]byte{a.issuing.Certificate().Raw},
		Ledger: pki.LedgerTrust{
			Origin: origin, LogKeys: []pki.NamedKey{{Name: origin, Key: logPoint}},
			Witnesses: []pki.NamedKey{{Name: witness.Name, Key: gm.MarshalPublicKey(witness.Public)}}, Quorum: 1,
		},
		Hosts:    []string{strings.ToLower(base.Host)},
		Policies: policies,
	}
	from := a.root.Certificate().NotBefore
	for _, k := range []struct {
		ref     hsm.Ref
		purpose pki.Purpose
	}{{keyStaticCode, pki.PurposeStaticCode}, {keyStatus, pki.PurposeStatusList}} {
		p, id, err := point(k.ref)
		if err != nil {
			return nil, err
		}
		l.Issuers = append(l.Issuers, pki.Issuer{
			KeyID: hex.EncodeToString(id[:]), Key: p, Organisation: data.Code, Name: data.Name,
			Purposes: []pki.Purpose{k.purpose}, NotBefore: from, NotAfter: from.Add(20 * year),
		})
	}
	return l, nil
}
