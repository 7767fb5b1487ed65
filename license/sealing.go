package license

import (
	"context"
	"errors"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// SealLease is for how long a sealing worker has a license to itself. A worker that is killed leaves it to another after
// that.
const SealLease = 30 * time.Second

// sealBackoff is the pause after a failed attempt: one second, doubled up to two minutes. Nothing ever fails a license.
func sealBackoff(attempts int) time.Duration {
	return min(time.Second<<min(attempts-1, 10), 2*time.Minute)
}

// SealPending draws, seals and issues at most max accepted licenses of a cell whose time has come. It gives how many were
// issued, and what went wrong with the others; those are tried again later.
func (s *Service) SealPending(ctx context.Context, cell uint16, max int) (done int, err error) {
	claims, err := s.Store.Claim(ctx, cell, s.now(), SealLease, max)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, c := range claims {
		err := ctx.Err()
		if err == nil {
			err = s.sealOne(ctx, c)
		}
		if err == nil {
			done++
			continue
		}
		if fault.CodeOf(err) == "commit_unknown" {
			errs = append(errs, err) // issued or not: the lease ends, and the queue knows
			continue
		}
		until := s.now().Add(sealBackoff(c.Attempts))
		if ctx.Err() != nil {
			until = s.now() // we stop; somebody else may go on at once
		}
		errs = append(errs, err, s.Store.Postpone(context.WithoutCancel(ctx), c.Row.ID, until, fault.CodeOf(err)))
	}
	return done, errors.Join(errs...)
}

// sealOne seals and issues one license. Whatever happens before the last statement leaves at most a sealed file that no row
// names; the last statement is the whole act.
func (s *Service) sealOne(ctx context.Context, c Claim) error {
	r := c.Row
	l, body, err := s.open(ctx, r)
	if err != nil {
		return err
	}
	k, err := s.Catalogue.Version(r.Kind, r.KindVersion)
	if err != nil {
		return err
	}
	secret, err := s.Vault.Cell(ctx, r.ID.Cell())
	if err != nil {
		return err
	}
	now := s.now()
	file, static, face, digest, err := s.drawAndSeal(ctx, secret, r, l, k, body.Act, now)
	if err != nil {
		return err
	}
	i := IssuedRow{Row: r, Record: Record{At: now, Act: ActIssued, By: ActorService, Who: body.Act, State: Issued}}
	i.Row.IssuedAt, i.Row.State = now, Issued
	if i.Row.FileBlob, i.Row.FileKey, err = s.putFile(ctx, secret, file, filePlace(r.ID)); err != nil {
		return err
	}
	if i.Row.StaticSealed, err = secret.Seal(ctx, static, staticPlace(r.ID)); err != nil {
		return err
	}
	fact := IssueFact{At: now, Issuer: r.Office, Kind: r.Kind}
	var salt [32]byte
	if err := errors.Join(s.random(fact.Ref[:]), s.random(salt[:])); err != nil {
		return err
	}
	fact.Commit = gm.SM3(salt[:], digest, face[:])
	entry, leaf, err := s.Encoder.EncodeIssue(fact)
	if err != nil {
		return err
	}
	i.Row.Ref, i.Row.Salt, i.Row.IssueLeaf = fact.Ref[:], salt[:], leaf[:]
	i.Row.DocumentDigest, i.Row.FaceDigest = digest, face[:]
	i.Out = Outgoing{Entry: entry, Leaf: leaf[:]}
	if i.Out.Directory, err = directoryEntry(r, Issued, r.Revision+1, now); err != nil {
		return err
	}
	issued, err := s.Store.Issue(ctx, i)
	if err != nil {
		return err
	}
	if !issued {
		// Another worker was faster, after our lease had ended; its file is the license's, ours is nobody's.
		return s.Files.Delete(ctx, gm.Digest(i.Row.FileBlob))
	}
	return nil
}

// drawAndSeal makes the finished file with its static code's record and digests.
func (s *Service) drawAndSeal(ctx context.Context, secret Secret, r Row, l License, k Kind, act Act, now time.Time) (file, static []byte, face [32]byte, digest []byte, err error) {
	var photo []byte
	if len(r.PhotoBlob) > 0 {
		if photo, err = s.getFile(ctx, secret, r.PhotoBlob, r.PhotoKey, photoPlace(r.ID)); err != nil {
			return nil, nil, face, nil, err
		}
	}
	seal, err := s.Sealer.SealFor(ctx, r.Office)
	if err != nil {
		return nil, nil, face, nil, err
	}
	printed := FaceOf(l, k, r.IssueDate)
	code := Static{
		License: r.ID, Kind: k.Number, IssueDate: r.IssueDate, ExpiryDate: r.ValidTo, List: r.StatusList, Index: r.StatusIndex,
	}
	if r.Grade != "" {
		code.Grade = r.Grade[0]
	}
	if err := s.random(code.Salt[:]); err != nil {
		return nil, nil, face, nil, err
	}
	code.Face = printed.Digest(code.Salt)
	pub, err := s.Static.StaticKey(ctx, r.Office)
	if err != nil {
		return nil, nil, face, nil, err
	}
	if err := code.Sign(ctx, pub, func(ctx context.Context, e [32]byte) ([]byte, error) {
		return s.Static.SignStatic(ctx, r.Office, e)
	}); err != nil {
		return nil, nil, face, nil, err
	}
	url, err := code.URL(s.BaseURL)
	if err != nil {
		return nil, nil, face, nil, err
	}
	unsigned, err := s.Drawer.Draw(DrawInput{
		License: l, Kind: k, Face: printed, Metadata: MetadataOf(l, k, printed, url), Photo: photo, Static: url,
		IssueDate: r.IssueDate, Seal: seal, SignedAt: now.Truncate(time.Second),
	})
	if err != nil {
		return nil, nil, face, nil, err
	}
	value, err := s.Sealer.Seal(ctx, SealRequest{
		Office: r.Office, License: r.ID, DataHash: unsigned.DataHash(), PropertyInfo: unsigned.PropertyInfo(),
		At: now.Truncate(time.Second), Act: act,
	})
	if err != nil {
		return nil, nil, face, nil, err
	}
	if file, err = unsigned.Finish(value); err != nil {
		return nil, nil, face, nil, err
	}
	if s.SelfCheck != nil {
		if err := s.SelfCheck(ctx, file); err != nil {
			return nil, nil, face, nil, fault.Wrap(err, fault.Internal, "self_check", "the finished file does not pass our own verifier")
		}
	}
	static, err = code.Payload()
	return file, static, code.Face, unsigned.DataHash(), err
}

// RunSealing seals a cell's licenses until ctx ends. It looks when wake says so and at least every interval; report hears
// of each round that did or failed something.
func (s *Service) RunSealing(ctx context.Context, cell uint16, wake <-chan struct{}, interval time.Duration, report func(done int, err error)) {
	const batch = 16
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-timer.C:
		}
		for {
			done, err := s.SealPending(ctx, cell, batch)
			if done > 0 || err != nil {
				report(done, err)
			}
			if done < batch || ctx.Err() != nil {
				break
			}
		}
		timer.Reset(interval)
	}
}

// staticRecord opens the record of a license's static code.
func (s *Service) staticRecord(ctx context.Context, r Row) (Static, error) {
	if len(r.StaticSealed) == 0 {
		return Static{}, sealingPending()
	}
	secret, err := s.Vault.Cell(ctx, r.ID.Cell())
	if err != nil {
		return Static{}, err
	}
	b, err := secret.Open(ctx, r.StaticSealed, staticPlace(r.ID))
	if err != nil {
		return Static{}, err
	}
	return ParseStatic(b)
}

func sealingPending() error {
	return fault.New(fault.Conflict, "sealing_pending", "the license is accepted and waits for its seal").
		WithHint("try again in a moment")
}
