package license

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// statusCandidates is how many random status indices go with a request: when all of them are taken the list is so full that
// the next one is opened.
const statusCandidates = 8

// Issue accepts a request: from its return the license exists, and its seal follows when the device has made it. The same
// request again gives the same license; the same numbers with other content are a Conflict "business_number_conflict".
func (s *Service) Issue(ctx context.Context, req IssueRequest) (License, error) {
	req, k, err := s.Catalogue.Check(req)
	if err != nil {
		return License{}, err
	}
	if err := mayAct(req.Act, req.Office); err != nil {
		return License{}, err
	}
	office, err := s.office(req.Office)
	if err != nil {
		return License{}, err
	}
	if !office.Issues(req.Kind) {
		return License{}, fault.New(fault.Forbidden, "kind_not_of_office", "this office does not issue licenses of this kind").
			WithHint("each kind has its issuers; the catalogue's administrator names them")
	}
	blind, err := s.Vault.Blind(ctx)
	if err != nil {
		return License{}, err
	}
	key := NumberKey{Office: req.Office, Kind: req.Kind, Version: req.Version}
	number, err := blind.MAC(ctx, numberText(req))
	if err != nil {
		return License{}, err
	}
	key.Number = number[:]
	content, err := blind.MAC(ctx, contentText(req))
	if err != nil {
		return License{}, err
	}
	row, err := s.acceptRow(ctx, req, k, office, blind)
	if err != nil {
		return License{}, err
	}
	row.Number, row.Content = number[:], content[:]
	// What cannot be printed is told now, to the officer, and not later to a worker.
	if err := s.fits(req, k, row.Row); err != nil {
		s.dropPhoto(ctx, row.Row, nil)
		return License{}, err
	}

	if err := s.mayFollow(ctx, office.Cell, key); err != nil {
		s.dropPhoto(ctx, row.Row, nil)
		return License{}, err
	}
	accepted, err := s.Store.Accept(ctx, office.Cell, row)
	if fault.CodeOf(err) == "commit_unknown" {
		// Read back by the idempotency key; what stands there decides.
		read, readErr := s.Store.ByNumber(ctx, office.Cell, key)
		switch {
		case readErr != nil:
			err = errors.Join(err, readErr)
		case read != nil:
			accepted.Taken, err = read, nil
		}
	}
	if err != nil {
		s.dropPhoto(ctx, row.Row, err)
		return License{}, err
	}
	taken := accepted.Taken
	if taken == nil {
		row.Row.StatusList, row.Row.StatusIndex = accepted.List, accepted.Index
		l, _, err := s.open(ctx, row.Row)
		return l, err
	}
	if taken.License != row.Row.ID {
		s.dropPhoto(ctx, row.Row, nil)
	}
	if string(taken.Content) != string(content[:]) {
		return License{}, fault.New(fault.Conflict, "business_number_conflict",
			"this office has issued this kind under the same number with other content").
			WithHint("a correction is a new version of the license")
	}
	return s.Get(ctx, taken.License)
}

// fits lays the license out without drawing it.
func (s *Service) fits(req IssueRequest, k Kind, r Row) error {
	l := License{
		ID: r.ID, Identifier: r.Identifier, Kind: k.Code, KindName: k.Name, Office: req.Office, OfficeName: s.officeName(req.Office),
		BusinessNo: req.BusinessNo, Version: req.Version, Holders: req.Holders, ValidFrom: r.ValidFrom, ValidTo: r.ValidTo,
	}
	for _, f := range k.Fields {
		if v, ok := req.Fields[f.Code]; ok {
			l.Fields = append(l.Fields, Field{Code: f.Code, Name: f.Name, Value: v})
		}
	}
	return s.Drawer.Fits(DrawInput{License: l, Kind: k, Face: FaceOf(l, k, r.IssueDate), Photo: req.Photo, IssueDate: r.IssueDate})
}

// mayFollow refuses a version whose predecessor is unknown or still in force: two versions are never in force together.
func (s *Service) mayFollow(ctx context.Context, cell uint16, key NumberKey) error {
	if key.Version == 1 {
		return nil
	}
	key.Version--
	before, err := s.Store.ByNumber(ctx, cell, key)
	if err != nil {
		return err
	}
	if before == nil {
		return fault.New(fault.Conflict, "previous_version_unknown", "the version before this one was never issued").
			WithHint("versions follow one another from 1 on")
	}
	r, err := s.Store.License(ctx, before.License)
	if err != nil {
		return err
	}
	if !r.State.Ended() {
		return fault.New(fault.Conflict, "previous_version_in_force", "the version before this one has not ended").
			WithHint("end it first")
	}
	return nil
}

// dropPhoto removes the photo of a request that certainly was not accepted.
func (s *Service) dropPhoto(ctx context.Context, r Row, cause error) {
	if len(r.PhotoBlob) == 0 || fault.CodeOf(cause) == "commit_unknown" {
		return
	}
	// What cannot be removed is sealed under a key that no row holds; the audit of the store finds it.
	_ = s.Files.Delete(context.WithoutCancel(ctx), gm.Digest(r.PhotoBlob))
}

