package seal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// KeySource finds a signing key by its name in the HSM.
type KeySource interface {
	SealKey(ctx context.Context, ref string) (DigestSigner, error)
}

// KeySourceFunc is a KeySource of one function.
type KeySourceFunc func(ctx context.Context, ref string) (DigestSigner, error)

// SealKey calls the function.
func (f KeySourceFunc) SealKey(ctx context.Context, ref string) (DigestSigner, error) {
	return f(ctx, ref)
}

// DraftLife is how long a draft may wait for Apply.
const DraftLife = 5 * time.Minute

// Service seals documents in two steps: Prepare decides, builds the exact bytes and stores them; Apply redeems them once,
// uses the key and verifies the result before it leaves.
type Service struct {
	store DraftStore
	keys  KeySource
	now   func() time.Time
	rand  io.Reader
}

// NewService is a service over its ports.
func NewService(store DraftStore, keys KeySource, now func() time.Time, rand io.Reader) *Service {
	return &Service{store: store, keys: keys, now: now, rand: rand}
}

// Request asks for one use of a seal.
type Request struct {
	Cell         uint16 // of the seal's office
	SealID       string
	DataHash     [32]byte // SM3 of the original: for OFD, of Signature.xml
	PropertyInfo string   // for OFD the absolute path of Signature.xml; ASCII
	Act          Act
}

// Prepare checks that the seal may be used now, for this, by its certificate, and stores the one-shot draft.
func (s *Service) Prepare(ctx context.Context, r Request) (Draft, error) {
	refuse := func(code, message string) (Draft, error) { return Draft{}, fault.New(fault.Conflict, code, message) }
	if r.SealID == "" || r.PropertyInfo == "" || len(r.PropertyInfo) > 1024 || !ascii(r.PropertyInfo) {
		return Draft{}, fault.New(fault.Invalid, "seal_request", "a request names a seal and, in ASCII, what it is put on")
	}
	if r.Act.Actor == "" || r.Act.Office == "" || r.Act.Reason == "" {
		return Draft{}, fault.New(fault.Invalid, "seal_act", "who acts, for which office and why must be said")
	}
	row, err := s.store.Seal(ctx, r.Cell, r.SealID)
	if err != nil {
		return Draft{}, err
	}
	if r.Act.Office != row.Office {
		// 谁所有、谁控制 (电子印章管理办法 art. 21): an office puts its own seal and nobody else's.
		return Draft{}, fault.New(fault.Forbidden, "seal_of_another", "the seal belongs to another office")
	}
	now := s.now().UTC().Truncate(time.Microsecond) // what a database keeps
	at := now.Truncate(time.Second)
	if row.State != StateActive {
		return refuse("seal_not_active", "the seal is not in use")
	}
	seal, err := ParseSeal(row.DER)
	if err != nil {
		return Draft{}, fmt.Errorf("seal: stored seal: %w", err)
	}
	if seal.ID != row.ID || seal.Version != V4 {
		return Draft{}, errors.New("seal: the stored seal is not the row's, or not V4")
	}
	signer, err := pki.Read(row.SignerCert)
	if err != nil {
		return Draft{}, fmt.Errorf("seal: stored certificate: %w", err)
	}
	key, ok := signer.SM2Key()
	switch {
	case at.Before(seal.ValidStart) || at.After(seal.ValidEnd):
		return refuse("seal_outside_dates", "the seal is outside its dates")
	case !signer.Within(at):
		return refuse("seal_certificate_outside_dates", "the seal's certificate is outside its dates")
	case !ok || !signer.MaySign():
		return refuse("seal_certificate", "the seal's certificate is not for SM2 signatures")
	case !seal.Admits(row.SignerCert):
		return refuse("seal_signer", "the certificate is not in the seal's list of signers")
	}
	if err := s.allowed(ctx, row, r.Act, now); err != nil {
		return Draft{}, err
	}
	d := Draft{SealID: row.ID, CreatedAt: now, ExpiresAt: now.Add(DraftLife), State: DraftPrepared, Act: r.Act}
	binary.BigEndian.PutUint16(d.ID[:2], r.Cell)
	if _, err := io.ReadFull(s.rand, d.ID[2:]); err != nil {
		return Draft{}, fmt.Errorf("seal: draft number: %w", err)
	}
	if d.TBS, err = marshalTBS(row.DER, at, r.DataHash, r.PropertyInfo); err != nil {
		return Draft{}, err
	}
	if d.Digest, err = gm.SignatureDigest(key, d.TBS); err != nil {
		return Draft{}, err
	}
	if err := s.store.InsertDraft(ctx, d); err != nil {
		return Draft{}, err
	}
	return d, nil
}

