package pki

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	encasn1 "encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// Subject is who a certificate is for.
type Subject struct {
	CommonName   string
	Organization string
	Province     string
	Locality     string
	SerialNumber string // such as the USCC (统一社会信用代码); may be empty
}

func (s Subject) name() pkix.Name {
	n := pkix.Name{Country: []string{"CN"}, CommonName: s.CommonName, SerialNumber: s.SerialNumber}
	set := func(to *[]string, v string) {
		if v != "" {
			*to = []string{v}
		}
	}
	set(&n.Organization, s.Organization)
	set(&n.Province, s.Province)
	set(&n.Locality, s.Locality)
	return n
}

// Authority is a small certificate authority for closed deployments and the demo; real deployments get their certificates
// from a licensed one (电子政务电子认证服务机构). Everything it signs is SM2 with SM3. It keeps no register: whoever runs it
// files what it returns.
type Authority struct {
	cert   *Certificate
	parent *x509.Certificate
	key    DigestSigner
	rand   io.Reader
	now    func() time.Time
}

// NewRoot makes a root: a self-signed certificate for key, good from now for life.
func NewRoot(ctx context.Context, s Subject, key DigestSigner, life time.Duration, now func() time.Time, rand io.Reader) (*Authority, error) {
	a := &Authority{key: key, rand: rand, now: now}
	template, err := a.template(s, life)
	if err != nil {
		return nil, err
	}
	asCA(template, 1)
	der, err := a.sign(ctx, template, template, key.Public())
	if err != nil {
		return nil, err
	}
	return OpenAuthority(der, key, now, rand)
}

// OpenAuthority is the authority of an existing CA certificate and its key.
func OpenAuthority(der []byte, key DigestSigner, now func() time.Time, rand io.Reader) (*Authority, error) {
	cert, err := Read(der)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "authority_certificate", "the authority's certificate cannot be read")
	}
	strict, err := gm.ParseCertificate(der)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "authority_certificate", "the authority's certificate cannot be read")
	}
	pub, ok := key.Public().(*gm.PublicKey)
	if own, isSM2 := cert.SM2Key(); !ok || !isSM2 || !own.Equal(pub) {
		return nil, fault.New(fault.Invalid, "authority_key", "the key is not the one in the authority's certificate")
	}
	if !cert.MayIssue() {
		return nil, fault.New(fault.Invalid, "authority_certificate", "the certificate does not allow to issue others")
	}
	parent := x509.Certificate(*strict)
	return &Authority{cert: cert, parent: &parent, key: key, rand: rand, now: now}, nil
}

// Certificate is the authority's own.
func (a *Authority) Certificate() *Certificate { return a.cert }

// IssueAuthority certifies an issuing CA below this one, which may certify end entities only.
func (a *Authority) IssueAuthority(ctx context.Context, s Subject, pub *gm.PublicKey, life time.Duration) ([]byte, error) {
	template, err := a.template(s, life)
	if err != nil {
		return nil, err
	}
	asCA(template, 0)
	return a.sign(ctx, template, a.parent, pub)
}

// IssueSigning certifies a key that signs: a seal maker's (制章者), a seal's (签章者) or a person's.
func (a *Authority) IssueSigning(ctx context.Context, s Subject, pub *gm.PublicKey, life time.Duration) ([]byte, error) {
	return a.issue(ctx, s, pub, life, x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment, nil)
}

// IssueTimeStamping certifies a time-stamping authority's key.
func (a *Authority) IssueTimeStamping(ctx context.Context, s Subject, pub *gm.PublicKey, life time.Duration) ([]byte, error) {
	// RFC 3161 §2.3: the one extended key usage, and critical.
	value, err := encasn1.Marshal([]encasn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		return nil, fmt.Errorf("pki: %w", err)
	}
	return a.issue(ctx, s, pub, life, x509.KeyUsageDigitalSignature, []pkix.Extension{
		{Id: encasn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: value},
	})
}

// IssueEncryption certifies a key that encrypts and must never be accepted for a signature.
func (a *Authority) IssueEncryption(ctx context.Context, s Subject, pub *gm.PublicKey, life time.Duration) ([]byte, error) {
	return a.issue(ctx, s, pub, life, x509.KeyUsageKeyEncipherment|x509.KeyUsageDataEncipherment, nil)
}

func (a *Authority) issue(ctx context.Context, s Subject, pub *gm.PublicKey, life time.Duration, usage x509.KeyUsage, extra []pkix.Extension) ([]byte, error) {
	template, err := a.template(s, life)
	if err != nil {
		return nil, err
	}
	template.KeyUsage = usage
	template.ExtraExtensions = extra
	template.BasicConstraintsValid = true
	return a.sign(ctx, template, a.parent, pub)
}

func asCA(template *x509.Certificate, pathLen int) {
	template.IsCA, template.BasicConstraintsValid = true, true
	template.MaxPathLen, template.MaxPathLenZero = pathLen, pathLen == 0
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
}

// template begins a certificate: a random serial of 16 bytes, dates from now (backdated a minute, for clocks that lag).
func (a *Authority) template(s Subject, life time.Duration) (*x509.Certificate, error) {
	if s.CommonName == "" || life <= 0 {
		return nil, fault.New(fault.Invalid, "certificate_request", "a certificate needs a name and a life")
	}
	serial := make([]byte, 16)
	if _, err := io.ReadFull(a.rand, serial); err != nil {
		return nil, fmt.Errorf("pki: serial: %w", err)
	}
	serial[0] = serial[0]&0x7f | 0x40 // positive, and of one length
	from := a.now().UTC().Truncate(time.Second).Add(-time.Minute)
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      s.name(),
		NotBefore:    from,
		NotAfter:     from.Add(life),
	}, nil
}

// sign makes the certificate and checks it with the reader that others will use.
func (a *Authority) sign(ctx context.Context, template, parent *x509.Certificate, pub any) ([]byte, error) {
	own, ok := a.key.Public().(*gm.PublicKey)
	subject, isSM2 := pub.(*gm.PublicKey)
	if !ok || !isSM2 || !gm.IsSM2(own) || !gm.IsSM2(subject) {
		return nil, fault.New(fault.Invalid, "certificate_key", "certificates are made for SM2 keys by SM2 keys")
	}
	id := gm.SM3(gm.MarshalPublicKey(subject))
	template.SubjectKeyId = id[:20]
	signer := gm.NewSigner(own, func(e gm.Digest) ([]byte, error) { return a.key.SignDigest(ctx, e) })
	der, err := gm.CreateCertificate(a.rand, template, parent, subject, signer)
	if err != nil {
		return nil, fmt.Errorf("pki: certificate: %w", err)
	}
	c, err := Read(der)
	if err != nil {
		return nil, fmt.Errorf("pki: own certificate: %w", err)
	}
	if !c.VerifiedBy(own) {
		return nil, fmt.Errorf("pki: own certificate does not verify")
	}
	return der, nil
}
