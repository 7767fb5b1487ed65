package identity_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// vault seals as hsm's secrets do, under a key in the test, and notes what each MAC is for.
type vault struct {
	key  [16]byte
	mu   sync.Mutex
	macs []string
}

func (v *vault) Seal(_ context.Context, plain, aad []byte) ([]byte, error) {
	return gm.SealBytes(rand.Reader, v.key[:], plain, aad)
}

func (v *vault) Open(_ context.Context, sealed, aad []byte) ([]byte, error) {
	return gm.OpenBytes(v.key[:], sealed, aad)
}

func (v *vault) MAC(_ context.Context, data []byte) ([32]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	purpose, _, _ := bytes.Cut(data, []byte{0})
	v.macs = append(v.macs, string(purpose))
	return gm.MAC(v.key[:], data), nil
}

func (v *vault) taken() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.macs
	v.macs = nil
	return out
}

func newVault(t testing.TB) *vault {
	v := &vault{}
	if _, err := rand.Read(v.key[:]); err != nil {
		t.Fatal(err)
	}
	return v
}

type setup struct {
	service *identity.Service
	vault   *vault
	pepper  *vault
	now     time.Time
	env     *testenv.Env
}

func newService(t testing.TB, change func(*identity.Options)) *setup {
	t.Helper()
	s := &setup{vault: newVault(t), pepper: newVault(t), now: time.Now(), env: testenv.Postgres(t, 1)}
	o := identity.Options{
		Store: postgres.NewIdentityStore(s.env.Cells.Province()), Vault: s.vault, Pepper: s.pepper, Pairwise: newVault(t),
		Rand: rand.Reader, Now: func() time.Time { return s.now },
	}
	if change != nil {
		change(&o)
	}
	var err error
	if s.service, err = identity.New(o); err != nil {
		t.Fatal(err)
	}
	return s
}

func person() identity.NewAccount {
	return identity.NewAccount{
		Login: "Wang.XM ", Password: "a long password", Roles: []identity.Role{identity.Citizen}, Level: 3,
		Name: "王小明", Phone: "13900000001", Subjects: []identity.Subject{
			{Type: "111", Code: "990101199001011234", Name: "王小明", Relation: "self"},
			{Type: "111", Code: "990101202001015678", Name: "王小小", Relation: "guardian"},
		},
	}
}

