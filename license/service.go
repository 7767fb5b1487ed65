package license

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Config is what a Service is made of. Only Included, SelfCheck and Policy may be missing.
type Config struct {
	Catalogue *Catalogue
	Offices   Offices
	Store     Store
	Vault     Vault
	Files     Files
	Sealer    Sealer
	Drawer    Drawer
	Static    StaticSigner
	Status    StatusSigner
	Encoder   EntryEncoder
	Included  Inclusion
	// SelfCheck judges a finished file as a stranger's verifier would; what it refuses is never stored.
	SelfCheck func(ctx context.Context, file []byte) error
	Now       func() time.Time
	Rand      io.Reader
	BaseURL   string // of the official verifier, "https://host": codes begin with it
	Policy    Policy
}

// Service issues, ends, shows and checks licenses.
type Service struct {
	Config
}

// NewService checks that nothing is missing.
func NewService(c Config) (*Service, error) {
	missing := ""
	for name, absent := range map[string]bool{
		"catalogue": c.Catalogue == nil, "offices": c.Offices == nil, "store": c.Store == nil, "vault": c.Vault == nil,
		"files": c.Files == nil, "sealer": c.Sealer == nil, "drawer": c.Drawer == nil, "static signer": c.Static == nil,
		"status signer": c.Status == nil, "entry encoder": c.Encoder == nil, "clock": c.Now == nil, "randomness": c.Rand == nil,
	} {
		if absent {
			missing = name
		}
	}
	if missing != "" {
		return nil, fault.New(fault.Internal, "license_config", "the license service was made without its "+missing)
	}
	base := strings.ToUpper(c.BaseURL)
	if !strings.HasPrefix(base, "HTTP://") && !strings.HasPrefix(base, "HTTPS://") || strings.Trim(base, alphanumeric) != "" || len(base) > 80 {
		return nil, fault.New(fault.Invalid, "license_config", "the base URL must be http or https, at most 80 characters of letters, digits, and . - : /")
	}
	var err error
	if c.Policy, err = c.Policy.complete(); err != nil {
		return nil, err
	}
	return &Service{c}, nil
}

// alphanumeric is what a QR code holds in alphanumeric mode and a URL allows.
const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:/"

// Kinds lists the newest version of every kind.
func (s *Service) Kinds(context.Context) ([]Kind, error) { return s.Catalogue.Kinds(), nil }

// KindsOf lists the newest versions of the kinds that an office issues.
func (s *Service) KindsOf(_ context.Context, uscc string) ([]Kind, error) {
	office, err := s.office(uscc)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(s.Catalogue.Kinds(), func(k Kind) bool { return !office.Issues(k.Code) }), nil
}

// China is the zone of printed dates (UTC+8, without daylight saving time).
func China() *time.Location { return time.FixedZone("CST", 8*60*60) }

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

func today(now time.Time) string { return now.In(China()).Format(time.DateOnly) }

// newID draws an ID in a cell.
func (s *Service) newID(cell uint16) (ID, error) {
	var id ID
	id[0], id[1] = byte(cell>>8), byte(cell)
	return id, s.random(id[2:])
}

func (s *Service) random(b []byte) error {
	if _, err := io.ReadFull(s.Rand, b); err != nil {
		return fault.Wrap(err, fault.Internal, "randomness", "no randomness is to be had")
	}
	return nil
}

// sealedBody is the part of a license that is sealed in its row.
type sealedBody struct {
	BusinessNo string            `json:"business_no"`
	Fields     map[string]string `json:"fields"`
	Act        Act               `json:"act"` // of the request, for the sealing worker
}

// bodyPlace binds a license's sealed body to its row and to every column that decides what will be sealed: a row in which
// somebody altered the office, the kind, the identifier or the dates does not open, so it is never drawn or shown.
func bodyPlace(r Row) []byte {
	out := append([]byte("license.sealed\x00"), r.ID[:]...)
	for _, column := range []string{
		r.Kind, strconv.Itoa(r.KindVersion), r.Office, strconv.Itoa(r.Version), r.Identifier, r.IssueDate, r.ValidFrom, r.ValidTo, r.Grade,
	} {
		out = append(append(out, 0), column...)
	}
	return out
}

func staticPlace(id ID) []byte { return append([]byte("license.static\x00"), id[:]...) }
func filePlace(id ID) []byte   { return append([]byte("license.file\x00"), id[:]...) }
func photoPlace(id ID) []byte  { return append([]byte("license.photo\x00"), id[:]...) }

func holderPlace(id ID, n int) []byte {
	return append(append([]byte("license_holder.sealed\x00"), id[:]...), byte(n>>8), byte(n))
}

func devicePlace(id ID, holder []byte) []byte {
	return append(append([]byte("wallet_device.sealed\x00"), id[:]...), holder...)
}

// holderIndex is the blind index of a holder: HMAC-SM3 of type and code under the province's blind key.
func holderIndex(ctx context.Context, blind Secret, h Holder) ([]byte, error) {
	d, err := blind.MAC(ctx, []byte("holder\x00"+h.Type+"\x00"+h.Code))
	return d[:], err
}

