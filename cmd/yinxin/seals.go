package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/sample"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// makeSeals gives every sample office a seal in use, through every step of a seal's life (电子印章管理办法: 申请, 审核, 制作,
// 备案, 启用). Offices that have one keep it; a step that an earlier start did not reach is taken now.
func makeSeals(ctx context.Context, registry seal.Registry, keys hsm.Provider, a *authorities, font []byte) error {
	maker, err := keys.Key(ctx, keySealMaker)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.NumCPU())
	for i, office := range sample.Offices() {
		group.Go(func() error { return makeSeal(ctx, registry, keys, a, maker, font, i+1, office) })
	}
	return group.Wait()
}

func makeSeal(ctx context.Context, registry seal.Registry, keys hsm.Provider, a *authorities, maker hsm.Key, font []byte, serial int, office sample.Office) error {
	rows, err := registry.Seals(ctx, office.Cell, office.Code)
	if err != nil {
		return err
	}
	act := seal.Act{Actor: "demo", Office: office.Code, Reason: "sample_province"}
	now := time.Now().UTC()
	id := sealCode(office, serial)
	ref := keySeal(office.Code)
	if len(rows) == 0 {
		row := seal.Row{ID: id, Cell: office.Cell, Office: office.Code, Name: office.Name, State: seal.StateRequested, Since: now, KeyRef: string(ref), CreatedAt: now}
		if err := registry.InsertSeal(ctx, row, act); err != nil {
			return err
		}
		rows = []seal.Row{row}
	}
	row := rows[0]
	steps := map[seal.State]seal.State{
		seal.StateRequested: seal.StateApproved, seal.StateApproved: seal.StateMade,
		seal.StateMade: seal.StateFiled, seal.StateFiled: seal.StateActive,
	}
	for {
		next, ok := steps[row.State]
		if !ok {
			return nil // in use, or taken out of use by somebody: theirs to decide
		}
		var made *seal.Made
		if next == seal.StateMade {
			if made, err = certifyAndMake(ctx, keys, a, maker, font, id, ref, office, now); err != nil {
				return err
			}
		}
		if err := registry.ChangeSeal(ctx, office.Cell, row.ID, row.State, next, made, act, time.Now().UTC()); err != nil {
			return err
		}
		row.State = next
	}
}

// certifyAndMake certifies the office's key and makes its seal.
func certifyAndMake(ctx context.Context, keys hsm.Provider, a *authorities, maker hsm.Key, font []byte, id string, ref hsm.Ref, office sample.Office, now time.Time) (*seal.Made, error) {
	key, err := keys.Key(ctx, ref)
	if err != nil {
		return nil, err
	}
	pub, err := ownSM2(key)
	if err != nil {
		return nil, err
	}
	cert, err := a.issuing.IssueSigning(ctx, pki.Subject{
		CommonName: id, Organization: office.Name, Province: sample.ProvinceName, SerialNumber: office.Code,
	}, pub, 5*year)
	if err != nil {
		return nil, err
	}
	picture, err := seal.DrawPicture(office.Name, id, font)
	if err != nil {
		return nil, err
	}
	read, err := pki.Read(cert)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "seal_certificate", "a seal's new certificate cannot be read")
	}
	start := now.Truncate(time.Second)
	// A seal ends no later than its certificate (国办发〔2025〕33号).
	der, err := seal.Make(ctx, seal.Info{
		ID: id, Vendor: "YINXIN", Type: 1, Name: office.Name, Signers: [][]byte{cert},
		CreatedAt: start, ValidStart: start, ValidEnd: read.NotAfter, Picture: picture,
	}, a.maker, maker)
	if err != nil {
		return nil, err
	}
	return &seal.Made{DER: der, SignerCert: cert, MakerCert: a.maker, KeyRef: string(ref)}, nil
}

// sealCode is a seal's code as government platforms write it: six digits of region and eight of serial.
func sealCode(o sample.Office, serial int) string {
	return fmt.Sprintf("%06d%08d", 990000+int(o.Cell)*100, serial)
}
