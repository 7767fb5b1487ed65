package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/license"
)

// binary builds the service once for all tests of the process that drive it from outside.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "yinxin-bin")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "yinxin")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

// running is a demonstration in a process of its own.
type running struct {
	t      testing.TB
	dir    string
	addr   string
	cmd    *exec.Cmd
	ended  chan error
	record record
	client *http.Client
	token  string
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "localhost:" + port
}

// startDemo starts a demonstration on a folder and waits until it says that it is ready.
func startDemo(t *testing.T, dir, addr string) *running {
	t.Helper()
	return startDemoUntil(t, dir, addr, t.Cleanup)
}

// startDemoUntil is startDemo for a demonstration that lives as long as atEnd says.
func startDemoUntil(t testing.TB, dir, addr string, atEnd func(func())) *running {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	r := &running{t: t, dir: dir, addr: addr, ended: make(chan error, 1), client: &http.Client{Timeout: 30 * time.Second}}
	ready := filepath.Join(dir, "demo.json")
	if err := ignoreMissing(os.Remove(ready)); err != nil {
		t.Fatal(err)
	}
	var words bytes.Buffer
	r.cmd = exec.Command(path, "demo", "-data", dir, "-addr", addr)
	r.cmd.Stdout, r.cmd.Stderr = io.Discard, &words
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	deadline := time.After(3 * time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		b, err := os.ReadFile(ready)
		if err == nil {
			if err := json.Unmarshal(b, &r.record); err != nil {
				t.Fatal(err)
			}
			break
		}
		select {
		case err := <-r.ended:
			t.Fatalf("the demonstration ended while starting: %v\n%s", err, words.String())
		case <-deadline:
			t.Fatalf("the demonstration does not get ready:\n%s", words.String())
		case <-tick.C:
		}
	}
	atEnd(r.kill)
	return r
}

// kill ends the process at once.
func (r *running) kill() {
	if r.cmd == nil {
		return
	}
	if err := r.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		panic(err) // a test that cannot end what it started must not go on
	}
	<-r.ended
	r.cmd = nil
}

// stop ends it as Ctrl-C does, and wants a clean end.
func (r *running) stop() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
		r.t.Fatal(err)
	}
	select {
	case err := <-r.ended:
		if err != nil {
			r.t.Errorf("the demonstration did not stop cleanly: %v", err)
		}
	case <-time.After(time.Minute):
		r.t.Error("the demonstration does not stop")
		r.kill()
	}
	r.cmd = nil
}

// login gets a token for the first client by client_credentials.
func (r *running) login(ctx context.Context) error {
	c := r.record.Clients[0]
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"license.issue license.read license.revoke license.present verify"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.record.BaseURL+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret))
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	status, body, err := r.do(req)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("token: %d %s %w", status, body, err)
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	r.token = answer.AccessToken
	return nil
}

func (r *running) do(req *http.Request) (int, []byte, error) {
	res, err := r.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, body, errors.Join(err, res.Body.Close())
}

// call makes one API call and decodes the answer into to, when that is not nil.
func (r *running) call(ctx context.Context, method, path string, in, to any) (int, []byte, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.record.BaseURL+"/api/v1"+path, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	status, answer, err := r.do(req)
	if err == nil && to != nil && status < 300 {
		err = json.Unmarshal(answer, to)
	}
	return status, answer, err
}

// issueBody is the API's form of a request.
func issueBody(req license.IssueRequest) map[string]any {
	return map[string]any{
		"kind": req.Kind, "office": req.Office, "business_no": req.BusinessNo, "holders": req.Holders, "fields": req.Fields,
		"matter": req.Act.Matter, "case_no": "99-1", "reason": req.Act.Reason, "legal_basis": req.Act.LegalBasis,
	}
}
