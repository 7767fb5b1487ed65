// Command yinxin-story plays the people of the sample province over HTTP, as they would act, and leaves the evidence in a
// folder: two applications sign a citizen in, officers issue and revoke, the citizen shows, a clerk verifies, the ledger
// proves.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// The story waits for the service, never for luck: each wait has an end, and so has the whole.
const (
	wholeLimit = 10 * time.Minute
	startLimit = 3 * time.Minute // of a first start: cluster, keys, seals
	waitLimit  = 90 * time.Second
	pollPause  = 150 * time.Millisecond
)

type options struct {
	out, demo, chromium string
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run plays one command line: stdout is the story, stderr is talk.
func run(args []string, out, talk io.Writer) int {
	var o options
	set := flag.NewFlagSet("yinxin-story", flag.ContinueOnError)
	set.SetOutput(talk)
	set.StringVar(&o.out, "out", "", "folder for the evidence; made when it is not there")
	set.StringVar(&o.demo, "demo", "", "demo.json of a running demonstration (default: start one of our own in OUT/data)")
	set.StringVar(&o.chromium, "headless-chromium", "", "Chromium to take pictures with (default: the one on PATH)")
	err := set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		err = fault.Wrap(err, fault.Invalid, "flags", "the flags are not understood").WithHint("yinxin-story -h lists them")
	case set.NArg() > 0:
		err = fault.New(fault.Invalid, "flags", fmt.Sprintf("%q is one word too many", set.Arg(0)))
	case o.out == "":
		err = fault.New(fault.Invalid, "flags", "the story needs a folder for its evidence").WithHint("yinxin-story -out DIR")
	default:
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		ctx, cancel := context.WithTimeoutCause(ctx, wholeLimit, fault.New(fault.Unavailable, "story_slow", "the story did not end in "+wholeLimit.String()))
		defer cancel()
		err = tell(ctx, o, out)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintf(talk, "yinxin-story: error: %v\n", err)
	var f *fault.Error
	if errors.As(err, &f) && f.Hint != "" {
		fmt.Fprintf(talk, "yinxin-story: hint: %s\n", f.Hint)
	}
	return fault.KindOf(err).ExitStatus()
}

// tell plays the whole story against a demonstration, its own or one that runs.
func tell(ctx context.Context, o options, out io.Writer) (err error) {
	folder, err := filepath.Abs(o.out)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "out_folder", "the folder for the evidence has no absolute path")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fault.Wrap(err, fault.Invalid, "out_folder", "the folder for the evidence cannot be made")
	}
	chromium, err := findChromium(o.chromium) // asked for first: nobody should wait a minute to hear of it
	if err != nil {
		return err
	}
	n := &narrator{out: out, began: time.Now()}
	var d *demo
	if o.demo != "" {
		if d, err = readDemo(o.demo); err != nil {
			return err
		}
	} else {
		var own *ownDemo
		err = n.step("启动示范省", "start a sample province", func() (string, error) {
			binary, err := findYinxin()
			if err != nil {
				return "", err
			}
			if own, err = startDemo(ctx, binary, folder); err != nil {
				return "", err
			}
			d = own.demo
			return d.BaseURL, nil
		})
		if err != nil {
			return err
		}
		defer func() {
			stopped := n.step("停止示范省", "stop the sample province; its data stay in "+filepath.Join(o.out, "data"), func() (string, error) {
				return "", own.stop()
			})
			if err == nil && stopped == nil {
				n.close(o.out)
			}
			err = errors.Join(err, stopped)
		}()
	}
	s, err := newStory(ctx, d, folder, chromium, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.play(ctx); err != nil {
		return err
	}
	if o.demo != "" {
		n.close(o.out)
	}
	return nil
}

// narrator prints each step with its duration.
type narrator struct {
	out   io.Writer
	began time.Time
	n     int
}

// step plays one step. Its note, if it gives one, stands behind the words.
func (n *narrator) step(zh, en string, play func() (note string, err error)) error {
	n.n++
	began := time.Now()
	note, err := play()
	took := time.Since(began)
	if err != nil {
		fmt.Fprintf(n.out, "%2d  ✗ %7.2f s  %s · %s\n", n.n, took.Seconds(), zh, en)
		return fmt.Errorf("step %d, %s: %w", n.n, en, err)
	}
	fmt.Fprintf(n.out, "%2d  ✓ %7.2f s  %s · %s", n.n, took.Seconds(), zh, en)
	if note != "" {
		fmt.Fprintf(n.out, " · %s", note)
	}
	fmt.Fprintln(n.out)
	return nil
}

func (n *narrator) close(folder string) {
	fmt.Fprintf(n.out, "\n全部完成 · the whole took %.1f s; the evidence is in %s\n", time.Since(n.began).Seconds(), folder)
	fmt.Fprintf(n.out, "离线核验 · judge it offline: yinxin-verify --trust %[1]s/trust.json --proof %[1]s/license.proof --json %[1]s/license.ofd\n", folder)
}
