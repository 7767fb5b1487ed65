package ledger

import (
	"bytes"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// wireEntry is the union of all entries as a CBOR map with integer keys; docs/formats.md lists which keys stand in which
// type. Key 0 is the version of the format.
type wireEntry struct {
	Version   uint64 `cbor:"0,keyasint"`
	Type      uint64 `cbor:"1,keyasint"`
	Time      int64  `cbor:"2,keyasint"` // milliseconds since 1970-01-01T00:00:00Z
	Issuer    string `cbor:"3,keyasint,omitempty"`
	Kind      string `cbor:"4,keyasint,omitempty"`
	Ref       []byte `cbor:"5,keyasint,omitempty"`
	Commit    []byte `cbor:"6,keyasint,omitempty"`
	Previous  []byte `cbor:"7,keyasint,omitempty"`
	Status    string `cbor:"8,keyasint,omitempty"`
	Effective int64  `cbor:"9,keyasint,omitempty"`
	Reason    string `cbor:"10,keyasint,omitempty"`
	Subject   string `cbor:"11,keyasint,omitempty"`
	Digest    []byte `cbor:"12,keyasint,omitempty"`
	Number    uint64 `cbor:"13,keyasint,omitempty"` // DigestEntry.Version
}

var (
	encoding = func() cbor.EncMode {
		m, err := cbor.CoreDetEncOptions().EncMode()
		if err != nil {
			panic(err)
		}
		return m
	}()
	decoding = func() cbor.DecMode {
		m, err := cbor.DecOptions{
			DupMapKey:         cbor.DupMapKeyEnforcedAPF,
			IndefLength:       cbor.IndefLengthForbidden,
			TagsMd:            cbor.TagsForbidden,
			ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
			UTF8:              cbor.UTF8RejectInvalid,
			MaxNestedLevels:   4,
			MaxMapPairs:       16,
			MaxArrayElements:  16,
		}.DecMode()
		if err != nil {
			panic(err)
		}
		return m
	}()
)

// ParseEntry reads an entry strictly: known version, known type, exactly the fields of the type, and no other bytes than
// Marshal would write, so that one fact cannot stand in the log in two spellings.
func ParseEntry(b []byte) (Entry, error) {
	if len(b) == 0 || len(b) > MaxEntry {
		return nil, badEntry("an entry has 1 to 4096 bytes")
	}
	var w wireEntry
	if err := decoding.Unmarshal(b, &w); err != nil {
		return nil, badEntry("the entry is not the CBOR map of a ledger entry")
	}
	if w.Version != EntryVersion {
		return nil, badEntry("the entry has an unknown version")
	}
	if w.Type > 255 {
		return nil, badEntry("the entry has an unknown type")
	}
	e, err := w.entry()
	if err != nil {
		return nil, err
	}
	again, err := e.Marshal()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, b) {
		return nil, badEntry("the entry is not in its canonical form")
	}
	return e, nil
}

// entry takes what the type has and leaves the rest: a field too many shows when the bytes are compared.
func (w *wireEntry) entry() (Entry, error) {
	switch t := Type(w.Type); {
	case t >= TypeIssue && t <= TypeCorrect:
		e := Issue{Type: t, Time: fromMillis(w.Time), Issuer: w.Issuer, Kind: w.Kind}
		if !fill(&e.Ref, w.Ref) || !fill(&e.Commit, w.Commit) {
			return nil, badEntry("ref and commit have 32 bytes")
		}
		if w.Previous != nil {
			e.Previous = new(Hash)
			if !fill(e.Previous, w.Previous) {
				return nil, badEntry("the previous ref has 32 bytes")
			}
		}
		return e, nil
	case t == TypeStatus:
		e := StatusChange{Time: fromMillis(w.Time), Status: w.Status, Effective: fromMillis(w.Effective), Reason: w.Reason}
		if !fill(&e.Ref, w.Ref) {
			return nil, badEntry("ref has 32 bytes")
		}
		return e, nil
	case t >= TypeStatusListEpoch && t <= TypeAccessLogRoot:
		e := DigestEntry{Type: t, Time: fromMillis(w.Time), Subject: w.Subject, Version: w.Number}
		if !fill(&e.Digest, w.Digest) {
			return nil, badEntry("a digest has 32 bytes")
		}
		return e, nil
	}
	return nil, badEntry("the entry has an unknown type")
}

