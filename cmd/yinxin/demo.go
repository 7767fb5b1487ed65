package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/sample"
)

// Limits of the public listener.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 60 * time.Second // a file of the largest size over a village link
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	drainTimeout      = 15 * time.Second
	maxHeader         = 64 << 10
)

type demoOptions struct {
	dir, addr, issuer, fonts string
}

// runDemo starts a sample province and everything that it needs in one folder, and stops it cleanly with the context.
func runDemo(ctx context.Context, args []string, out, talk io.Writer) error {
	var o demoOptions
	set := flag.NewFlagSet("demo", flag.ContinueOnError)
	set.SetOutput(talk)
	set.StringVar(&o.dir, "data", "data", "folder for everything that is kept; made when it is not there")
	set.StringVar(&o.addr, "addr", "localhost:8420", "address to listen on, host:port")
	set.StringVar(&o.issuer, "issuer", "", "public origin when a front terminates TLS, such as https://id.example.org")
	set.StringVar(&o.fonts, "fonts", "", "folder with the LXGW WenKai fonts (default: where the Debian package fonts-lxgw-wenkai puts them)")
	if err := parse(set, args); err != nil {
		return err
	}
	if o.dir == "" {
		return fault.New(fault.Invalid, "data_dir", "the data folder has no name").WithHint("name one with -data, or leave the flag out")
	}
	host, port, err := net.SplitHostPort(o.addr)
	if n, bad := strconv.ParseUint(port, 10, 16); err == nil && (bad != nil || n > 65535) {
		err = errors.Join(errors.New("a port is a number up to 65535"), bad)
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "addr_malformed", "the address to listen on is not understood").WithHint("write it like localhost:8420")
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "addr_in_use", "the address "+o.addr+" cannot be listened on").
			WithHint("another program may use it; choose another with -addr")
	}
	if port == "0" {
		_, port, err = net.SplitHostPort(listener.Addr().String())
		if err != nil {
			return errors.Join(err, listener.Close())
		}
	}
	base := o.issuer
	if base == "" {
		if host == "" || host == "0.0.0.0" || host == "::" || host == "127.0.0.1" {
			host = "localhost" // passkeys and secure contexts know localhost, not a bare address
		}
		base = "http://" + net.JoinHostPort(host, port)
	}
	return errors.Join(demo(ctx, o, strings.TrimRight(base, "/"), listener, out, talk), ignoreClosed(listener.Close()))
}

// demo runs the province on a listener until ctx ends.
func demo(ctx context.Context, o demoOptions, base string, listener net.Listener, out, talk io.Writer) (err error) {
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "data_dir", "the data folder has no absolute path")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Wrap(err, fault.Invalid, "data_dir", "the data folder cannot be made").
			WithHint("is there a file of that name, or a folder above it that may not be written?")
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	logFile, err := os.OpenFile(filepath.Join(dir, "yinxin.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "log_file", "the log file cannot be opened")
	}
	defer func() { err = errors.Join(err, logFile.Close()) }()
	logger := slog.New(slog.NewTextHandler(logFile, &slog.HandlerOptions{Level: slog.LevelInfo}))

	began := time.Now()
	say := func(format string, a ...any) {
		fmt.Fprintf(talk, "yinxin: %6.1fs  "+format+"\n", append([]any{time.Since(began).Seconds()}, a...)...)
	}
	defer func() {
		if ctx.Err() != nil && err != nil {
			// Ctrl-C while parts were still opening: whatever they say about it, they were told to stop.
			logger.Info("stopped before everything was up", "error", err)
			fmt.Fprintln(talk, "yinxin: stopped before it was ready; a second start continues")
			err = nil
		}
	}()
	p, err := openPlatform(ctx, platformOptions{Dir: dir, Base: base, Fonts: o.fonts, Logger: logger, Say: say})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	p.start(ctx)
	if err := p.seed(ctx); err != nil {
		return err
	}

	server := &http.Server{
		Handler: p.handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	// Whoever connected meanwhile has waited in the listener's queue: nobody meets a province that is only half there.
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		// The listener is closed by Shutdown; requests under way get their answers.
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		err = errors.Join(err, server.Shutdown(stop))
	}()
	if err := p.record.write(dir); err != nil {
		return err
	}
	say("ready")
	welcome(out, p)
	select {
	case <-ctx.Done():
		fmt.Fprintln(talk, "yinxin: stopping; a second start continues with the same data")
		return nil
	case err := <-served:
		return fault.Wrap(err, fault.Internal, "listener", "the listener ended")
	case <-p.cluster.Done():
		return fault.New(fault.Unavailable, "postgres_ended", "the private PostgreSQL server ended").
			WithHint("its own words are in " + filepath.Join(dir, "postgres", "postgres.log"))
	}
}

// welcome prints what to open and with which accounts.
func welcome(w io.Writer, p *platform) {
	base := p.record.BaseURL
	fmt.Fprintf(w, "\n印信 Yinxin · %s(样例数据,不对应任何真实的人或机构)\n\n", sample.ProvinceName)
	for _, l := range [][2]string{
		{base + "/", "首页 / start here"},
		{base + "/wallet", "我的证照 / citizen's wallet"},
		{base + "/verify", "扫码核验 / verify a license"},
		{base + "/dept", "部门发证 / department console"},
		{base + "/developers", "接口文档 / API"},
	} {
		fmt.Fprintf(w, "  %-34s %s\n", l[0], l[1])
	}
	fmt.Fprintln(w, "\n样例账号 / sample accounts:")
	for _, a := range sample.Accounts() {
		fmt.Fprintf(w, "  %-16s %-18s %s / %s\n", a.Login, a.Password, a.Words, a.WordsEN)
	}
	fmt.Fprintf(w, "\n  %s\n", filepath.Join(p.dir, "demo.json"))
	fmt.Fprintln(w, "\n演示环境:密钥口令与密钥同处一机,自建证书根,明文口令,仅限本机。不得用于真实数据。")
	fmt.Fprintln(w, "A demonstration: its key file's passphrase lies beside it, its CA is its own, its passwords are printed. Not for real data.")
	fmt.Fprintln(w, "Ctrl-C 停止 / Ctrl-C stops it.")
}

// lockFolder makes sure that one process at a time runs on a data folder.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "data_dir", "the data folder cannot be written")
	}
	if err := flock(f); err != nil {
		return nil, errors.Join(fault.Wrap(err, fault.Conflict, "data_in_use", "another yinxin runs on this data folder").
			WithHint("stop it first, or choose another folder with -data"), f.Close())
	}
	return f, nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// flock takes a lock. One that is held is tried again for a moment: a process that is being started holds every descriptor of
// its parent between fork and exec, so a lock that was just let go of may live on that long.
func flock(f *os.File) error {
	const patience = 300 * time.Millisecond
	for deadline := time.Now().Add(patience); ; time.Sleep(patience / 10) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			return err
		}
	}
}
