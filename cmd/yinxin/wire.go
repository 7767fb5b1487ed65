package main

import (
	"context"
	"errors"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/sample"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/seal"
)

// The parts do not know one another; what follows hands each what it asked for.

// offices is the table of organisations (机构目录) that every process holds.
type offices map[string]license.Office

func (o offices) Office(uscc string) (license.Office, bool) {
	found, ok := o[uscc]
	return found, ok
}

// vault finds data keys by the place that they protect.
type vault struct{ keys hsm.Provider }

func (v vault) Cell(ctx context.Context, cell uint16) (license.Secret, error) {
	return v.keys.Secret(ctx, secretCell(cell))
}

func (v vault) Blind(ctx context.Context) (license.Secret, error) {
	return v.keys.Secret(ctx, secretBlind)
}

// profiles seals accounts under the province's data key and indexes logins under the blind key.
type profiles struct{ data, blind hsm.Secret }

func (p profiles) Seal(ctx context.Context, plain, aad []byte) ([]byte, error) {
	return p.data.Seal(ctx, plain, aad)
}

func (p profiles) Open(ctx context.Context, sealed, aad []byte) ([]byte, error) {
	return p.data.Open(ctx, sealed, aad)
}

func (p profiles) MAC(ctx context.Context, data []byte) ([32]byte, error) {
	return p.blind.MAC(ctx, data)
}

// signers signs static codes and status evidence with the province's keys for them.
type signers struct{ static, status hsm.Key }

func (s signers) StaticKey(context.Context, string) (*gm.PublicKey, error) { return ownSM2(s.static) }

// StaticKeys is the one key that the province has signed static codes with since it began.
func (s signers) StaticKeys(context.Context) ([]*gm.PublicKey, error) {
	pub, err := ownSM2(s.static)
	return []*gm.PublicKey{pub}, err
}

func (s signers) SignStatic(ctx context.Context, _ string, e [32]byte) ([]byte, error) {
	return s.static.SignDigest(ctx, e)
}

func (s signers) StatusKey(context.Context) (*gm.PublicKey, error) { return ownSM2(s.status) }

func (s signers) SignStatus(ctx context.Context, e [32]byte) ([]byte, error) {
	return s.status.SignDigest(ctx, e)
}

func ownSM2(k hsm.Key) (*gm.PublicKey, error) {
	if pub := sm2Of(k); pub != nil {
		return pub, nil
	}
	return nil, fault.New(fault.Internal, "key_kind", "the key "+string(k.Ref())+" is no SM2 key")
}

// sealing lets licenses be sealed by their offices' seals.
type sealing struct {
	offices  offices
	registry seal.Registry
	service  *seal.Service
}

// of finds the seal in use of an office.
func (s sealing) of(ctx context.Context, uscc string) (seal.Row, *seal.Seal, error) {
	office, ok := s.offices[uscc]
	if !ok {
		return seal.Row{}, nil, fault.New(fault.NotFound, "office_unknown", "there is no such issuing office")
	}
	rows, err := s.registry.Seals(ctx, office.Cell, uscc)
	if err != nil {
		return seal.Row{}, nil, err
	}
	for _, row := range rows {
		if row.State != seal.StateActive {
			continue
		}
		parsed, err := seal.ParseSeal(row.DER)
		return row, parsed, err
	}
	return seal.Row{}, nil, fault.New(fault.Unavailable, "seal_missing", "the office has no seal in use").
		WithHint("licenses wait as accepted until the office's seal is active again")
}

func (s sealing) SealFor(ctx context.Context, office string) (license.SealInfo, error) {
	row, parsed, err := s.of(ctx, office)
	if err != nil {
		return license.SealInfo{}, err
	}
	return license.SealInfo{
		SealDER: row.DER, WidthMM: float64(parsed.Picture.Width), HeightMM: float64(parsed.Picture.Height),
		Provider: "Yinxin", Version: "1.0", Company: sample.ProvinceName,
	}, nil
}

func (s sealing) Seal(ctx context.Context, req license.SealRequest) ([]byte, error) {
	row, _, err := s.of(ctx, req.Office)
	if err != nil {
		return nil, err
	}
	if len(req.DataHash) != 32 {
		return nil, fault.New(fault.Internal, "data_hash", "a digest to be sealed has 32 bytes")
	}
	reason := req.Act.Reason
	if reason == "" {
		reason = "issue"
	}
	draft, err := s.service.Prepare(ctx, seal.Request{
		Cell: row.Cell, SealID: row.ID, DataHash: [32]byte(req.DataHash), PropertyInfo: req.PropertyInfo,
		Act: seal.Act{
			Actor: req.Act.Actor, OnBehalfOf: req.Act.OnBehalfOf, Office: req.Act.Office, Matter: req.Act.Matter,
			CaseNo: req.Act.CaseNo, Reason: reason, LegalBasis: req.Act.LegalBasis,
		},
	})
	if err != nil {
		return nil, err
	}
	sealed, err := s.service.Apply(ctx, draft.ID)
	if err != nil {
		return nil, err
	}
	return sealed.Value, nil
}

