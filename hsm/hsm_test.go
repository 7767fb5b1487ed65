package hsm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

func TestParseRef(t *testing.T) {
	t.Parallel()
	tests := []struct {
		ref  string
		good bool
	}{
		{"seal/11990000000000001g/2026", true},
		{"data/cell05", true},
		{"a", true},
		{"0", true},
		{"a.b-c/d.", true},
		{strings.Repeat("a", hsm.MaxRef), true},
		{"", false},
		{"/", false},
		{"/a", false},
		{"a/", false},
		{"a//b", false},
		{".", false},
		{"..", false},
		{"a/../b", false},
		{"-a", false},
		{"a/-b", false},
		{"a/.b", false},
		{"A", false},
		{"a_b", false},
		{"a b", false},
		{"a\x00", false},
		{"a\n", false},
		{"ａ", false},
		{"印信", false},
		{strings.Repeat("a", hsm.MaxRef+1), false},
	}
	for _, test := range tests {
		ref, err := hsm.ParseRef(test.ref)
		if hsm.Ref(test.ref).Valid() != test.good {
			t.Errorf("Ref(%q).Valid() = %v", test.ref, !test.good)
		}
		switch {
		case test.good && (err != nil || string(ref) != test.ref):
			t.Errorf("ParseRef(%q) = %q, %v", test.ref, ref, err)
		case !test.good && (fault.CodeOf(err) != hsm.CodeRefInvalid || fault.KindOf(err) != fault.Invalid || ref != ""):
			t.Errorf("ParseRef(%q) = %q, %v", test.ref, ref, err)
		}
	}
}

func TestPolicyCheck(t *testing.T) {
	t.Parallel()
	const ok = ""
	tests := []struct {
		policy             hsm.Policy
		check, key, secret string
	}{
		{hsm.Policy{Algorithm: hsm.SM2, Purpose: "seal"}, ok, ok, hsm.CodeWrongAlgorithm},
		{hsm.Policy{Algorithm: hsm.ES256, Purpose: "token"}, ok, ok, hsm.CodeWrongAlgorithm},
		{hsm.Policy{Algorithm: hsm.RS256, Purpose: "token"}, ok, ok, hsm.CodeWrongAlgorithm},
		{hsm.Policy{Algorithm: hsm.SM4, Purpose: "data"}, ok, hsm.CodeWrongAlgorithm, ok},
		{hsm.Policy{Algorithm: hsm.SM2, Purpose: "blind-index2"}, ok, ok, hsm.CodeWrongAlgorithm},
		{hsm.Policy{}, hsm.CodeWrongAlgorithm, hsm.CodeWrongAlgorithm, hsm.CodeWrongAlgorithm},
		{hsm.Policy{Algorithm: "sm2", Purpose: "seal"}, hsm.CodeWrongAlgorithm, hsm.CodeWrongAlgorithm, hsm.CodeWrongAlgorithm},
		{hsm.Policy{Algorithm: hsm.SM2}, hsm.CodePurposeInvalid, hsm.CodePurposeInvalid, hsm.CodePurposeInvalid},
		{hsm.Policy{Algorithm: hsm.SM2, Purpose: "Seal"}, hsm.CodePurposeInvalid, hsm.CodePurposeInvalid, hsm.CodePurposeInvalid},
		{hsm.Policy{Algorithm: hsm.SM2, Purpose: "-seal"}, hsm.CodePurposeInvalid, hsm.CodePurposeInvalid, hsm.CodePurposeInvalid},
		{hsm.Policy{Algorithm: hsm.SM4, Purpose: strings.Repeat("a", hsm.MaxPurpose+1)}, hsm.CodePurposeInvalid, hsm.CodePurposeInvalid, hsm.CodePurposeInvalid},
	}
	for _, test := range tests {
		got := [3]string{codeOf(test.policy.Check()), codeOf(test.policy.CheckKey()), codeOf(test.policy.CheckSecret())}
		if want := [3]string{test.check, test.key, test.secret}; got != want {
			t.Errorf("%+v: Check, CheckKey, CheckSecret = %q, want %q", test.policy, got, want)
		}
	}
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}

// register is a provider that only remembers names, without a batch.
type register struct {
	hsm.Provider
	have map[hsm.Ref]hsm.Algorithm
	made []hsm.Ref
	fail error
}

type named struct {
	hsm.Key
	a hsm.Algorithm
}