// Marshal gives the entry's bytes.
func (e Issue) Marshal() ([]byte, error) {
	switch {
	case e.Type < TypeIssue || e.Type > TypeCorrect:
		return nil, badEntry("an issue entry has one of the four issue types")
	case !validTime(e.Time):
		return nil, badEntry("the time is out of range")
	case !validCode(e.Issuer, 64) || !validCode(e.Kind, 64):
		return nil, badEntry("issuer and kind are codes of 1 to 64 characters")
	case e.Ref == Hash{} || e.Commit == Hash{}:
		return nil, badEntry("ref and commit are not zero")
	case e.Type == TypeIssue && e.Previous != nil:
		return nil, badEntry("a first issue has no previous ref")
	case e.Previous != nil && (*e.Previous == Hash{} || *e.Previous == e.Ref):
		return nil, badEntry("the previous ref is another license's")
	}
	w := wireEntry{
		Version: EntryVersion, Type: uint64(e.Type), Time: e.Time.UnixMilli(),
		Issuer: e.Issuer, Kind: e.Kind, Ref: e.Ref[:], Commit: e.Commit[:],
	}
	if e.Previous != nil {
		w.Previous = e.Previous[:]
	}
	return encoding.Marshal(w)
}

// Marshal gives the entry's bytes.
func (e StatusChange) Marshal() ([]byte, error) {
	switch {
	case !validTime(e.Time) || !validTime(e.Effective):
		return nil, badEntry("the time is out of range")
	case e.Ref == Hash{}:
		return nil, badEntry("ref is not zero")
	case !validCode(e.Status, 64) || !validCode(e.Reason, 64):
		return nil, badEntry("status and reason class are codes of 1 to 64 characters")
	}
	return encoding.Marshal(wireEntry{
		Version: EntryVersion, Type: uint64(TypeStatus), Time: e.Time.UnixMilli(), Ref: e.Ref[:],
		Status: e.Status, Effective: e.Effective.UnixMilli(), Reason: e.Reason,
	})
}

// Marshal gives the entry's bytes.
func (e DigestEntry) Marshal() ([]byte, error) {
	switch {
	case e.Type < TypeStatusListEpoch || e.Type > TypeAccessLogRoot:
		return nil, badEntry("a digest entry has one of the digest types")
	case !validTime(e.Time):
		return nil, badEntry("the time is out of range")
	case !validCode(e.Subject, 128):
		return nil, badEntry("the subject is a code of 1 to 128 characters")
	case e.Digest == Hash{} || e.Version == 0:
		return nil, badEntry("digest and version are not zero")
	}
	return encoding.Marshal(wireEntry{
		Version: EntryVersion, Type: uint64(e.Type), Time: e.Time.UnixMilli(),
		Subject: e.Subject, Digest: e.Digest[:], Number: e.Version,
	})
}

func badEntry(message string) error { return malformed("ledger_entry_malformed", message) }

func fill(h *Hash, b []byte) bool { return copy(h[:], b) == len(h) && len(b) == len(h) }

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// validTime keeps times between 1970 and 9999 and therefore their encoding unsigned and at most nine bytes.
func validTime(t time.Time) bool {
	const year10000 = 253402300800000
	ms := t.UnixMilli()
	return ms > 0 && ms < year10000
}

// validCode keeps free text, and with it names, out of the log: codes are ASCII without spaces.
func validCode(s string, limit int) bool {
	if len(s) == 0 || len(s) > limit {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
			c != '.' && c != '_' && c != ':' && c != '/' && c != '-' {
			return false
		}
	}
	return true
}
