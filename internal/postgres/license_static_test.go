package postgres_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
)

// Only a wrong signature under a key that is known here is a forgery. What is merely unknown, a key or a license, leaves the
// question open.
func TestStaticCodesOnline(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), background(t)
	l := w.issued(t, number(1))
	text, err := w.StaticCode(ctx, l.ID)
	if err != nil {
		t.Fatal(err)
	}
	printed, err := license.ParseStaticText(text)
	if err != nil {
		t.Fatal(err)
	}
	past, foreign := newKeys(t), newKeys(t)
	w.keys.past = []*gm.PublicKey{&past.key.PublicKey}
	signed := func(by *fakeKeys, change func(*license.Static)) string {
		s := printed
		change(&s)
		if err := s.Sign(ctx, &by.key.PublicKey, func(_ context.Context, e [32]byte) ([]byte, error) { return by.sign(e) }); err != nil {
			t.Fatal(err)
		}
		return urlOf(t, s)
	}
	same := func(*license.Static) {}
	tampered := printed
	tampered.Kind++
	lost := license.ID{0, 1, 9, 9, 9}
	cases := []struct {
		name, code string
		word       verdict.Word
		codes      []string
	}{
		{"as printed", text, verdict.Valid, nil},
		{"signed with a past key", signed(past, same), verdict.Valid, nil},
		{"signed with a stranger's key", signed(foreign, same), verdict.CannotDetermine, []string{"TRUST_ANCHOR_UNKNOWN"}},
		{"changed after it was signed", urlOf(t, tampered), verdict.NotValid, []string{"CODE_SIGNATURE_INVALID"}},
		{"a lost license", signed(w.keys, func(s *license.Static) { s.License = lost }), verdict.CannotDetermine, []string{"STATUS_UNKNOWN"}},
		{"a license of another province", signed(w.keys, func(s *license.Static) { s.License = license.ID{9, 9, 1} }), verdict.CannotDetermine, []string{"STATUS_UNKNOWN"}},
		{
			"a lost license, and a stranger's key", signed(foreign, func(s *license.Static) { s.License = lost }),
			verdict.CannotDetermine,
			[]string{"TRUST_ANCHOR_UNKNOWN"},
		},
		{
			"a lost license whose end is printed", signed(w.keys, func(s *license.Static) { s.License, s.ExpiryDate = lost, "2026-11-21" }),
			verdict.NotValid,
			[]string{"STATUS_UNKNOWN", "STATUS_EXPIRED"},
		},
		{"another face", signed(w.keys, func(s *license.Static) { s.Face[0]++ }), verdict.NotValid, []string{"CODE_FACE_MISMATCH"}},
	}
	for _, c := range cases {
		for _, by := range []license.Verifier{{}, clerk()} {
			o, err := w.CheckCode(ctx, c.code, by)
			if err != nil || o.Report.Verdict != c.word || !cmp.Equal(codes(o), c.codes) {
				t.Errorf("%s: %v %v, want %v %v: %v", c.name, o.Report.Verdict, codes(o), c.word, c.codes, err)
			}
			if c.word != verdict.Valid && (o.Holders != nil || o.Face != nil) {
				t.Errorf("%s: something was disclosed", c.name)
			}
		}
	}
}

func urlOf(t *testing.T, s license.Static) string {
	t.Helper()
	url, err := s.URL("https://yx.example")
	if err != nil {
		t.Fatal(err)
	}
	return url
}
