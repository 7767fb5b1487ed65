// Command yinxin is the service: identity, seals, licenses and ledger of a province in one process, and the only place
// where all parts are put together.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// command is one word after "yinxin".
type command struct {
	name, summary string
	run           func(ctx context.Context, args []string, out, talk io.Writer) error
}

func commands() []command {
	return []command{
		{"demo", "start a sample province with everything it needs in one folder", runDemo},
		{"witness", "start a witness that cosigns a ledger's checkpoints", runWitness},
		{"version", "print the version", runVersion},
	}
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run plays one command line: stdout is data, stderr is talk.
func run(args []string, out, talk io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(talk)
		if len(args) == 0 {
			return 3
		}
		return 0
	}
	for _, c := range commands() {
		if c.name != strings.TrimLeft(args[0], "-") { // --version, --help and the like are meant, too
			continue
		}
		err := c.run(ctx, args[1:], out, talk)
		if err == nil || errors.Is(err, flag.ErrHelp) {
			return 0
		}
		complain(talk, err)
		return fault.KindOf(err).ExitStatus()
	}
	complain(talk, fault.New(fault.Invalid, "command_unknown", fmt.Sprintf("unknown command %q", args[0])).
		WithHint("`yinxin help` lists the commands"))
	return 3
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: yinxin COMMAND [flags]")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-8s %s\n", c.name, c.summary)
	}
	fmt.Fprintln(w, "`yinxin COMMAND -h` lists a command's flags.")
}

func complain(w io.Writer, err error) {
	fmt.Fprintf(w, "yinxin: error: %v\n", err)
	var f *fault.Error
	if errors.As(err, &f) && f.Hint != "" {
		fmt.Fprintf(w, "yinxin: hint: %s\n", f.Hint)
	}
}

// parse reads a command's flags and refuses words that are left over.
func parse(fs *flag.FlagSet, args []string) error {
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fault.Wrap(err, fault.Invalid, "flags", "the flags are not understood").WithHint("`yinxin " + fs.Name() + " -h` lists them")
	}
	if fs.NArg() > 0 {
		return fault.New(fault.Invalid, "flags", fmt.Sprintf("%q is one word too many", fs.Arg(0)))
	}
	return nil
}

func runVersion(_ context.Context, _ []string, out, _ io.Writer) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fault.New(fault.Internal, "build_info", "this binary carries no build information")
	}
	fmt.Fprintf(out, "yinxin %s %s\n", info.Main.Version, info.GoVersion)
	return nil
}
