package identity_test

import (
	"context"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/identity"
)

func BenchmarkSignIn(b *testing.B) {
	for _, c := range []struct {
		name string
		cost identity.PasswordCost
	}{{"argon2id 19 MiB", identity.PasswordCost{}}, {"everything else", identity.PasswordCost{MemoryKiB: 8, Passes: 1}}} {
		b.Run(c.name, func(b *testing.B) {
			s := newService(b, func(o *identity.Options) { o.Cost = c.cost })
			ctx := context.Background()
			if _, err := s.service.CreateAccount(ctx, person()); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := s.service.SignIn(ctx, identity.SignIn{Login: "wang.xm", Password: "a long password", Address: "x"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSession(b *testing.B) {
	s := newService(b, func(o *identity.Options) { o.SessionLife = 24 * time.Hour })
	ctx := context.Background()
	if _, err := s.service.CreateAccount(ctx, person()); err != nil {
		b.Fatal(err)
	}
	token, _, err := s.service.SignIn(ctx, identity.SignIn{Login: "wang.xm", Password: "a long password", Address: "x"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.service.Session(ctx, token); err != nil {
			b.Fatal(err)
		}
	}
}
