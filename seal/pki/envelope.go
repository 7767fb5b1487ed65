package pki

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// Format names the envelope of a signed trust list.
const Format = "yinxin-trust/1"

// DigestSigner is an SM2 key that signs digests: an hsm.Key, or a key in memory in tests.
type DigestSigner interface {
	Public() crypto.PublicKey
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

// envelope is the file. The signature is SM2 with SM3 and the default user ID over the bytes of list.
type envelope struct {
	Format    string `json:"format"`
	List      []byte `json:"list"`
	Key       []byte `json:"key"`
	Signature []byte `json:"signature"`
}

// SignedList is a trust list whose signature holds under the key it names. Whether that key is the province's is for
// CheckRollback, which remembers the first key it saw.
type SignedList struct {
	List   *List
	Digest gm.Digest // SM3 of the canonical list
	Key    []byte    // 65 bytes, uncompressed point
}

// SignList writes the signed file of a list.
func SignList(ctx context.Context, l *List, key DigestSigner) ([]byte, error) {
	body, err := l.Marshal()
	if err != nil {
		return nil, err
	}
	pub, ok := key.Public().(*gm.PublicKey)
	if !ok {
		return nil, fault.New(fault.Invalid, "trust_list_key", "a trust list is signed with an SM2 key")
	}
	e, err := gm.SignatureDigest(pub, body)
	if err != nil {
		return nil, err
	}
	sig, err := key.SignDigest(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("pki: sign the trust list: %w", err)
	}
	out, err := json.Marshal(envelope{Format, body, gm.MarshalPublicKey(pub), sig})
	if err != nil {
		return nil, fmt.Errorf("pki: envelope: %w", err)
	}
	if _, err := OpenList(out); err != nil {
		return nil, fmt.Errorf("pki: the list does not open again: %w", err)
	}
	return out, nil
}

// OpenList reads a signed file strictly and checks its signature. The error's code is trust_list_invalid; a verifier
// reports it as TRUST_LIST_INVALID. One trailing newline is allowed.
func OpenList(file []byte) (*SignedList, error) {
	bad := func(err error) error {
		return fault.Wrap(err, fault.Invalid, "trust_list_invalid", "the trust list is malformed or its signature does not verify")
	}
	if len(file) > 2*maxList {
		return nil, fault.New(fault.TooLarge, "trust_list_too_large", "a trust list is at most 32 MiB")
	}
	var e envelope
	if err := decodeStrict(bytes.TrimSuffix(file, []byte("\n")), &e); err != nil {
		return nil, bad(err)
	}
	if e.Format != Format {
		return nil, bad(fmt.Errorf("unknown format"))
	}
	pub, err := gm.ParsePublicKey(e.Key)
	if err != nil {
		return nil, bad(err)
	}
	if !gm.Verify(pub, e.List, e.Signature) {
		return nil, bad(fmt.Errorf("the signature does not verify"))
	}
	l, err := ParseList(e.List)
	if err != nil {
		return nil, bad(err)
	}
	return &SignedList{List: l, Digest: gm.SM3(e.List), Key: e.Key}, nil
}

// CheckCurrent says whether the list is within its dates at a time.
func (s *SignedList) CheckCurrent(at time.Time) verdict.Check {
	if at.After(s.List.NextUpdate) {
		return verdict.Note("trust.current", verdict.TrustListExpired, "",
			"next update was due "+s.List.NextUpdate.Format(time.RFC3339))
	}
	return verdict.OK("trust.current", "")
}

// State is what a verifier remembers about the trust list between runs.
type State struct {
	Version uint64 `json:"version"`
	Digest  []byte `json:"digest"` // SM3 of the highest version's canonical list
	Key     []byte `json:"key"`    // of the first list seen: trust on first use
}

// MarshalState is the remembered state as a small JSON file.
func MarshalState(s State) ([]byte, error) {
	out, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("pki: state: %w", err)
	}
	return append(out, '\n'), nil
}

// ParseState reads what MarshalState wrote, strictly. Empty input is the state of a verifier that has seen nothing.
func ParseState(data []byte) (State, error) {
	var s State
	if len(data) == 0 {
		return s, nil
	}
	if len(data) > 4096 || decodeStrict(bytes.TrimSuffix(data, []byte("\n")), &s) != nil ||
		s.Version == 0 || len(s.Digest) != 32 || len(s.Key) != 65 {
		return State{}, fault.New(fault.Invalid, "trust_state_malformed", "the remembered trust state is malformed").
			WithHint("restore the file or, if you know why it changed, remove it")
	}
	return s, nil
}

// CheckRollback compares a list with what is remembered and gives the state to remember next, which is the old one unless
// the check passed. Another signing key than the first one seen is TRUST_LIST_INVALID; a lower version, or the same version
// with another content, is TRUST_LIST_ROLLED_BACK.
func CheckRollback(state State, s *SignedList) (State, verdict.Check) {
	const name = "trust.rollback"
	next := State{Version: s.List.Version, Digest: s.Digest[:], Key: s.Key}
	switch {
	case state.Version == 0:
		return next, verdict.Check{Name: name, Result: verdict.Pass, Detail: "first list seen; its key is remembered"}
	case !bytes.Equal(state.Key, s.Key):
		return state, verdict.Note(name, verdict.TrustListInvalid, "", "the list is signed by another key than before")
	case s.List.Version < state.Version:
		return state, verdict.Note(name, verdict.TrustListRolledBack, "",
			fmt.Sprintf("version %d after version %d", s.List.Version, state.Version))
	case s.List.Version == state.Version && !bytes.Equal(state.Digest, s.Digest[:]):
		return state, verdict.Note(name, verdict.TrustListRolledBack, "",
			fmt.Sprintf("version %d exists with two contents", s.List.Version))
	}
	return next, verdict.OK(name, "")
}
