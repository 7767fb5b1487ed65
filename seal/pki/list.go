package pki

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// List is the trust list (信任列表): whom a verifier believes, published by the province and signed as a whole. Its
// canonical form is Go's JSON of this struct: members in the order below, no white space, bytes as base64, no escaping of
// HTML; nothing else parses, so equal lists have equal digests.
type List struct {
	Version       uint64       `json:"version"` // grows by at least one with each publication
	IssuedAt      time.Time    `json:"issued_at"`
	NextUpdate    time.Time    `json:"next_update"` // after this the list is out of date
	Anchors       []ListAnchor `json:"anchors"`
	Intermediates [][]byte     `json:"intermediates"` // DER certificates
	Ledger        LedgerTrust  `json:"ledger"`
	Issuers       []Issuer     `json:"issuers"`
	Hosts         []string     `json:"hosts"` // official hosts of codes, lower case, no port unless it is part of the address
	Policies      Policies     `json:"policies"`
}

// ListAnchor is an authority as the list writes it.
type ListAnchor struct {
	Name        string `json:"name"`
	Certificate []byte `json:"certificate"`
	Roles       []Role `json:"roles"`
}

// LedgerTrust says which log is the province's and who watches it.
type LedgerTrust struct {
	Origin    string     `json:"origin"`
	LogKeys   []NamedKey `json:"log_keys"`
	Witnesses []NamedKey `json:"witnesses"`
	Quorum    int        `json:"quorum"` // how many witnesses must have cosigned
}

// NamedKey is an SM2 key with the name that signatures give it.
type NamedKey struct {
	Name string `json:"name"`
	Key  []byte `json:"key"` // 65 bytes, uncompressed point
}

// Purpose is what an issuer's key signs.
type Purpose string

// The purposes of issuer keys.
const (
	PurposeStaticCode Purpose = "static_code"
	PurposeStatusList Purpose = "status_list"
	PurposeLicense    Purpose = "license"
)

// Issuer is a key of an organisation that signs codes or status lists.
type Issuer struct {
	KeyID        string    `json:"key_id"`       // 8 bytes, hex
	Key          []byte    `json:"key"`          // 65 bytes, uncompressed point
	Organisation string    `json:"organisation"` // USCC (统一社会信用代码)
	Name         string    `json:"name"`
	Cell         uint16    `json:"cell"`
	Purposes     []Purpose `json:"purposes"`
	NotBefore    time.Time `json:"not_before"`
	NotAfter     time.Time `json:"not_after"`
}

// Policies are the decisions that the standards leave to whoever runs the verification. Durations are whole seconds.
type Policies struct {
	StatusMaxAge       Seconds  `json:"status_max_age"`            // older status evidence cannot decide
	ClockSkewWarn      Seconds  `json:"clock_skew_warn"`           // a larger difference of clocks is said
	ClockSkewRefuse    Seconds  `json:"clock_skew_refuse"`         // a larger difference refuses dynamic codes
	AcceptExpiredMaker bool     `json:"accept_expired_maker"`      // a seal maker's certificate may have ended after it made the seal
	RequireSealStamp   bool     `json:"require_seal_stamp"`        // V5 seals must carry a time stamp
	RefuseUnknownExts  bool     `json:"refuse_unknown_extensions"` // an unknown critical extension in a seal is fatal
	LaterSigners       [][]byte `json:"later_signers"`             // SM2 points that may sign the open set of a license after its issuer
}

// Seconds is a duration in whole seconds.
type Seconds int64

// Duration is the same as Go's type.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// DefaultPolicies are what holds where no list says otherwise.
func DefaultPolicies() Policies {
	return Policies{
		StatusMaxAge: 24 * 3600, ClockSkewWarn: 30, ClockSkewRefuse: 300, AcceptExpiredMaker: true,
		LaterSigners: [][]byte{},
	}
}

// Limits of a list.
const (
	maxList     = 16 << 20 // bytes of canonical JSON
	maxAnchors  = 1024
	maxIssuers  = 65536
	maxHosts    = 1024
	maxKeys     = 256
	maxNameText = 200
)

// Marshal is the list's canonical form. It refuses a list that ParseList would refuse.
func (l *List) Marshal() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(l); err != nil {
		return nil, fmt.Errorf("pki: list: %w", err)
	}
	out := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if _, err := ParseList(out); err != nil {
		return nil, err
	}
	return out, nil
}

// ParseList reads a canonical list strictly: unknown, repeated, missing or reordered members, white space and values out
// of bounds are refused.
func ParseList(data []byte) (*List, error) {
	bad := func(err error) error {
		return fault.Wrap(err, fault.Invalid, "trust_list_malformed", "the trust list is malformed")
	}
	if len(data) > maxList {
		return nil, fault.New(fault.TooLarge, "trust_list_too_large", "a trust list is at most 16 MiB")
	}
	var l List
	if err := decodeStrict(data, &l); err != nil {
		return nil, bad(err)
	}
	if err := l.check(); err != nil {
		return nil, bad(err)
	}
	return &l, nil
}

// decodeStrict decodes one JSON value and refuses anything that is not byte for byte its canonical form.
func decodeStrict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(into); err != nil {
		return err
	}
	if !bytes.Equal(bytes.TrimSuffix(b.Bytes(), []byte("\n")), data) {
		return fmt.Errorf("not in canonical form")
	}
	return nil
}

var keyID = regexp.MustCompile(`^[0-9a-f]{16}$`)