// open opens a stored license, its holders included.
func (s *Service) open(ctx context.Context, r Row) (License, sealedBody, error) {
	secret, err := s.Vault.Cell(ctx, r.ID.Cell())
	if err != nil {
		return License{}, sealedBody{}, err
	}
	k, err := s.Catalogue.Version(r.Kind, r.KindVersion)
	if err != nil {
		return License{}, sealedBody{}, err
	}
	plain, err := secret.Open(ctx, r.Sealed, bodyPlace(r))
	if err != nil {
		return License{}, sealedBody{}, err
	}
	var body sealedBody
	if err := json.Unmarshal(plain, &body); err != nil {
		return License{}, sealedBody{}, fault.Wrap(err, fault.Internal, "license_row", "a stored license cannot be read")
	}
	l := License{
		ID: r.ID, Identifier: r.Identifier, Kind: r.Kind, KindName: k.Name, KindVersion: r.KindVersion,
		Office: r.Office, OfficeName: s.officeName(r.Office), BusinessNo: body.BusinessNo, Version: r.Version, State: r.State,
		ValidFrom: r.ValidFrom, ValidTo: r.ValidTo, AcceptedAt: r.AcceptedAt, IssuedAt: r.IssuedAt,
		EndedAt: r.EndedAt, EndReason: r.EndReason, StatusList: r.StatusList, StatusIndex: r.StatusIndex,
		DocumentDigest: r.DocumentDigest, LedgerState: r.LedgerState,
	}
	if l.LedgerState == "" {
		l.LedgerState = "none"
	}
	for _, f := range k.Fields {
		if v, ok := body.Fields[f.Code]; ok {
			l.Fields = append(l.Fields, Field{Code: f.Code, Name: f.Name, Value: v})
		}
	}
	l.Holders = make([]Holder, len(r.Holders))
	for i, h := range r.Holders {
		plain, err := secret.Open(ctx, h.Sealed, holderPlace(r.ID, i))
		if err != nil {
			return License{}, sealedBody{}, err
		}
		if err := json.Unmarshal(plain, &l.Holders[i]); err != nil {
			return License{}, sealedBody{}, fault.Wrap(err, fault.Internal, "license_row", "a stored holder cannot be read")
		}
	}
	return l, body, nil
}

func (s *Service) officeName(uscc string) string {
	if o, ok := s.Offices.Office(uscc); ok {
		return o.Name
	}
	return uscc
}

// office finds an issuing office.
func (s *Service) office(uscc string) (Office, error) {
	o, ok := s.Offices.Office(uscc)
	if !ok {
		return Office{}, fault.New(fault.NotFound, "office_unknown", "there is no such issuing office").
			WithHint("use the office's unified social credit code")
	}
	return o, nil
}

// mayAct refuses an act without an actor, or of another office than the one whose business it is.
func mayAct(a Act, office string) error {
	if a.Actor == "" {
		return fault.New(fault.Unauthenticated, "actor_missing", "the act does not say who acts")
	}
	if a.Office != office {
		return fault.New(fault.Forbidden, "not_issuing_office", "only the issuing office may do this")
	}
	return nil
}

// DirectoryEntry is a message to the province's directory: one license with all who hold it. Nothing in it is personal.
type DirectoryEntry struct {
	License   ID                `json:"license"`
	Kind      string            `json:"kind"`
	Office    string            `json:"office"`
	State     State             `json:"state"`
	ValidFrom string            `json:"valid_from"`
	ValidTo   string            `json:"valid_to,omitempty"`
	Grade     string            `json:"grade,omitempty"`
	Revision  int64             `json:"revision"`
	UpdatedAt time.Time         `json:"updated_at"`
	Holders   []DirectoryHolder `json:"holders"`
}

// DirectoryHolder is a holder by blind index.
type DirectoryHolder struct {
	Index []byte `json:"index"`
	Role  string `json:"role"`
}

// directoryEntry is the message for a row that has, or is about to have, a state and revision.
func directoryEntry(r Row, state State, revision int64, at time.Time) ([]byte, error) {
	e := DirectoryEntry{
		License: r.ID, Kind: r.Kind, Office: r.Office, State: state, ValidFrom: r.ValidFrom, ValidTo: r.ValidTo,
		Grade: r.Grade, Revision: revision, UpdatedAt: at,
	}
	for _, h := range r.Holders {
		e.Holders = append(e.Holders, DirectoryHolder{h.Index, h.Role})
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "directory_entry", "a directory entry cannot be written")
	}
	return b, nil
}

// roleOf tells whether any of the indexes is on the license, and in which role.
func roleOf(r Row, indexes [][]byte) (role string, index []byte, ok bool) {
	for _, h := range r.Holders {
		if slices.ContainsFunc(indexes, func(i []byte) bool { return slices.Equal(i, h.Index) }) {
			return h.Role, h.Index, true
		}
	}
	return "", nil, false
}