func (n named) Algorithm() hsm.Algorithm { return n.a }

func (r *register) Key(_ context.Context, ref hsm.Ref) (hsm.Key, error) {
	if r.fail != nil {
		return nil, r.fail
	}
	if r.have[ref] == "" {
		return nil, hsm.KeyUnknown(ref)
	}
	return named{a: r.have[ref]}, nil
}

func (r *register) Secret(ctx context.Context, ref hsm.Ref) (hsm.Secret, error) {
	_, err := r.Key(ctx, ref)
	return nil, err
}

func (r *register) GenerateKey(_ context.Context, ref hsm.Ref, p hsm.Policy) (hsm.Key, error) {
	r.made = append(r.made, ref)
	return nil, p.CheckKey()
}

func (r *register) GenerateSecret(_ context.Context, ref hsm.Ref, p hsm.Policy) (hsm.Secret, error) {
	r.made = append(r.made, ref)
	return nil, p.CheckSecret()
}

// batching also takes batches.
type batching struct {
	register
	batches [][]hsm.KeyRequest
}

func (b *batching) GenerateKeys(_ context.Context, requests []hsm.KeyRequest) error {
	b.batches = append(b.batches, requests)
	return nil
}

func TestEnsure(t *testing.T) {
	t.Parallel()
	requests := []hsm.KeyRequest{
		{Ref: "seal/a", Policy: hsm.Policy{Algorithm: hsm.SM2, Purpose: "seal"}},
		{Ref: "token", Policy: hsm.Policy{Algorithm: hsm.ES256, Purpose: "token"}},
		{Ref: "data/a", Policy: hsm.Policy{Algorithm: hsm.SM4, Purpose: "data"}},
	}
	have := map[hsm.Ref]hsm.Algorithm{"token": hsm.ES256}

	one := &register{have: have}
	if err := hsm.Ensure(t.Context(), one, requests); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]hsm.Ref{"seal/a", "data/a"}, one.made); diff != "" {
		t.Error(diff)
	}

	many := &batching{register: register{have: have}}
	if err := hsm.Ensure(t.Context(), many, requests); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]hsm.KeyRequest{{requests[0], requests[2]}}, many.batches); diff != "" || len(many.made) != 0 {
		t.Errorf("%s, one by one: %v", diff, many.made)
	}

	other := &register{have: map[hsm.Ref]hsm.Algorithm{"token": hsm.SM2}}
	if err := hsm.Ensure(t.Context(), other, requests); fault.CodeOf(err) != hsm.CodeKeyExists || len(other.made) != 0 {
		t.Errorf("a name with another algorithm: %v, made %v", err, other.made)
	}
	down := &register{fail: hsm.Unavailable(errors.New("no device"))}
	if err := hsm.Ensure(t.Context(), down, requests); fault.KindOf(err) != fault.Unavailable || len(down.made) != 0 {
		t.Errorf("a device that does not answer: %v, made %v", err, down.made)
	}
	if err := hsm.Ensure(t.Context(), one, []hsm.KeyRequest{{Ref: "x"}}); fault.CodeOf(err) != hsm.CodeWrongAlgorithm {
		t.Errorf("a request without a policy: %v", err)
	}
}

func TestCheckContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := hsm.CheckContext(ctx); err != nil {
		t.Error(err)
	}
	why := errors.New("the reader went away")
	cancel(why)
	if err := hsm.CheckContext(ctx); fault.KindOf(err) != fault.Unavailable || !errors.Is(err, why) {
		t.Errorf("after cancel: %v", err)
	}
}

func ExampleParseRef() {
	ref, err := hsm.ParseRef("seal/11990000000000001g/2026")
	fmt.Println(ref, err)
	_, err = hsm.ParseRef("Seal/..")
	fmt.Println(err)
	// Output:
	// seal/11990000000000001g/2026 <nil>
	// the name of the key is malformed: ref "Seal/..": a character outside a-z, 0-9, '-', '.' and '/'
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"seal/a/2026", "", "..", "a//b", "印"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := hsm.ParseRef(s)
		if (err == nil) != hsm.Ref(s).Valid() {
			t.Fatalf("ParseRef and Valid disagree over %q", s)
		}
		if err == nil && (string(ref) != s || strings.Contains(s, "..") && strings.Contains("/"+s+"/", "/../")) {
			t.Fatalf("ParseRef(%q) = %q", s, ref)
		}
	})
}