// allowed asks the seal's own policy.
func (s *Service) allowed(ctx context.Context, row Row, act Act, now time.Time) error {
	if len(row.Limits.Matters) > 0 && !slices.Contains(row.Limits.Matters, act.Matter) {
		return fault.New(fault.Forbidden, "seal_matter", "the seal is not for this matter")
	}
	if row.Limits.PerDay > 0 {
		n, err := s.store.CountDrafts(ctx, row.Cell, row.ID, now.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		if n >= row.Limits.PerDay {
			return fault.New(fault.TooMany, "seal_daily_limit", "the seal has been used as often as it may be in a day")
		}
	}
	return nil
}

// Sealed is a finished seal signature.
type Sealed struct {
	Value    []byte // SES_Signature, DER: SignedValue.dat
	Seal     []byte // SESeal, DER: Seal.esl
	SignedAt time.Time
}

// Apply redeems a draft, once, and signs. A failure after that burns the draft: prepare a new one.
func (s *Service) Apply(ctx context.Context, id DraftID) (Sealed, error) {
	d, err := s.store.RedeemDraft(ctx, id, s.now().UTC())
	if err != nil {
		return Sealed{}, err
	}
	out, err := s.apply(ctx, d)
	state := DraftApplied
	if err != nil {
		state = DraftFailed
	}
	// The caller may have gone; the record is made all the same.
	finish := s.store.FinishDraft(context.WithoutCancel(ctx), id, state, s.now().UTC())
	if err := errors.Join(err, finish); err != nil {
		return Sealed{}, err
	}
	return out, nil
}

func (s *Service) apply(ctx context.Context, d Draft) (Sealed, error) {
	row, err := s.store.Seal(ctx, d.ID.Cell(), d.SealID)
	if err != nil {
		return Sealed{}, err
	}
	if row.State != StateActive { // suspended between the two steps
		return Sealed{}, fault.New(fault.Conflict, "seal_not_active", "the seal is not in use")
	}
	signer, err := s.keys.SealKey(ctx, row.KeyRef)
	if err != nil {
		return Sealed{}, err
	}
	_, key, err := certified(row.SignerCert, signer)
	if err != nil {
		return Sealed{}, err
	}
	e, err := gm.SignatureDigest(key, d.TBS)
	if err != nil {
		return Sealed{}, err
	}
	if e != d.Digest {
		return Sealed{}, errors.New("seal: the stored draft was altered")
	}
	sig, err := signer.SignDigest(ctx, e)
	if err != nil {
		return Sealed{}, err
	}
	value, err := marshalSigned(d.TBS, row.SignerCert, sig)
	if err != nil {
		return Sealed{}, err
	}
	return s.verified(value, d, row)
}

// verified judges our own output as a stranger would. Only what a stranger needs from outside may be unknown.
func (s *Service) verified(value []byte, d Draft, row Row) (Sealed, error) {
	parsed, err := ParseSignature(value)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal: own signature: %w", err)
	}
	if !bytes.Equal(parsed.RawTBS, d.TBS) || !bytes.Equal(parsed.RawSeal, row.DER) {
		return Sealed{}, errors.New("seal: own signature holds other bytes than were prepared")
	}
	judged := JudgeSignature(SignatureInput{Value: value, SealFile: row.DER, Evidence: Evidence{At: s.now().UTC()}})
	for _, c := range judged.Checks {
		if c.Result == verdict.Fail {
			return Sealed{}, fault.Wrap(fmt.Errorf("seal: own signature: %s", c.Code), fault.Unavailable, "seal_output",
				"the signature that was made does not verify")
		}
	}
	return Sealed{Value: value, Seal: row.DER, SignedAt: parsed.SignedAt}, nil
}
