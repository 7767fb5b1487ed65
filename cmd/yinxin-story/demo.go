package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// demo is demo.json: how to drive a running demonstration from outside.
type demo struct {
	BaseURL    string        `json:"base_url"`
	Issuer     string        `json:"issuer"`
	Accounts   []demoAccount `json:"accounts"`
	Clients    []demoClient  `json:"clients"`
	TrustList  string        `json:"trust_list"`
	WitnessURL string        `json:"witness_url"`
}

type demoAccount struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Role     string `json:"role"`
	Office   string `json:"office"`
}

type demoClient struct {
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	RedirectURIs []string `json:"redirect_uris"`
	GrantTypes   []string `json:"grant_types"`
	Scope        string   `json:"scope"`
}

// readDemo reads demo.json and refuses one that lacks what the story needs.
func readDemo(path string) (*demo, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "demo_json", "demo.json cannot be read").
			WithHint("start a demonstration first: yinxin demo -data DIR writes DIR/demo.json when it is ready")
	}
	var d demo
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "demo_json", "demo.json is not what yinxin demo writes")
	}
	base, err := url.Parse(d.BaseURL)
	if err != nil || base.Host == "" {
		return nil, fault.New(fault.Invalid, "demo_json", "demo.json names no base_url")
	}
	d.BaseURL = strings.TrimRight(d.BaseURL, "/")
	if len(d.Accounts) == 0 || d.Accounts[0].Role != "citizen" {
		return nil, fault.New(fault.Invalid, "demo_json", "the first account of demo.json is no citizen")
	}
	if _, err := d.second(); err != nil {
		return nil, err
	}
	return &d, nil
}

// account finds an account by login.
func (d *demo) account(login string) (demoAccount, error) {
	for _, a := range d.Accounts {
		if a.Login == login {
			return a, nil
		}
	}
	return demoAccount{}, fault.New(fault.Invalid, "demo_json", fmt.Sprintf("demo.json has no account %q", login))
}

// second is the application at which nobody should be asked for a password again.
func (d *demo) second() (demoClient, error) {
	for i, c := range d.Clients {
		if i > 0 && len(c.RedirectURIs) > 0 && (c.ClientID == "app-two" || i == len(d.Clients)-1) {
			return c, nil
		}
	}
	return demoClient{}, fault.New(fault.Invalid, "demo_json", "demo.json has no two applications that people sign in at")
}

// codeEnded is the code of the error for a demonstration that ended without being asked to.
const codeEnded = "demo_ended"

// ownDemo is a demonstration that the story started.
type ownDemo struct {
	demo   *demo
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process has ended
	result error         // of the process, once ended
	log    string
}

// startDemo starts a demonstration with its data in folder/data.
func startDemo(ctx context.Context, binary, folder string) (*ownDemo, error) {
	data := filepath.Join(folder, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "data_folder", "the data folder cannot be made")
	}
	record := filepath.Join(data, "demo.json")
	addr, err := address(record)
	if err != nil {
		return nil, err
	}
	// What an earlier run left would look like readiness.
	if err := os.Remove(record); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(err, fault.Internal, "demo_json", "the demo.json of an earlier run cannot be removed")
	}
	o := &ownDemo{ended: make(chan struct{}), log: filepath.Join(folder, "demo.log")}
	log, err := os.Create(o.log)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "out_folder", "the demonstration's words cannot be kept")
	}
	o.cmd = exec.Command(binary, "demo", "-data", data, "-addr", addr)
	o.cmd.Stdout, o.cmd.Stderr = log, log
	// A group of its own: Ctrl-C reaches the story first, which then stops the demonstration in order.
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = o.cmd.Start()
	if closing := log.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "demo_start", "the demonstration cannot be started")
	}
	go func() {
		o.result = o.cmd.Wait()
		close(o.ended)
	}()
	if o.demo, err = o.ready(ctx, record); err != nil {
		if fault.CodeOf(err) != codeEnded {
			err = errors.Join(err, o.stop())
		}
		return nil, err
	}
	return o, nil
}

// ready waits until demo.json is there and its address answers.
func (o *ownDemo) ready(ctx context.Context, record string) (*demo, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	client := &http.Client{Timeout: 5 * time.Second}
	tick := time.NewTicker(pollPause)
	defer tick.Stop()
	for {
		if _, err := os.Stat(record); err == nil {
			d, err := readDemo(record)
			if err != nil {
				return nil, err
			}
			if answers(ctx, client, d.BaseURL) {
				return d, nil
			}
		}
		select {
		case <-o.ended:
			return nil, fault.Wrap(o.result, fault.Unavailable, codeEnded, "the demonstration ended before it was ready: "+o.lastWords()).
				WithHint("all its words are in " + o.log)
		case <-ctx.Done():
			return nil, fault.Wrap(context.Cause(ctx), fault.Unavailable, "demo_slow", "the demonstration was not ready in time: "+o.lastWords()).
				WithHint("all its words are in " + o.log)
		case <-tick.C:
		}
	}
}

func answers(ctx context.Context, client *http.Client, base string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/", nil)
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, maxBody))
	return errors.Join(err, res.Body.Close()) == nil && res.StatusCode == http.StatusOK
}

// lastWords are the last lines that the demonstration said.
func (o *ownDemo) lastWords() string {
	b, err := os.ReadFile(o.log)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}

// stop ends the demonstration as Ctrl-C would and waits for it.
func (o *ownDemo) stop() error {
	select {
	case <-o.ended:
		return fault.Wrap(o.result, fault.Unavailable, codeEnded, "the demonstration ended by itself: "+o.lastWords()).WithHint("all its words are in " + o.log)
	default:
	}
	if err := o.cmd.Process.Signal(os.Interrupt); err != nil {
		return fault.Wrap(err, fault.Internal, "demo_stop", "the demonstration cannot be stopped")
	}
	timer := time.NewTimer(waitLimit)
	defer timer.Stop()
	select {
	case <-o.ended:
		if o.result != nil {
			return fault.Wrap(o.result, fault.Internal, "demo_stop", "the demonstration did not stop cleanly: "+o.lastWords()).WithHint("all its words are in " + o.log)
		}
		return nil
	case <-timer.C:
		return errors.Join(fault.New(fault.Internal, "demo_stop", "the demonstration did not stop").WithHint("its words are in "+o.log), o.cmd.Process.Kill())
	}
}

// findYinxin finds the service: beside this program first, so that both are of one build.
func findYinxin() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), "yinxin")
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	path, err := exec.LookPath("yinxin")
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "yinxin_missing", "there is no yinxin beside this program, nor on PATH").
			WithHint("build both with `make build`, or drive a running one with -demo DIR/demo.json")
	}
	return path, nil
}

// address is where the demonstration shall listen: where it did before in this folder, because codes printed on licenses
// hold that address, else on a free port.
func address(record string) (string, error) {
	if d, err := readDemo(record); err == nil {
		if u, err := url.Parse(d.BaseURL); err == nil && u.Scheme == "http" && u.Port() != "" {
			if l, err := net.Listen("tcp", u.Host); err == nil {
				return u.Host, l.Close()
			}
		}
	}
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "port", "this machine gives no port to listen on")
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return net.JoinHostPort("localhost", port), errors.Join(err, l.Close())
}
