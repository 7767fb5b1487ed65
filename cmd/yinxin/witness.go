package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/hsm/soft"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/witness"
)

// witnessReady is what a witness writes into its folder once it listens: how to reach it and how to check it.
type witnessReady struct {
	URL string `json:"url"`
	Key string `json:"key"` // in the text form of ledger.Key
	PID int    `json:"pid"`
}

// runWitness is a witness in a process, a folder and a key of its own: in production, in another office.
func runWitness(ctx context.Context, args []string, out, talk io.Writer) (err error) {
	set := flag.NewFlagSet("witness", flag.ContinueOnError)
	set.SetOutput(talk)
	dir := set.String("data", "witness", "the witness's folder")
	addr := set.String("addr", "127.0.0.1:0", "address to listen on, host:port")
	name := set.String("name", "witness.example/one", "name under which it cosigns")
	logKey := set.String("log", "", "key of the log to watch, as it stands in ledger.key of the service's data folder")
	if err := parse(set, args); err != nil {
		return err
	}
	watched, err := ledger.ParseKey(strings.TrimSpace(*logKey))
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "log_key_malformed", "the key of the log is not understood").WithHint("pass the line that stands in ledger.key of the service's data folder")
	}
	if err := os.MkdirAll(*dir, 0o700); err != nil {
		return fault.Wrap(err, fault.Internal, "data_dir", "the witness's folder cannot be made")
	}
	keys, err := witnessKeys(ctx, *dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, keys.Close()) }()
	signer, err := keys.Key(ctx, keyWitness)
	if err != nil {
		return err
	}
	w, err := witness.Open(witness.Options{Dir: filepath.Join(*dir, "state"), Name: *name, Signer: signer, Logs: []ledger.Key{watched}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "addr_in_use", "the address cannot be listened on")
	}
	ready, err := json.Marshal(witnessReady{URL: "http://" + listener.Addr().String(), Key: w.Key().String(), PID: os.Getpid()})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := writeFile(filepath.Join(*dir, "ready.json"), ready, 0o644); err != nil {
		return errors.Join(err, listener.Close())
	}
	fmt.Fprintf(out, "%s\n", ready)
	server := w.Server(*addr)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case <-ctx.Done():
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		return server.Shutdown(stop)
	case err := <-served:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fault.Wrap(err, fault.Internal, "listener", "the listener ended")
	}
}

// witnessKeys opens the witness's own sealed key file, or makes it.
func witnessKeys(ctx context.Context, dir string) (*soft.Provider, error) {
	passphrase, err := passphraseFile(filepath.Join(dir, "passphrase"))
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "keys.sealed")
	var p *soft.Provider
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		p, err = soft.Create(file, passphrase, soft.Options{})
		if err != nil {
			return nil, err
		}
	} else if p, err = soft.Open(file, passphrase); err != nil {
		return nil, err
	}
	err = hsm.Ensure(ctx, p, []hsm.KeyRequest{{Ref: keyWitness, Policy: hsm.Policy{Algorithm: hsm.SM2, Purpose: "witness"}}})
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// witnessProcess is the demonstration's witness.
type witnessProcess struct {
	URL   string
	Key   ledger.Key
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended
	exit  error         // how; read after ended
}

// startWitness runs this program again as the witness and waits until it listens. The witness dies with us. One that an
// earlier start left behind, killed like its parent, may need a moment to let go of its folder.
func startWitness(ctx context.Context, dir, addr string, log ledger.Key) (w *witnessProcess, err error) {
	for i := range 10 {
		if i == 6 {
			addr = anyPort // somebody else has taken the port meanwhile
		}
		if w, err = tryWitness(ctx, dir, addr, log); err == nil || ctx.Err() != nil {
			return w, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
	return nil, err
}

func tryWitness(ctx context.Context, dir, addr string, log ledger.Key) (*witnessProcess, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "data_dir", "the witness's folder cannot be made")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "executable", "this program cannot find itself")
	}
	readyFile := filepath.Join(dir, "ready.json")
	if err := ignoreMissing(os.Remove(readyFile)); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "data_dir", "the witness's folder cannot be written")
	}
	talk, err := os.OpenFile(filepath.Join(dir, "witness.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "log_file", "the witness's log file cannot be opened")
	}
	cmd := exec.Command(self, "witness", "-data", dir, "-addr", addr, "-log", log.String())
	cmd.Stdout, cmd.Stderr = talk, talk
	// A signal to the terminal's whole group must not reach the witness before we have stopped; our own end must.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	w := &witnessProcess{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Pdeathsig watches the thread that started the child, so it must live as long
		err := cmd.Start()
		started <- err
		if err == nil {
			w.exit = cmd.Wait()
			close(w.ended)
		}
	}()
	err = <-started
	if closing := talk.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "witness_start", "the witness cannot be started")
	}
	if err := w.await(ctx, readyFile); err != nil {
		return nil, errors.Join(err, w.stop())
	}
	return w, nil
}

func (w *witnessProcess) await(ctx context.Context, file string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		b, err := os.ReadFile(file)
		if err == nil {
			var ready witnessReady
			if err := json.Unmarshal(b, &ready); err != nil {
				return fault.Wrap(err, fault.Internal, "witness_start", "the witness's own words cannot be read")
			}
			if ready.PID != w.cmd.Process.Pid {
				return fault.New(fault.Internal, "witness_start", "another witness answered in our witness's place")
			}
			w.URL = ready.URL
			w.Key, err = ledger.ParseKey(ready.Key)
			return err
		}
		select {
		case <-w.ended:
			return fault.Wrap(w.exit, fault.Internal, "witness_start", "the witness ended while starting").
				WithHint("its own words are in " + filepath.Join(filepath.Dir(file), "witness.log"))
		case <-ctx.Done():
			return fault.Wrap(ctx.Err(), fault.Unavailable, "witness_start", "the witness does not answer")
		case <-tick.C:
		}
	}
}

// stop ends the witness and waits for it.
func (w *witnessProcess) stop() error {
	select {
	case <-w.ended:
		return nil
	default:
	}
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fault.Wrap(err, fault.Internal, "witness_stop", "the witness could not be told to stop")
	}
	select {
	case <-w.ended:
		return nil
	case <-time.After(drainTimeout):
		return fault.Wrap(w.cmd.Process.Kill(), fault.Internal, "witness_stop", "the witness did not stop and was killed")
	}
}
