// Command yinxin-verify judges documents, seals, codes and proofs offline: it opens files, never a connection.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/verify"
)

// Exit statuses.
const (
	exitValid   = 0
	exitInvalid = 1
	exitUnknown = 2
	exitUsage   = 3
)

// maxInput bounds each file that is read; packages have their own limits inside.
const maxInput = 256 << 20

type options struct {
	trust, state, proof, at string
	json, current, chinese  bool
	input                   string
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, time.Now)) }

func run(args []string, in io.Reader, out, talk io.Writer, now func() time.Time) int {
	o, err := parse(args, talk)
	if errors.Is(err, flag.ErrHelp) {
		return exitValid
	}
	if err == nil {
		var report verdict.Report
		if report, err = judge(o, in, now); err == nil {
			if o.json {
				err = printJSON(out, report)
			} else {
				err = printWords(out, report, o.chinese)
			}
			if err == nil {
				return status(report.Verdict, o.current)
			}
		}
	}
	fmt.Fprintf(talk, "yinxin-verify: error: %v\n", err)
	var f *fault.Error
	if errors.As(err, &f) && f.Hint != "" {
		fmt.Fprintf(talk, "yinxin-verify: hint: %s\n", f.Hint)
	}
	return exitUsage
}

func parse(args []string, talk io.Writer) (options, error) {
	var o options
	set := flag.NewFlagSet("yinxin-verify", flag.ContinueOnError)
	set.SetOutput(talk)
	set.StringVar(&o.trust, "trust", "", "trust list, or PEM file of anchors; without it nobody is known")
	set.StringVar(&o.state, "trust-state", "", "file that remembers the highest trust list seen")
	set.StringVar(&o.proof, "proof", "", "ledger proof (.proof) of the document")
	set.StringVar(&o.at, "at", "", "judge as of this time, RFC 3339 (default: now)")
	set.BoolVar(&o.json, "json", false, "print the verdict as JSON")
	set.BoolVar(&o.current, "current", false, "anything but valid as of now is a failure")
	set.BoolVar(&o.chinese, "zh", strings.HasPrefix(os.Getenv("LANG"), "zh"), "explain in Chinese")
	set.Usage = func() {
		fmt.Fprintln(talk, "usage: yinxin-verify [flags] FILE|CODE|-")
		fmt.Fprintln(talk, "judges an OFD file, a seal, a signature value, a proof or a code, offline")
		set.PrintDefaults()
		fmt.Fprintln(talk, "exit status: 0 valid (also as of a named time), 1 not valid, 2 cannot determine, 3 unusable input or usage")
	}
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, fault.Wrap(err, fault.Invalid, "flags", "the flags are not understood").WithHint("yinxin-verify -h lists them")
	}
	if set.NArg() != 1 {
		return o, fault.New(fault.Invalid, "flags", fmt.Sprintf("one file or code is judged at a time, not %d", set.NArg())).
			WithHint("flags stand before the file: yinxin-verify --trust trust.json license.ofd")
	}
	if o.state != "" && o.trust == "" {
		return o, fault.New(fault.Invalid, "flags", "--trust-state remembers a trust list, and none is given").
			WithHint("add --trust FILE")
	}
	o.input = set.Arg(0)
	return o, nil
}

func judge(o options, in io.Reader, now func() time.Time) (verdict.Report, error) {
	at := now().UTC()
	if o.at != "" {
		t, err := time.Parse(time.RFC3339, o.at)
		if err != nil {
			return verdict.Report{}, fault.Wrap(err, fault.Invalid, "at_malformed", "the time of --at is not understood").
				WithHint("write it like 2026-11-21T08:00:00Z")
		}
		at = t.UTC()
	}
	trust, err := openTrust(o, at)
	if err != nil {
		return verdict.Report{}, err
	}
	var proof []byte
	if o.proof != "" {
		if proof, err = readFile(o.proof); err != nil {
			return verdict.Report{}, err
		}
	}
	file, err := readInput(o.input, in)
	if err != nil {
		return verdict.Report{}, err
	}
	return verify.Judge{Trust: trust, At: at}.Bytes(file, proof)
}

// openTrust reads the trust list and keeps what is to be remembered of it before any verdict is given.
func openTrust(o options, at time.Time) (verify.Trust, error) {
	if o.trust == "" {
		return verify.Trust{}, nil
	}
	file, err := readFile(o.trust)
	if err != nil {
		return verify.Trust{}, err
	}
	var state []byte
	if o.state != "" {
		if state, err = readFile(o.state); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return verify.Trust{}, err
		}
	}
	trust, kept, err := verify.OpenTrust(file, state, o.state != "", at)
	if err != nil {
		return verify.Trust{}, err
	}
	if o.state != "" && string(kept) != string(state) {
		if err := replace(o.state, kept); err != nil {
			return verify.Trust{}, err
		}
	}
	return trust, nil
}

// replace writes a file whole or not at all, so that a kill leaves no half-remembered state.
func replace(path string, data []byte) error {
	wrap := func(err error) error {
		return fault.Wrap(err, fault.Invalid, "trust_state_unwritable", "what is to be remembered of the trust list cannot be kept").
			WithHint("--trust-state names a file in a folder that can be written")
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".trust-state.*")
	if err != nil {
		return wrap(err)
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return wrap(errors.Join(err, os.Remove(tmp.Name())))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return wrap(err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil { // or the new name may be forgotten
		return wrap(err)
	}
	return nil
}

// readInput reads the file named, standard input for "-", or takes the argument itself when it is a code and no file.
func readInput(name string, in io.Reader) ([]byte, error) {
	if name == "-" {
		return readAll(in, "standard input")
	}
	b, err := readFile(name)
	if err != nil && !errors.Is(err, fs.ErrPermission) && verify.IsCode(name) {
		return []byte(name), nil
	}
	return b, err
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, unreadable(err)
	}
	b, err := readAll(f, name)
	return b, errors.Join(err, f.Close())
}

func unreadable(err error) error {
	return fault.Wrap(err, fault.Invalid, "file_unreadable", "the file cannot be read")
}

func readAll(r io.Reader, name string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if len(b) > maxInput {
		return nil, fault.New(fault.TooLarge, "file_too_large", name+" is over 256 MiB")
	}
	return b, nil
}

func status(w verdict.Word, current bool) int {
	switch w {
	case verdict.Valid:
		return exitValid
	case verdict.ValidAsOf:
		if current {
			return exitUnknown
		}
		return exitValid
	case verdict.CannotDetermine:
		return exitUnknown
	case verdict.NotValid:
		return exitInvalid
	}
	return exitInvalid
}

func printJSON(w io.Writer, r verdict.Report) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
