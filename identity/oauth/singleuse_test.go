package oauth_test

import (
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/identity/oauth"
)

// parallel sends the same token request n times at once.
func (w *world) parallel(n int, c oauth.Registration, form url.Values) (good []map[string]any, statuses map[int]int) {
	w.t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := make(chan struct{})
	statuses = map[int]int{}
	for range n {
		wg.Go(func() {
			<-start
			status, out := w.post("/oauth2/token", c, form)
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
			if status == 200 {
				good = append(good, out)
			} else if str(out, "error") != "invalid_grant" {
				w.t.Errorf("%d %v", status, out)
			}
		})
	}
	close(start)
	wg.Wait()
	return good, statuses
}

const (
	racers = 8
	rounds = 100
)

// TestCodeRace is eight parallel redemptions of one code, a hundred times: one set of tokens each, and that one holds.
func TestCodeRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.authorize("basic")
	for round := range rounds {
		f := b.authorize("basic")
		good, statuses := w.parallel(racers, f.client, f.exchange())
		if len(good) != 1 || statuses[200] != 1 || statuses[400] != racers-1 {
			t.Fatalf("round %d: %v", round, statuses)
		}
		if !w.active(str(good[0], "access_token")) || !w.active(str(good[0], "refresh_token")) {
			t.Fatalf("round %d: the one set of tokens does not hold", round)
		}
	}
	if w.full != 0 {
		t.Errorf("%d answers were 5xx", w.full)
	}
}

// TestRefreshRace is eight parallel refreshes with one token, a hundred times: all get the same next one.
func TestRefreshRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := str(w.tokens(w.browser(), "basic"), "refresh_token")
	seen := map[string]bool{token: true}
	for round := range rounds {
		good, statuses := w.parallel(racers, w.client("basic"), refresh(token))
		children, access := map[string]bool{}, map[string]bool{}
		for _, g := range good {
			children[str(g, "refresh_token")] = true
			access[str(g, "access_token")] = true
		}
		if len(good) != racers || len(children) != 1 || len(access) != racers {
			t.Fatalf("round %d: %v, %d children, %d access tokens", round, statuses, len(children), len(access))
		}
		for child := range children {
			token = child
		}
		if seen[token] {
			t.Fatalf("round %d: a refresh token came back", round)
		}
		seen[token] = true
	}
	if w.full != 0 {
		t.Errorf("%d answers were 5xx", w.full)
	}
}

func TestCodeRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for _, c := range []struct {
		name   string
		change func(v url.Values) oauth.Registration
	}{
		{"wrong verifier", func(v url.Values) oauth.Registration {
			v.Set("code_verifier", "another-verifier-of-at-least-43-characters-01234")
			return w.client("basic")
		}},
		{"no verifier", func(v url.Values) oauth.Registration { v.Del("code_verifier"); return w.client("basic") }},
		{"another redirect_uri", func(v url.Values) oauth.Registration {
			v.Set("redirect_uri", "https://one.example/cb")
			return w.client("basic")
		}},
		{"another client", func(v url.Values) oauth.Registration { return w.client("post") }},
		{"another code", func(v url.Values) oauth.Registration {
			v.Set("code", "yxc_"+v.Get("code")[5:]+"A")
			return w.client("basic")
		}},
		{"no code", func(v url.Values) oauth.Registration { v.Del("code"); return w.client("basic") }},
		{"late", func(v url.Values) oauth.Registration { w.clock.forward(61 * time.Second); return w.client("basic") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := b.authorize("basic")
			form := f.exchange()
			client := c.change(form)
			status, out := w.post("/oauth2/token", client, form)
			if status != 400 || str(out, "error") != "invalid_grant" {
				t.Errorf("%d %v", status, out)
			}
		})
	}
	t.Run("verifier where none was announced", func(t *testing.T) {
		f := b.authorize("legacy", "code_challenge", "", "code_challenge_method", "")
		if status, out := w.post("/oauth2/token", f.client, f.exchange()); status != 400 || str(out, "error") != "invalid_grant" {
			t.Errorf("%d %v", status, out)
		}
	})
	t.Run("client", func(t *testing.T) {
		wrong := w.client("basic")
		wrong.ClientSecret = "something else entirely"
		post := w.client("basic")
		post.AuthMethod = "client_secret_post"
		nobody := wrong
		nobody.ClientID = "nobody"
		for _, c := range []oauth.Registration{wrong, post, nobody, {ClientID: "basic", AuthMethod: "none"}} {
			if status, out := w.post("/oauth2/token", c, url.Values{"grant_type": {"client_credentials"}}); status != 401 || str(out, "error") != "invalid_client" {
				t.Errorf("%s by %s: %d %v", c.ClientID, c.AuthMethod, status, out)
			}
		}
	})
	t.Run("grant type", func(t *testing.T) {
		if status, out := w.post("/oauth2/token", w.client("basic"), url.Values{"grant_type": {"password"}}); status != 400 || str(out, "error") != "unsupported_grant_type" {
			t.Errorf("%d %v", status, out)
		}
		if status, out := w.post("/oauth2/token", w.client("legacy"), url.Values{"grant_type": {"client_credentials"}}); status != 400 || str(out, "error") != "unauthorized_client" {
			t.Errorf("%d %v", status, out)
		}
		if status, out := w.post("/oauth2/token", w.client("basic"), url.Values{"scope": {"openid"}}); status != 400 || str(out, "error") != "invalid_request" {
			t.Errorf("%d %v", status, out)
		}
	})
}

func TestCodeReuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	f := b.authorize("basic")
	_, out := w.post("/oauth2/token", f.client, f.exchange())
	access, token := str(out, "access_token"), str(out, "refresh_token")
	again := func() {
		t.Helper()
		if status, out := w.post("/oauth2/token", f.client, f.exchange()); status != 400 || str(out, "error") != "invalid_grant" {
			t.Errorf("again: %d %v", status, out)
		}
	}
	w.clock.forward(5 * time.Second)
	again()
	if !w.active(access) || !w.active(token) {
		t.Fatal("a double submit ended the family")
	}
	w.clock.forward(10 * time.Second)
	again()
	if w.active(access) || w.active(token) {
		t.Error("a code used twice leaves its tokens")
	}
	if status, out := w.post("/oauth2/token", f.client, refresh(token)); status != 400 || str(out, "error") != "invalid_grant" {
		t.Errorf("refresh after the end: %d %v", status, out)
	}
	if status, _ := w.userinfoStatus("GET", access); status != 401 {
		t.Errorf("userinfo after the end: %d", status)
	}
	again()

	// In another client's hands a used code is stolen at once.
	f = b.authorize("basic")
	_, out = w.post("/oauth2/token", f.client, f.exchange())
	if status, _ := w.post("/oauth2/token", w.client("post"), f.exchange()); status != 400 || w.active(str(out, "access_token")) {
		t.Errorf("stolen: %d, active %v", status, w.active(str(out, "access_token")))
	}
}

func TestRefreshReuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	c := w.client("basic")
	first := w.tokens(b, "basic")
	claims := w.idToken(str(first, "id_token"))
	old := str(first, "refresh_token")
	status, out := w.post("/oauth2/token", c, refresh(old))
	if status != 200 {
		t.Fatal(status, out)
	}
	next := str(out, "refresh_token")
	fresh := w.idToken(str(out, "id_token"))
	if fresh["sub"] != claims["sub"] || fresh["auth_time"] != claims["auth_time"] || fresh["sid"] != claims["sid"] || fresh["nonce"] != nil {
		t.Errorf("ID token of a refresh: %v", fresh)
	}
	// The answer was lost: the same child.
	w.clock.forward(29 * time.Second)
	if status, out = w.post("/oauth2/token", c, refresh(old)); status != 200 || str(out, "refresh_token") != next {
		t.Errorf("within the grace: %d %v", status, out)
	}
	// Another client, a narrower and a wider scope.
	if status, out = w.post("/oauth2/token", w.client("post"), refresh(next)); status != 400 || str(out, "error") != "invalid_grant" {
		t.Errorf("another client: %d %v", status, out)
	}
	form := refresh(next)
	form.Set("scope", "openid license.issue")
	if status, out = w.post("/oauth2/token", c, form); status != 400 || str(out, "error") != "invalid_scope" {
		t.Errorf("wider: %d %v", status, out)
	}
	form.Set("scope", "profile")
	if status, out = w.post("/oauth2/token", c, form); status != 200 || str(out, "scope") != "profile" || str(out, "id_token") != "" {
		t.Errorf("narrower: %d %v", status, out)
	}
	last := str(out, "refresh_token")
	if status, out = w.post("/oauth2/token", c, refresh(last)); status != 200 || str(out, "scope") != "openid profile offline_access" {
		t.Errorf("whole again: %d %v", status, out)
	}
	last, access := str(out, "refresh_token"), str(out, "access_token")
	// Long after its rotation an old one ends the family.
	w.clock.forward(31 * time.Second)
	if status, out = w.post("/oauth2/token", c, refresh(old)); status != 400 || str(out, "error") != "invalid_grant" {
		t.Errorf("reuse: %d %v", status, out)
	}
	if w.active(access) || w.active(last) {
		t.Error("a refresh token used twice leaves its family")
	}
	// The same holds for the very last one, when the grace is over.
	previous := str(w.tokens(b, "basic"), "refresh_token")
	if status, out = w.post("/oauth2/token", c, refresh(previous)); status != 200 {
		t.Fatal(status, out)
	}
	w.clock.forward(31 * time.Second)
	if status, _ = w.post("/oauth2/token", c, refresh(previous)); status != 400 || w.active(str(out, "refresh_token")) {
		t.Errorf("after the grace: %d, family active %v", status, w.active(str(out, "refresh_token")))
	}
	// A changed or an invented token is nobody's.
	for _, bad := range []string{"", "yxr_", last[:len(last)-1] + "A", last + "A", "yxa_" + last[4:]} {
		if status, out = w.post("/oauth2/token", c, refresh(bad)); status != 400 {
			t.Errorf("%q: %d %v", bad, status, out)
		}
	}
	if w.full != 0 {
		t.Errorf("%d answers were 5xx", w.full)
	}
}