// encoder writes ledger entries.
type encoder struct{}

func (encoder) EncodeIssue(f license.IssueFact) ([]byte, [32]byte, error) {
	e := ledger.Issue{Type: ledger.TypeIssue, Time: f.At, Issuer: f.Issuer, Kind: f.Kind, Ref: f.Ref, Commit: f.Commit}
	if f.Previous != nil {
		previous := ledger.Hash(*f.Previous)
		e.Type, e.Previous = ledger.TypeSupersede, &previous
	}
	return encode(e)
}

func (encoder) EncodeStatus(f license.StatusFact) ([]byte, [32]byte, error) {
	return encode(ledger.StatusChange{Time: f.At, Ref: f.Ref, Status: string(f.Status), Effective: f.Effective, Reason: f.Reason})
}

func encode(e ledger.Entry) ([]byte, [32]byte, error) {
	b, err := e.Marshal()
	if err != nil {
		return nil, [32]byte{}, err
	}
	return b, ledger.LeafHash(b), nil
}

// log answers what licenses and pages ask of the ledger.
type log struct {
	engine   ledger.Engine
	licenses *license.Service
}

// Included tells whether a checkpoint that the witnesses cosigned covers the entry.
func (l log) Included(ctx context.Context, leaf [32]byte) (bool, error) {
	index, err := l.engine.Index(ctx, leaf)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return false, nil
		}
		return false, err
	}
	cp, err := l.engine.Checkpoint(ctx)
	return err == nil && index < cp.Size, err
}

// Proof makes the proof file of a license, with its status as of now.
func (l log) Proof(ctx context.Context, id license.ID) ([]byte, error) {
	o, err := l.licenses.Opening(ctx, id)
	if err != nil {
		return nil, err
	}
	return l.withStatus(ctx, id, o, o.IssueLeaf)
}

// Evidence is the proof of a license without its status.
func (l log) Evidence(ctx context.Context, id license.ID) ([]byte, error) {
	o, err := l.licenses.Opening(ctx, id)
	if err != nil {
		return nil, err
	}
	p, err := l.prove(ctx, o, o.IssueLeaf)
	if err != nil {
		return nil, err
	}
	return p.Marshal()
}

// withStatus is a proof with the license's signed status as of now.
func (l log) withStatus(ctx context.Context, id license.ID, o license.Opening, leaf ledger.Hash) ([]byte, error) {
	p, err := l.prove(ctx, o, leaf)
	if err != nil {
		return nil, err
	}
	status, err := l.licenses.StatusEvidence(ctx, id)
	if err != nil {
		return nil, err
	}
	if p.Status, err = status.Marshal(); err != nil {
		return nil, err
	}
	return p.Marshal()
}

// prove gathers the evidence for one entry of a license.
func (l log) prove(ctx context.Context, o license.Opening, leaf ledger.Hash) (*ledger.Proof, error) {
	evidence, err := ledger.Prove(ctx, l.engine, leaf)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return nil, fault.Wrap(err, fault.Conflict, "proof_pending", "the ledger has not published the license's entry yet").
				WithHint("try again in a few seconds")
		}
		return nil, err
	}
	return &ledger.Proof{
		Opening:  ledger.Opening{Ref: o.Ref, Salt: o.Salt, DocumentDigest: o.DocumentDigest, FaceDigest: o.FaceDigest},
		Evidence: evidence,
	}, nil
}

// StatusProof proves that the latest change of a license's status stands in the log. Its opening is the license's, so that
// the entry's ref can be matched; only the issue's entry commits to a document.
func (l log) StatusProof(ctx context.Context, id license.ID) ([]byte, error) {
	o, err := l.licenses.Opening(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(o.EndLeaf) != 32 {
		return nil, fault.New(fault.NotFound, "status_unchanged", "the license's status has not changed since it was issued")
	}
	return l.withStatus(ctx, id, o, ledger.Hash(o.EndLeaf))
}

// Checkpoint is the latest that the witnesses cosigned.
func (l log) Checkpoint(ctx context.Context) ([]byte, error) {
	cp, err := l.engine.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	if len(cp.Text) == 0 {
		return nil, errors.New("the ledger gave an empty checkpoint")
	}
	return cp.Text, nil
}
