package license

import (
	"context"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// MaxList bounds every list.
const MaxList = 500

// Get opens one license from its cell.
func (s *Service) Get(ctx context.Context, id ID) (License, error) {
	r, err := s.Store.License(ctx, id)
	if err != nil {
		return License{}, err
	}
	l, _, err := s.open(ctx, r)
	if err != nil {
		return License{}, err
	}
	_ = s.included(ctx, r, &l) // a ledger that is away leaves the promise
	return l, nil
}

// included raises a promise to "included" where a checkpoint covers the latest entry.
func (s *Service) included(ctx context.Context, r Row, l *License) error {
	if s.Included == nil || l.LedgerState != "promised" {
		return nil
	}
	leaf := r.IssueLeaf
	if len(r.EndLeaf) > 0 {
		leaf = r.EndLeaf
	}
	if len(leaf) != 32 {
		return fault.New(fault.Internal, "license_row", "a stored license has a ledger entry without a name")
	}
	in, err := s.Included.Included(ctx, [32]byte(leaf))
	if err == nil && in {
		l.LedgerState = "included"
	}
	return err
}

// ListByOffice lists an office's licenses, newest first.
func (s *Service) ListByOffice(ctx context.Context, office string, max int) ([]License, error) {
	o, err := s.office(office)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.ByOffice(ctx, o.Cell, office, bound(max))
	if err != nil {
		return nil, err
	}
	out := make([]License, 0, len(rows))
	away := false
	for _, r := range rows {
		l, _, err := s.open(ctx, r)
		if err != nil {
			return nil, err
		}
		if !away { // a ledger that is away is asked once, not for every row
			away = s.included(ctx, r, &l) != nil
		}
		out = append(out, l)
	}
	return out, nil
}

// File is the sealed OFD of a license.
func (s *Service) File(ctx context.Context, id ID) ([]byte, error) {
	r, err := s.Store.License(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(r.FileBlob) == 0 {
		return nil, sealingPending()
	}
	secret, err := s.Vault.Cell(ctx, id.Cell())
	if err != nil {
		return nil, err
	}
	return s.getFile(ctx, secret, r.FileBlob, r.FileKey, filePlace(id))
}

// StaticCode is the URL printed on a license.
func (s *Service) StaticCode(ctx context.Context, id ID) (string, error) {
	r, err := s.Store.License(ctx, id)
	if err != nil {
		return "", err
	}
	code, err := s.staticRecord(ctx, r)
	if err != nil {
		return "", err
	}
	return code.URL(s.BaseURL)
}

// Opening is what a ledger proof of a license needs (ledger.md: proof file).
type Opening struct {
	Ref            [32]byte
	Salt           [32]byte
	DocumentDigest [32]byte
	FaceDigest     [32]byte
	IssueLeaf      [32]byte // of the issue's entry
	EndLeaf        []byte   // of the latest status change's entry; empty: none
}

// Opening gives what opens the license's commitment in the ledger; Conflict "sealing_pending" until issued.
func (s *Service) Opening(ctx context.Context, id ID) (Opening, error) {
	r, err := s.Store.License(ctx, id)
	if err != nil {
		return Opening{}, err
	}
	if len(r.IssueLeaf) == 0 {
		return Opening{}, sealingPending()
	}
	if len(r.Ref) != 32 || len(r.Salt) != 32 {
		return Opening{}, fault.New(fault.NotFound, "link_destroyed", "the link between this license and the ledger was destroyed on request")
	}
	return Opening{
		Ref: [32]byte(r.Ref), Salt: [32]byte(r.Salt), DocumentDigest: [32]byte(r.DocumentDigest), FaceDigest: [32]byte(r.FaceDigest),
		IssueLeaf: [32]byte(r.IssueLeaf), EndLeaf: r.EndLeaf,
	}, nil
}

// StatusEvidence is the signed status of a license as of now.
func (s *Service) StatusEvidence(ctx context.Context, id ID) (StatusEvidence, error) {
	r, err := s.Store.License(ctx, id)
	if err != nil {
		return StatusEvidence{}, err
	}
	pub, err := s.Status.StatusKey(ctx)
	if err != nil {
		return StatusEvidence{}, err
	}
	now := s.now().Truncate(time.Second)
	e := StatusEvidence{List: r.StatusList, Index: r.StatusIndex, Value: StatusValue(r.State), IssuedAt: now, NextUpdate: now.Add(StatusLife)}
	return e, e.Sign(ctx, pub, s.Status.SignStatus)
}

// StatusLists names the lists that a cell has opened.
func (s *Service) StatusLists(ctx context.Context, cell uint16) ([]uint32, error) {
	return s.Store.Lists(ctx, cell)
}

// StatusList is a whole list as of now, signed.
func (s *Service) StatusList(ctx context.Context, list uint32) (StatusSnapshot, error) {
	now := s.now().Truncate(time.Second)
	slots, err := s.Store.NotIssued(ctx, list)
	if err != nil {
		return StatusSnapshot{}, err
	}
	bits := NewStatusBits(StatusListSize)
	for _, v := range slots {
		if v.Index < StatusListSize {
			bits.Set(v.Index, StatusValue(v.State))
		}
	}
	packed, err := bits.Compress()
	if err != nil {
		return StatusSnapshot{}, err
	}
	pub, err := s.Status.StatusKey(ctx)
	if err != nil {
		return StatusSnapshot{}, err
	}
	snapshot := StatusSnapshot{List: list, IssuedAt: now, NextUpdate: now.Add(StatusLife), Bits: packed}
	return snapshot, snapshot.Sign(ctx, pub, s.Status.SignStatus)
}

func bound(max int) int {
	if max < 1 || max > MaxList {
		return MaxList
	}
	return max
}
