package hsmtest

import (
	"context"
	"slices"
	"strings"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

func checkConflict(t T, p hsm.Provider) {
	k := generateKey(t, p, "conformance/once", hsm.SM2)
	generateSecret(t, p, "conformance/once-secret")
	for _, ref := range []hsm.Ref{"conformance/once", "conformance/once-secret"} {
		_, err := p.GenerateKey(t.Context(), ref, policy(hsm.SM2))
		wantFault(t, "GenerateKey on a name that is taken", err, fault.Conflict, hsm.CodeKeyExists)
		_, err = p.GenerateKey(t.Context(), ref, policy(hsm.ES256))
		wantFault(t, "GenerateKey of another algorithm on a name that is taken", err, fault.Conflict, hsm.CodeKeyExists)
		_, err = p.GenerateSecret(t.Context(), ref, policy(hsm.SM4))
		wantFault(t, "GenerateSecret on a name that is taken", err, fault.Conflict, hsm.CodeKeyExists)
	}
	again, err := p.Key(t.Context(), "conformance/once")
	if err != nil || !samePublic(again.Public(), k.Public()) {
		t.Errorf("the refused requests changed the key: %v", err)
	}
}

// checkBatch holds a provider that is a BatchGenerator or an Inventory to it; for others the loop of hsm.Ensure is checked.
func checkBatch(t T, p hsm.Provider) {
	requests := []hsm.KeyRequest{
		{Ref: "conformance/b", Policy: policy(hsm.SM2)},
		{Ref: "conformance/a", Policy: policy(hsm.ES256)},
		{Ref: "conformance/c", Policy: policy(hsm.SM4)},
	}
	for range 2 { // the second time there is nothing to do
		if err := hsm.Ensure(t.Context(), p, requests); err != nil {
			t.Fatalf("Ensure: %v", err)
		}
	}
	if _, err := p.Secret(t.Context(), "conformance/c"); err != nil {
		t.Errorf("Secret after Ensure: %v", err)
	}
	if k, err := p.Key(t.Context(), "conformance/a"); err != nil || k.Algorithm() != hsm.ES256 {
		t.Errorf("Key after Ensure: %v", err)
	}
	if batch, ok := p.(hsm.BatchGenerator); ok {
		fresh := hsm.KeyRequest{Ref: "conformance/new", Policy: policy(hsm.SM2)}
		wantFault(t, "a batch with a name that is taken", batch.GenerateKeys(t.Context(), []hsm.KeyRequest{fresh, requests[0]}), fault.Conflict, hsm.CodeKeyExists)
		wantFault(t, "a batch with a name twice", batch.GenerateKeys(t.Context(), []hsm.KeyRequest{fresh, fresh}), fault.Conflict, hsm.CodeKeyExists)
		bad := hsm.KeyRequest{Ref: "Bad", Policy: policy(hsm.SM2)}
		wantFault(t, "a batch with a malformed name", batch.GenerateKeys(t.Context(), []hsm.KeyRequest{fresh, bad}), fault.Invalid, hsm.CodeRefInvalid)
		_, err := p.Key(t.Context(), fresh.Ref)
		wantFault(t, "a key of a refused batch", err, fault.NotFound, hsm.CodeKeyUnknown)
	}
	if inventory, ok := p.(hsm.Inventory); ok {
		refs, err := inventory.Refs(t.Context())
		if want := []hsm.Ref{"conformance/a", "conformance/b", "conformance/c"}; err != nil || !slices.Equal(refs, want) {
			t.Errorf("Refs: %v, %v, want %v", refs, err, want)
		}
		for _, r := range requests {
			if got, err := inventory.Policy(t.Context(), r.Ref); err != nil || got != r.Policy {
				t.Errorf("Policy(%s): %v, %v, want %v", r.Ref, got, err, r.Policy)
			}
		}
	}
}

func checkInvalid(t T, p hsm.Provider) {
	ctx := t.Context()
	for _, ref := range []hsm.Ref{"", "/", "Seal/a", "a//b", "../a", "a/", "a b", "印", hsm.Ref(strings.Repeat("a", hsm.MaxRef+1))} {
		_, err := p.GenerateKey(ctx, ref, policy(hsm.SM2))
		wantFault(t, "GenerateKey with a malformed name", err, fault.Invalid, hsm.CodeRefInvalid)
		_, err = p.GenerateSecret(ctx, ref, policy(hsm.SM4))
		wantFault(t, "GenerateSecret with a malformed name", err, fault.Invalid, hsm.CodeRefInvalid)
		_, err = p.Key(ctx, ref)
		wantFault(t, "Key with a malformed name", err, fault.Invalid, hsm.CodeRefInvalid)
		_, err = p.Secret(ctx, ref)
		wantFault(t, "Secret with a malformed name", err, fault.Invalid, hsm.CodeRefInvalid)
	}
	_, err := p.GenerateKey(ctx, "conformance/x", policy(hsm.SM4))
	wantFault(t, "GenerateKey of a secret", err, fault.Invalid, hsm.CodeWrongAlgorithm)
	_, err = p.GenerateSecret(ctx, "conformance/x", policy(hsm.SM2))
	wantFault(t, "GenerateSecret of a key", err, fault.Invalid, hsm.CodeWrongAlgorithm)
	_, err = p.GenerateKey(ctx, "conformance/x", policy("RS1"))
	wantFault(t, "GenerateKey of an unknown algorithm", err, fault.Invalid, hsm.CodeWrongAlgorithm)
	_, err = p.GenerateKey(ctx, "conformance/x", hsm.Policy{Algorithm: hsm.SM2})
	wantFault(t, "GenerateKey without a purpose", err, fault.Invalid, hsm.CodePurposeInvalid)
	_, err = p.Key(ctx, "conformance/x")
	wantFault(t, "Key after refused requests", err, fault.NotFound, hsm.CodeKeyUnknown)

	generateKey(t, p, "conformance/key", hsm.SM2)
	generateSecret(t, p, "conformance/secret")
	_, err = p.Secret(ctx, "conformance/key")
	wantFault(t, "Secret of a key", err, fault.Invalid, hsm.CodeWrongAlgorithm)
	_, err = p.Key(ctx, "conformance/secret")
	wantFault(t, "Key of a secret", err, fault.Invalid, hsm.CodeWrongAlgorithm)
}

func checkUnknown(t T, p hsm.Provider) {
	_, err := p.Key(t.Context(), "conformance/none")
	wantFault(t, "Key", err, fault.NotFound, hsm.CodeKeyUnknown)
	_, err = p.Secret(t.Context(), "conformance/none")
	wantFault(t, "Secret", err, fault.NotFound, hsm.CodeKeyUnknown)
	if err := p.Health(t.Context()); err != nil {
		t.Errorf("Health: %v", err)
	}
}

func checkCancelled(t T, p hsm.Provider) {
	everyUse(t, p, func() context.Context {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return ctx
	})
	_, err := p.Key(t.Context(), "conformance/late")
	wantFault(t, "a key whose request was cancelled", err, fault.NotFound, hsm.CodeKeyUnknown)
}

func checkClosed(t T, p hsm.Provider) {
	everyUse(t, p, func() context.Context {
		if err := p.Close(); err != nil { // the second and later calls must be harmless
			t.Errorf("Close: %v", err)
		}
		return t.Context()
	})
}

// everyUse makes a key and a secret, calls spoil, and wants each use to be Unavailable with the context it gave.
func everyUse(t T, p hsm.Provider, spoil func() context.Context) {
	t.Helper()
	k, s := generateKey(t, p, "conformance/key", hsm.SM2), generateSecret(t, p, "conformance/secret")
	sealed := seal(t, s, []byte("text"), nil)
	ctx := spoil()
	uses := []struct {
		what string
		use  func() error
	}{
		{"SignDigest", func() error { _, err := k.SignDigest(ctx, [32]byte{1}); return err }},
		{"Seal", func() error { _, err := s.Seal(ctx, []byte("text"), nil); return err }},
		{"Open", func() error { _, err := s.Open(ctx, sealed, nil); return err }},
		{"MAC", func() error { _, err := s.MAC(ctx, []byte("text")); return err }},
		{"Key", func() error { _, err := p.Key(ctx, "conformance/key"); return err }},
		{"Secret", func() error { _, err := p.Secret(ctx, "conformance/secret"); return err }},
		{"GenerateKey", func() error { _, err := p.GenerateKey(ctx, "conformance/late", policy(hsm.SM2)); return err }},
		{"GenerateSecret", func() error { _, err := p.GenerateSecret(ctx, "conformance/late", policy(hsm.SM4)); return err }},
		{"Health", func() error { return p.Health(ctx) }},
	}
	for _, u := range uses {
		wantFault(t, u.what, u.use(), fault.Unavailable, hsm.CodeUnavailable)
	}
	spoil()
}