func (s *Service) acceptRow(ctx context.Context, req IssueRequest, k Kind, office Office, blind Secret) (AcceptRow, error) {
	now := s.now()
	from, to, err := term(k, req, today(now))
	if err != nil {
		return AcceptRow{}, err
	}
	secret, err := s.Vault.Cell(ctx, office.Cell)
	if err != nil {
		return AcceptRow{}, err
	}
	id, err := s.newID(office.Cell)
	if err != nil {
		return AcceptRow{}, err
	}
	serial, err := serialOf(ctx, blind, req)
	if err != nil {
		return AcceptRow{}, err
	}
	r := Row{
		ID: id, Kind: k.Code, KindVersion: k.Version, Office: req.Office, Version: req.Version, State: Accepted, Revision: 1,
		Identifier: Identifier{Kind: k.Code, Office: req.Office, Serial: serial, Version: req.Version}.String(),
		AcceptedAt: now, IssueDate: today(now), ValidFrom: from, ValidTo: to, LedgerState: "none",
	}
	plain, err := json.Marshal(sealedBody{BusinessNo: req.BusinessNo, Fields: req.Fields, Act: req.Act})
	if err != nil {
		return AcceptRow{}, fault.Wrap(err, fault.Internal, "license_row", "a license cannot be written")
	}
	if r.Sealed, err = secret.Seal(ctx, plain, bodyPlace(r)); err != nil {
		return AcceptRow{}, err
	}
	if r.Holders, err = sealHolders(ctx, secret, blind, id, req.Holders); err != nil {
		return AcceptRow{}, err
	}
	if len(req.Photo) > 0 {
		if r.PhotoBlob, r.PhotoKey, err = s.putFile(ctx, secret, req.Photo, photoPlace(id)); err != nil {
			return AcceptRow{}, err
		}
	}
	directory, err := directoryEntry(r, Accepted, r.Revision, now)
	if err != nil {
		return AcceptRow{}, err
	}
	a := AcceptRow{
		Row: r, Out: Outgoing{Directory: directory},
		Record: Record{At: now, Act: ActAccepted, By: ActorOfficer, Who: req.Act, State: Accepted},
	}
	a.Candidates, err = s.candidates()
	return a, err
}

// candidates are random places in a status list, so that an index says nothing about when a license was issued.
func (s *Service) candidates() ([]uint32, error) {
	var b [4 * statusCandidates]byte
	if err := s.random(b[:]); err != nil {
		return nil, err
	}
	out := make([]uint32, 0, statusCandidates)
	for i := range statusCandidates {
		out = append(out, binary.BigEndian.Uint32(b[4*i:])%StatusListSize)
	}
	return out, nil
}

func sealHolders(ctx context.Context, secret, blind Secret, id ID, holders []Holder) ([]HolderRow, error) {
	out := make([]HolderRow, len(holders))
	for i, h := range holders {
		plain, err := json.Marshal(h)
		if err != nil {
			return nil, fault.Wrap(err, fault.Internal, "license_row", "a holder cannot be written")
		}
		out[i].Role = h.Role
		if out[i].Sealed, err = secret.Seal(ctx, plain, holderPlace(id, i)); err != nil {
			return nil, err
		}
		if out[i].Index, err = holderIndex(ctx, blind, h); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// putFile seals a file under a key of its own, wrapped by the cell's data key, and stores it.
func (s *Service) putFile(ctx context.Context, secret Secret, plain, place []byte) (name, wrapped []byte, err error) {
	var key [16]byte
	if err := s.random(key[:]); err != nil {
		return nil, nil, err
	}
	sealed, err := gm.SealBytes(s.Rand, key[:], plain, place)
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Internal, "file_seal", "a file cannot be sealed")
	}
	if wrapped, err = secret.Seal(ctx, key[:], append([]byte("key\x00"), place...)); err != nil {
		return nil, nil, err
	}
	d, err := s.Files.Put(ctx, sealed)
	return d[:], wrapped, err
}

// getFile undoes putFile.
func (s *Service) getFile(ctx context.Context, secret Secret, name, wrapped, place []byte) ([]byte, error) {
	key, err := secret.Open(ctx, wrapped, append([]byte("key\x00"), place...))
	if err != nil {
		return nil, err
	}
	if len(name) != len(gm.Digest{}) {
		return nil, fault.New(fault.Internal, "license_row", "the name of a stored file is wrong")
	}
	sealed, err := s.Files.Get(ctx, gm.Digest(name))
	if err != nil {
		return nil, err
	}
	plain, err := gm.OpenBytes(key, sealed, place)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "file_damaged", "the stored file is damaged")
	}
	return plain, nil
}

// numberText is what the blind index of a business number is computed over.
func numberText(req IssueRequest) []byte {
	b := cborArray(nil, 4)
	b = cborText(b, "license number")
	b = cborText(b, req.Office)
	b = cborText(b, req.Kind)
	return cborText(b, req.BusinessNo)
}

// serialOf is the serial of the identifier (流水号): 20 characters that all versions of a license share, and that tell nothing
// to whoever lacks the key.
func serialOf(ctx context.Context, blind Secret, req IssueRequest) (string, error) {
	d, err := blind.MAC(ctx, append([]byte("license serial\x00"), numberText(req)...))
	if err != nil {
		return "", err
	}
	return idText().EncodeToString(d[:])[:20], nil
}

// contentText is what makes two requests the same: everything but who asks and why.
func contentText(req IssueRequest) []byte {
	b := cborArray(nil, 8)
	b = cborText(b, "license content")
	b = append(b, numberText(req)...)
	b = cborUint(b, uint64(req.Version))
	b = cborArray(b, len(req.Holders))
	for _, h := range req.Holders {
		b = cborArray(b, 5)
		for _, v := range []string{h.Type, h.Code, h.Name, h.Role, h.Part} {
			b = cborText(b, v)
		}
	}
	b = cborTextMap(b, req.Fields)
	b = cborText(b, req.ValidFrom)
	b = cborText(b, req.ValidTo)
	d := gm.SM3(req.Photo)
	return cborBytes(b, d[:])
}