func (l *List) check() error {
	switch {
	case l.Version == 0:
		return fmt.Errorf("version starts at 1")
	case !wholeUTC(l.IssuedAt) || !wholeUTC(l.NextUpdate) || !l.NextUpdate.After(l.IssuedAt):
		return fmt.Errorf("issued_at and next_update are whole seconds of UTC, in this order")
	case l.Anchors == nil || l.Intermediates == nil || l.Issuers == nil || l.Hosts == nil ||
		l.Ledger.LogKeys == nil || l.Ledger.Witnesses == nil || l.Policies.LaterSigners == nil:
		return fmt.Errorf("a list of the list is null")
	case len(l.Anchors) > maxAnchors || len(l.Intermediates) > maxAnchors || len(l.Issuers) > maxIssuers ||
		len(l.Hosts) > maxHosts || len(l.Policies.LaterSigners) > maxIssuers:
		return fmt.Errorf("too many entries")
	case l.Policies.StatusMaxAge < 0 || l.Policies.ClockSkewWarn < 0 || l.Policies.ClockSkewRefuse < 0:
		return fmt.Errorf("a policy is negative")
	}
	for i, a := range l.Anchors {
		if err := checkText(a.Name); err != nil {
			return fmt.Errorf("anchor %d: %w", i, err)
		}
		if len(a.Roles) == 0 {
			return fmt.Errorf("anchor %d has no role", i)
		}
		for _, r := range a.Roles {
			if r != RoleSealMaker && r != RoleSealSigner && r != RoleTSA {
				return fmt.Errorf("anchor %d: unknown role", i)
			}
		}
	}
	for _, keys := range [][]NamedKey{l.Ledger.LogKeys, l.Ledger.Witnesses} {
		if len(keys) > maxKeys {
			return fmt.Errorf("too many ledger keys")
		}
		for i, k := range keys {
			if err := checkText(k.Name); err != nil {
				return fmt.Errorf("ledger key %d: %w", i, err)
			}
			if _, err := gm.ParsePublicKey(k.Key); err != nil {
				return fmt.Errorf("ledger key %d: %w", i, err)
			}
		}
	}
	if l.Ledger.Quorum < 0 || l.Ledger.Quorum > len(l.Ledger.Witnesses) || len(l.Ledger.Origin) > maxNameText {
		return fmt.Errorf("the ledger's quorum or origin is out of bounds")
	}
	for i := range l.Issuers {
		if err := l.Issuers[i].check(); err != nil {
			return fmt.Errorf("issuer %d: %w", i, err)
		}
	}
	for i, h := range l.Hosts {
		if err := checkText(h); err != nil {
			return fmt.Errorf("host %d: %w", i, err)
		}
	}
	for i, k := range l.Policies.LaterSigners {
		if _, err := gm.ParsePublicKey(k); err != nil {
			return fmt.Errorf("later signer %d: %w", i, err)
		}
	}
	return nil
}

func (i *Issuer) check() error {
	if !keyID.MatchString(i.KeyID) {
		return fmt.Errorf("key_id is 16 hex digits")
	}
	if _, err := gm.ParsePublicKey(i.Key); err != nil {
		return err
	}
	if len(i.Organisation) != 18 {
		return fmt.Errorf("organisation is a code of 18 characters")
	}
	if err := checkText(i.Name); err != nil {
		return err
	}
	if !wholeUTC(i.NotBefore) || !wholeUTC(i.NotAfter) || i.NotAfter.Before(i.NotBefore) {
		return fmt.Errorf("not_before and not_after are whole seconds of UTC, in this order")
	}
	if len(i.Purposes) == 0 {
		return fmt.Errorf("no purpose")
	}
	for _, p := range i.Purposes {
		if p != PurposeStaticCode && p != PurposeStatusList && p != PurposeLicense {
			return fmt.Errorf("unknown purpose")
		}
	}
	return nil
}

func checkText(s string) error {
	if s == "" || len(s) > maxNameText {
		return fmt.Errorf("a name has 1 to %d bytes", maxNameText)
	}
	return nil
}

func wholeUTC(t time.Time) bool {
	_, offset := t.Zone()
	return offset == 0 && t.Nanosecond() == 0 && !t.IsZero()
}

// Trust prepares the list for judging; it refuses certificates that cannot be read.
func (l *List) Trust() (*Trust, error) {
	t := &Trust{list: l}
	for i, a := range l.Anchors {
		c, err := Read(a.Certificate)
		if err != nil || c.PublicKey == nil {
			return nil, fault.Wrap(fmt.Errorf("anchor %d: %v", i, err), fault.Invalid, "trust_list_malformed",
				"a certificate of the trust list cannot be read")
		}
		t.anchors = append(t.anchors, &Anchor{Name: a.Name, Certificate: c, Roles: a.Roles})
	}
	for i, der := range l.Intermediates {
		c, err := Read(der)
		if err != nil || c.PublicKey == nil {
			return nil, fault.Wrap(fmt.Errorf("intermediate %d: %v", i, err), fault.Invalid, "trust_list_malformed",
				"a certificate of the trust list cannot be read")
		}
		t.intermediates = append(t.intermediates, c)
	}
	t.verifyOnce()
	return t, nil
}

// Issuer finds an issuer by key ID for a purpose, as of a time; ok is false when there is none.
func (l *List) Issuer(id string, p Purpose, at time.Time) (Issuer, bool) {
	for _, i := range l.Issuers {
		if i.KeyID != id || at.Before(i.NotBefore) || at.After(i.NotAfter) {
			continue
		}
		for _, have := range i.Purposes {
			if have == p {
				return i, true
			}
		}
	}
	return Issuer{}, false
}
