package verify

import (
	"bytes"
	"encoding/hex"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// Trust is whom a verifier believes: the zero value believes nobody. Make it with OpenTrust.
type Trust struct {
	pki    *pki.Trust
	ledger ledger.Trust
	checks []verdict.Check // what is to be said of the list itself
}

// OpenTrust reads a trust file, either a signed trust list (信任列表) or plain PEM anchors. state is what was remembered
// of earlier lists, nil when nothing is remembered between runs; the new state is to be kept where there was one. An error
// is a file that is neither form; everything else that is wrong with a list is a check of every verdict that used it.
func OpenTrust(file, state []byte, remembers bool, at time.Time) (Trust, []byte, error) {
	if bytes.Contains(file, []byte("-----BEGIN ")) {
		anchors, err := pki.TrustFromPEM(file)
		if err != nil {
			return Trust{}, nil, err
		}
		return Trust{pki: anchors}, state, nil
	}
	signed, err := pki.OpenList(file)
	if err != nil && bytes.HasPrefix(file, []byte(`{"format":"`+pki.Format+`"`)) {
		// It says that it is a trust list and is none: somebody altered it, and whoever relies on it must hear so.
		bad := verdict.Note("trust.signature", verdict.TrustListInvalid, "", "")
		return Trust{checks: []verdict.Check{bad}}, state, nil
	}
	if err != nil {
		return Trust{}, nil, err
	}
	var t Trust
	if t.pki, err = signed.List.Trust(); err != nil {
		return Trust{}, nil, err
	}
	if t.ledger, err = ledgerTrust(signed.List.Ledger); err != nil {
		return Trust{}, nil, err
	}
	t.checks = append(t.checks, signed.CheckCurrent(at))
	if !remembers {
		t.checks = append(t.checks, verdict.Check{
			Name: "trust.rollback", Result: verdict.Skipped,
			Code: verdict.TrustListStateUnchecked, Detail: "no earlier version is remembered",
		})
		return t, nil, nil
	}
	before, err := pki.ParseState(state)
	if err != nil {
		return Trust{}, nil, fault.Wrap(err, fault.Invalid, "trust_state_damaged", "the remembered state of the trust list cannot be read").
			WithHint("remove the file only if you know why it is damaged: it protects against older lists")
	}
	after, check := pki.CheckRollback(before, signed)
	t.checks = append(t.checks, check)
	kept, err := pki.MarshalState(after)
	if err != nil {
		return Trust{}, nil, err
	}
	return t, kept, nil
}

func ledgerTrust(l pki.LedgerTrust) (ledger.Trust, error) {
	t := ledger.Trust{Quorum: l.Quorum}
	add := func(to *[]ledger.Key, kind ledger.KeyType, named []pki.NamedKey) error {
		for _, n := range named {
			pub, err := gm.ParsePublicKey(n.Key)
			if err != nil {
				return fault.Wrap(err, fault.Invalid, "trust_list_key", "a ledger key of the trust list cannot be read")
			}
			key, err := ledger.NewKey(kind, n.Name, pub)
			if err != nil {
				return err
			}
			*to = append(*to, key)
		}
		return nil
	}
	if err := add(&t.LogKeys, ledger.LogKey, l.LogKeys); err != nil {
		return ledger.Trust{}, err
	}
	if err := add(&t.WitnessKeys, ledger.WitnessKey, l.Witnesses); err != nil {
		return ledger.Trust{}, err
	}
	return t, t.Check()
}

// issuer finds the key that a code or a status evidence names. The key is nil when the list does not know it for that
// purpose at that time.
func (t *Trust) issuer(id string, purpose pki.Purpose, at time.Time) *gm.PublicKey {
	list := t.pki.List()
	if list == nil {
		return nil
	}
	i, ok := list.Issuer(id, purpose, at)
	if !ok {
		return nil
	}
	pub, err := gm.ParsePublicKey(i.Key)
	if err != nil {
		return nil // ParseList has read every key; a list that was not parsed knows nobody
	}
	return pub
}

// staticKey is the key for a static code.
func (t *Trust) staticKey(s license.Static, at time.Time) *gm.PublicKey {
	return t.issuer(hex.EncodeToString(s.Key[:]), pki.PurposeStaticCode, at)
}
