package license

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Show mints a dynamic code (亮证) for a license of one of the viewer's holders, under the device key of a test wallet that
// the service keeps. The code of a license that has ended can be shown too: the verifier hears what became of it.
func (s *Service) Show(ctx context.Context, req ShowRequest) (Shown, error) {
	if req.Act.Actor == "" {
		return Shown{}, fault.New(fault.Unauthenticated, "actor_missing", "the act does not say who acts")
	}
	if utf8.RuneCountInString(req.Purpose) > 100 || !plainText(req.Purpose, false) {
		return Shown{}, fault.New(fault.Invalid, "purpose_invalid", "a purpose has at most 100 characters")
	}
	r, err := s.Store.License(ctx, req.License)
	if err != nil {
		return Shown{}, err
	}
	holder, err := s.holderOn(ctx, r, req.Viewer)
	if err != nil {
		return Shown{}, err
	}
	l, _, err := s.open(ctx, r)
	if err != nil {
		return Shown{}, err
	}
	k, err := s.Catalogue.Version(r.Kind, r.KindVersion)
	if err != nil {
		return Shown{}, err
	}
	mask := req.Mask & k.AllMask()
	if mask == 0 {
		mask = k.DefaultMask()
	}
	now := s.now()
	h := HandleRow{Holder: holder, MintedAt: now, ExpiresAt: now.Add(HandleLife), License: r}
	if h.Handle, err = s.newHandle(r.ID.Cell(), now); err != nil {
		return Shown{}, err
	}
	key, err := s.mint(ctx, h, mask, k, req)
	if err != nil {
		return Shown{}, err
	}
	code := NewDynamic(key, h.Handle, now, mask)
	return Shown{
		Code: code.URL(s.BaseURL), Handle: h.Handle.String(), ExpiresAt: code.At.Add(s.Policy.CodeLife), Fields: disclosed(l, k, mask),
	}, nil
}

// holderOn gives the blind index of the viewer's holder that is on the license. To anybody else the license does not exist.
func (s *Service) holderOn(ctx context.Context, r Row, viewer []Holder) ([]byte, error) {
	if len(viewer) > 100 {
		return nil, fault.New(fault.TooLarge, "viewer_too_many", "too many identities at once")
	}
	blind, err := s.Vault.Blind(ctx)
	if err != nil {
		return nil, err
	}
	indexes := make([][]byte, len(viewer))
	for i, v := range viewer {
		if indexes[i], err = holderIndex(ctx, blind, v.Normal()); err != nil {
			return nil, err
		}
	}
	if _, index, ok := roleOf(r, indexes); ok {
		return index, nil
	}
	return nil, fault.New(fault.NotFound, "license_unknown", "there is no such license in this wallet")
}

// mint stores the handle and gives the device key.
func (s *Service) mint(ctx context.Context, h HandleRow, mask uint32, k Kind, req ShowRequest) ([]byte, error) {
	id := h.License.ID
	secret, err := s.Vault.Cell(ctx, id.Cell())
	if err != nil {
		return nil, err
	}
	fresh := make([]byte, 32)
	if err := s.random(fresh); err != nil {
		return nil, err
	}
	sealed, err := secret.Seal(ctx, fresh, devicePlace(id, h.Holder))
	if err != nil {
		return nil, err
	}
	act := req.Act
	if act.Reason == "" {
		act.Reason = req.Purpose
	}
	kept, err := s.Store.Mint(ctx, h, sealed, Record{
		At: h.MintedAt, Act: ActShown, By: ActorHolder, Who: act, Fields: fieldCodes(k, mask),
	})
	if err != nil {
		return nil, err
	}
	return secret.Open(ctx, kept, devicePlace(id, h.Holder))
}

func (s *Service) newHandle(cell uint16, now time.Time) (Handle, error) {
	day := dayOf(now)
	h := Handle{byte(cell >> 8), byte(cell), byte(day >> 8), byte(day)}
	return h, s.random(h[4:])
}

func disclosed(l License, k Kind, mask uint32) []Field {
	var out []Field
	for i, spec := range k.Fields {
		if mask&(1<<i) == 0 {
			continue
		}
		for _, f := range l.Fields {
			if f.Code == spec.Code {
				out = append(out, f)
			}
		}
	}
	return out
}

func fieldCodes(k Kind, mask uint32) []string {
	var out []string
	for i, spec := range k.Fields {
		if mask&(1<<i) != 0 {
			out = append(out, spec.Code)
		}
	}
	return out
}