func TestCreateAccounts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newService(t, nil)
	a, err := s.service.CreateAccount(ctx, person())
	if err != nil {
		t.Fatal(err)
	}
	want := identity.Account{ID: a.ID, Login: "wang.xm", Roles: []identity.Role{identity.Citizen}, Level: 3, Name: "王小明", Phone: "13900000001", Subjects: person().Subjects}
	if diff := cmp.Diff(want, a); diff != "" || len(a.ID) != 32 {
		t.Errorf("account: %s", diff)
	}
	again := person()
	again.Login, again.Name = "ｗang.xm", "somebody else" // full width is the same login
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			list, err := s.service.CreateAccounts(ctx, []identity.NewAccount{{Login: "second", Level: 2}, again, {Login: "third", Level: 2}})
			if err != nil {
				t.Error(err)
				return
			}
			if diff := cmp.Diff(want, list[1]); diff != "" {
				t.Errorf("created twice: %s", diff)
			}
		})
	}
	wg.Wait()
	for name, bad := range map[string]identity.NewAccount{
		"login": {Login: "\x00", Level: 2}, "no login": {Level: 2}, "level": {Login: "x", Level: 1}, "role": {Login: "x", Level: 2, Roles: []identity.Role{"king"}},
		"password": {Login: "x", Level: 2, Password: "short"},
	} {
		if _, err := s.service.CreateAccount(ctx, bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Nothing personal stands in the tables.
	rows, err := s.env.Cells.Province().Query(ctx, `
		SELECT row_to_json(a)::text FROM identity_account a UNION ALL SELECT row_to_json(l)::text FROM identity_login l
		UNION ALL SELECT row_to_json(s)::text FROM identity_subject s UNION ALL SELECT row_to_json(f)::text FROM identity_factor f`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		n++
		for _, secret := range []string{"王", "990101", "1390000", "wang", "password\":\"a"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q stands in %s", secret, text)
			}
		}
	}
	if n != 3+3+2+1 {
		t.Errorf("%d rows", n)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newService(t, nil)
	a, err := s.service.CreateAccount(ctx, person())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.CreateAccount(ctx, identity.NewAccount{Login: "no-password", Level: 2}); err != nil {
		t.Fatal(err)
	}
	token, session, err := s.service.SignIn(ctx, identity.SignIn{Login: " WANG.xm", Password: "a long password", Address: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if session.Account != a.ID || session.ACR != "urn:yinxin:acr:ial3:aal1" || len(session.SID) != 32 || session.AMR[0] != "pwd" {
		t.Errorf("session: %+v", session)
	}
	got, account, err := s.service.Session(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(session, got); diff != "" || account.ID != a.ID {
		t.Errorf("session: %s", diff)
	}
	// A new sign-in ends the old token and keeps the session that applications know; another person's does not.
	next, second, err := s.service.SignIn(ctx, identity.SignIn{Login: "wang.xm", Password: "a long password", Address: "x", Replaces: token})
	if err != nil {
		t.Fatal(err)
	}
	if second.SID != session.SID || next == token {
		t.Errorf("second sign-in: %+v", second)
	}
	if _, _, err := s.service.Session(ctx, token); fault.CodeOf(err) != "session_ended" {
		t.Errorf("replaced token: %v", err)
	}
	if err := s.service.SignOut(ctx, next); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{next, "", "x", token[:10], strings.Repeat("A", 46)} {
		if _, _, err := s.service.Session(ctx, bad); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("%q: %v", bad, err)
		}
		if err := s.service.SignOut(ctx, bad); err != nil {
			t.Errorf("sign out %q: %v", bad, err)
		}
	}
	third, _, err := s.service.SignIn(ctx, identity.SignIn{Login: "wang.xm", Password: "a long password", Address: "x"})
	if err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(13 * time.Hour)
	if _, _, err := s.service.Session(ctx, third); fault.CodeOf(err) != "session_ended" {
		t.Errorf("next day: %v", err)
	}
}

// TestUnknownLogin shows that a login that does not exist takes the steps of a wrong password: the same keyed digests of
// the same purposes, one of them over a whole argon2id hash, and the same answer.
func TestUnknownLogin(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newService(t, nil)
	for _, a := range []identity.NewAccount{person(), {Login: "no-password", Level: 2}} {
		if _, err := s.service.CreateAccount(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	s.vault.taken()
	s.pepper.taken()
	type trace struct {
		vault, pepper []string
		message       string
	}
	try := func(login string) trace {
		t.Helper()
		_, _, err := s.service.SignIn(ctx, identity.SignIn{Login: login, Password: "not the password", Address: login})
		if fault.KindOf(err) != fault.Unauthenticated || fault.CodeOf(err) != "wrong_login_or_password" {
			t.Fatalf("%s: %v", login, err)
		}
		return trace{s.vault.taken(), s.pepper.taken(), err.Error()}
	}
	want := try("wang.xm")
	if len(want.pepper) != 1 {
		t.Fatalf("a wrong password took %v", want)
	}
	for _, login := range []string{"nobody", "no-password"} {
		if diff := cmp.Diff(want, try(login), cmp.AllowUnexported(trace{})); diff != "" {
			t.Errorf("%s: %s", login, diff)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newService(t, func(o *identity.Options) {
		o.PerPair = identity.Limit{Burst: 2, Every: 10 * time.Second}
		o.PerLogin = identity.Limit{Burst: 4, Every: time.Second}
		o.PerAddress = identity.Limit{Burst: 6, Every: time.Second}
		o.MaxBuckets = 8
	})
	if _, err := s.service.CreateAccount(ctx, person()); err != nil {
		t.Fatal(err)
	}
	try := func(login, password, address string) string {
		t.Helper()
		_, _, err := s.service.SignIn(ctx, identity.SignIn{Login: login, Password: password, Address: address})
		if err == nil {
			return ""
		}
		if wait, ok := identity.RetryAfter(err); ok != (fault.KindOf(err) == fault.TooMany) || ok && wait < time.Second {
			t.Errorf("retry after %s %v for %v", wait, ok, err)
		}
		return fault.CodeOf(err)
	}
	const wrong, many = "wrong_login_or_password", "too_many_attempts"
	got := []string{
		try("wang.xm", "wrong password", "a"), try("wang.xm", "wrong password", "a"), try("wang.xm", "wrong password", "a"), // the pair is spent
		try("wang.xm", "a long password", "a"),                                         // from there even the right one waits,
		try("wang.xm", "a long password", "b"),                                         // from elsewhere it does not: nobody is locked out
		try("wang.xm", "a long password", "b"), try("wang.xm", "a long password", "b"), // and costs nothing
		try("nobody", "wrong password", "c"), try("nobody", "wrong password", "c"), try("nobody", "wrong password", "c"), // the same for unknown ones
	}
	if diff := cmp.Diff([]string{wrong, wrong, many, many, "", "", "", wrong, wrong, many}, got); diff != "" {
		t.Errorf("%s", diff)
	}
	s.now = s.now.Add(11 * time.Second)
	if got := try("wang.xm", "a long password", "a"); got != "" {
		t.Errorf("after a while: %s", got)
	}
	for i := range 6 {
		if got := try(string(rune('p'+i)), "wrong password", "d"); got != wrong {
			t.Errorf("address: %s", got)
		}
	}
	if got := try("x", "wrong password", "d"); got != many {
		t.Errorf("address spent: %s", got)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newService(t, func(o *identity.Options) {
		o.Workers, o.Queue = 1, 1
		o.PerAddress = identity.Limit{Burst: 1000, Every: time.Second}
		o.PerPair = o.PerAddress
	})
	if _, err := s.service.CreateAccount(ctx, person()); err != nil {
		t.Fatal(err)
	}
	const people = 24
	errs := make(chan error, people)
	start := make(chan struct{})
	for range people {
		go func() {
			<-start
			_, _, err := s.service.SignIn(ctx, identity.SignIn{Login: "wang.xm", Password: "a long password", Address: "x"})
			errs <- err
		}()
	}
	close(start)
	in, busy := 0, 0
	for range people {
		err := <-errs
		var f *fault.Error
		switch {
		case err == nil:
			in++
		case errors.As(err, &f) && f.Code == "busy" && f.Kind == fault.Unavailable:
			if wait, ok := identity.RetryAfter(err); !ok || wait < time.Second {
				t.Errorf("busy without a time: %v", err)
			}
			busy++
		default:
			t.Error(err)
		}
	}
	if in < 1 || busy < 1 || in+busy != people {
		t.Errorf("%d signed in, %d were told to come back", in, busy)
	}
	if _, _, err := s.service.SignIn(ctx, identity.SignIn{Login: "wang.xm", Password: "a long password", Address: "x"}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func FuzzParseHandle(f *testing.F) {
	text, _, err := identity.NewHandle(rand.Reader, 20000)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := identity.ParseHandle(text)
		if err != nil {
			return
		}
		if again, err := identity.ParseHandle(text); err != nil || again != k || len(text) != 46 {
			t.Errorf("%q reads in two ways", text)
		}
	})
}
