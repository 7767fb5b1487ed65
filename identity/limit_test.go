package identity_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// cheap makes the work of one guess small where a test is about something else.
func cheap(o *identity.Options) {
	o.Cost = identity.PasswordCost{MemoryKiB: 64, Passes: 1}
	o.Workers, o.Queue = 2, 1000
	o.Patience = time.Minute
}

// together signs in n times at once and counts the answers by their codes, "" for those that are in.
func (s *setup) together(n int, in identity.SignIn) map[string]int {
	out := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range n {
		wg.Go(func() {
			<-start
			_, _, err := s.service.SignIn(context.Background(), in)
			code := ""
			if err != nil {
				code = fault.CodeOf(err)
			}
			mu.Lock()
			defer mu.Unlock()
			out[code]++
		})
	}
	close(start)
	wg.Wait()
	return out
}

// Right passwords are never too many, however many come at once, and leave the limit as it was.
func TestParallelRight(t *testing.T) {
	t.Parallel()
	s := newService(t, cheap)
	if _, err := s.service.CreateAccount(context.Background(), person()); err != nil {
		t.Fatal(err)
	}
	right := identity.SignIn{Login: "wang.xm", Password: "a long password", Address: "x"}
	for _, n := range []int{8, 12, 32, 200} {
		if diff := cmp.Diff(map[string]int{"": n}, s.together(n, right)); diff != "" {
			t.Errorf("%d at once: %s", n, diff)
		}
	}
	wrong := right
	wrong.Password = "wrong password"
	if diff := cmp.Diff(map[string]int{"wrong_login_or_password": 10}, s.together(10, wrong)); diff != "" {
		t.Errorf("afterwards: %s", diff)
	}
}

// Firing guesses at once gives nobody more of them: of each bucket, as many are compared as it has tokens.
func TestParallelWrong(t *testing.T) {
	t.Parallel()
	s := newService(t, func(o *identity.Options) {
		cheap(o)
		o.PerPair = identity.Limit{Burst: 5, Every: time.Minute}
		o.PerLogin = identity.Limit{Burst: 12, Every: time.Minute}
		o.PerAddress = identity.Limit{Burst: 7, Every: time.Minute}
	})
	for _, login := range []string{"wang.xm", "second"} {
		a := person()
		a.Login = login
		if _, err := s.service.CreateAccount(context.Background(), a); err != nil {
			t.Fatal(err)
		}
	}
	const wrong, many = "wrong_login_or_password", "too_many_attempts"
	for _, c := range []struct {
		login, address string
		compared       int
	}{
		{"wang.xm", "a", 5},
		{"second", "a", 2},  // what the address has left
		{"wang.xm", "b", 5}, // the login has 2 left,
		{"wang.xm", "c", 2}, // and here they go
		{"nobody", "d", 5},
	} {
		s.pepper.taken()
		got := s.together(64, identity.SignIn{Login: c.login, Password: "wrong password", Address: c.address})
		if diff := cmp.Diff(map[string]int{wrong: c.compared, many: 64 - c.compared}, got); diff != "" {
			t.Errorf("%s from %s: %s", c.login, c.address, diff)
		}
		if n := len(s.pepper.taken()); n != c.compared {
			t.Errorf("%s from %s: %d passwords compared", c.login, c.address, n)
		}
	}
}

// The wait that is told is the true one, in whole seconds, and the sentence says the same.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newService(t, cheap)
	if _, err := s.service.CreateAccount(ctx, person()); err != nil {
		t.Fatal(err)
	}
	in := identity.SignIn{Login: "wang.xm", Password: "wrong password", Address: "x"}
	s.together(10, in)
	in.Password = "a long password"
	for _, c := range []struct{ passed, want time.Duration }{{0, 10 * time.Second}, {5700 * time.Millisecond, 5 * time.Second}} {
		s.now = s.now.Add(c.passed)
		_, _, err := s.service.SignIn(ctx, in)
		wait, ok := identity.RetryAfter(err)
		if !ok || wait != c.want || fault.CodeOf(err) != "too_many_attempts" {
			t.Errorf("%v later: %v %v, want %v", c.passed, wait, err, c.want)
		}
		if got, want := hint(err), fmt.Sprintf("try again in %d s; nobody is locked out", c.want/time.Second); got != want {
			t.Errorf("hint %q, want %q", got, want)
		}
	}
	s.now = s.now.Add(5 * time.Second)
	if _, _, err := s.service.SignIn(ctx, in); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// slow is a MAC that takes until it is let go.
type slow struct {
	under      identity.MAC
	began, end chan struct{}
}

func (m *slow) MAC(ctx context.Context, data []byte) ([32]byte, error) {
	m.began <- struct{}{}
	<-m.end
	return m.under.MAC(ctx, data)
}

// Whoever waits longer than the patience for a try under way, or goes away, leaves the line; the next in it gets in.
func TestPatience(t *testing.T) {
	t.Parallel()
	pepper := &slow{under: newVault(t), began: make(chan struct{}, 100), end: make(chan struct{})}
	with := func(patience time.Duration) *setup {
		return newService(t, func(o *identity.Options) {
			cheap(o)
			o.Patience, o.Pepper = patience, pepper
			o.PerPair = identity.Limit{Burst: 1, Every: time.Minute}
		})
	}
	in := identity.SignIn{Login: "nobody", Password: "wrong password", Address: "x"}
	for name, c := range map[string]struct {
		patience time.Duration
		cancel   bool
		want     string
	}{"patience": {10 * time.Millisecond, false, "busy"}, "gone": {time.Minute, true, "cancelled"}} {
		s := with(c.patience)
		first := make(chan map[string]int)
		go func() { first <- s.together(1, in) }()
		<-pepper.began
		ctx, cancel := context.WithCancel(context.Background())
		if c.cancel {
			cancel()
		}
		_, _, err := s.service.SignIn(ctx, in)
		cancel()
		if fault.CodeOf(err) != c.want || fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
		pepper.end <- struct{}{}
		if got := <-first; got["wrong_login_or_password"] != 1 {
			t.Errorf("%s: the one under way: %v", name, got)
		}
		if got := s.together(1, in); got["too_many_attempts"] != 1 {
			t.Errorf("%s: afterwards: %v", name, got)
		}
	}
}

func hint(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Hint
	}
	return ""
}
