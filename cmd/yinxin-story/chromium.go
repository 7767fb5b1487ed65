package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// pageLimit bounds everything that is asked of one page.
const pageLimit = 30 * time.Second

// findChromium finds the browser that takes the pictures, and names the package when there is none.
func findChromium(path string) (string, error) {
	names := []string{path}
	if path == "" {
		names = []string{"chromium", "chromium-browser", "google-chrome"}
	}
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil {
			return found, nil
		}
	}
	return "", fault.New(fault.Invalid, "chromium_missing", "Chromium is missing; the pictures are taken with it").
		WithHint("install the Debian package chromium, or name one with -headless-chromium PATH")
}

// chromium is a running browser.
type chromium struct {
	ctx  context.Context
	stop context.CancelFunc
	dir  string
}

// openChromium starts a headless browser with a fresh profile. More flags can be given as name and value.
func openChromium(ctx context.Context, path string, flags map[string]any) (*chromium, error) {
	dir, err := os.MkdirTemp("", "yinxin-chromium-")
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "chromium", "the browser's profile cannot be made")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "zh-CN"),
		chromedp.Flag("accept-lang", "zh-CN"), chromedp.Flag("hide-scrollbars", true))
	// Chromium refuses to sandbox for root, and cannot where user namespaces are closed and its set-uid helper is not
	// installed. It visits nothing but pages of ours on this machine.
	opts = append(opts, chromedp.NoSandbox)
	for name, value := range flags {
		opts = append(opts, chromedp.Flag(name, value))
	}
	alloc, stopAlloc := chromedp.NewExecAllocator(ctx, opts...)
	browser, stopBrowser := chromedp.NewContext(alloc)
	c := &chromium{ctx: browser, dir: dir, stop: func() { stopBrowser(); stopAlloc() }}
	if err := chromedp.Do(browser); err != nil { // starts it; a limit of time here would end it later
		return nil, errors.Join(fault.Wrap(err, fault.Unavailable, "chromium", "Chromium does not start"), c.close())
	}
	return c, nil
}

// close ends the browser and removes its profile, in which its children may still write for a moment.
func (c *chromium) close() error {
	quick, cancel := context.WithTimeout(c.ctx, pageLimit)
	err := chromedp.Cancel(quick)
	cancel()
	c.stop()
	if errors.Is(err, context.Canceled) || errors.Is(err, chromedp.ErrInvalidContext) {
		err = nil // it ended before
	}
	var removed error
	for range 50 {
		if removed = os.RemoveAll(c.dir); removed == nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.Join(err, removed)
}

// tab is a window with cookies of its own.
type tab struct {
	ctx   context.Context
	close context.CancelFunc
	base  string

	mu       sync.Mutex
	problems []string // what the console complained of
}

// open opens a window as somebody: with the cookies of that browser, or of nobody.
func (c *chromium) open(base string, who *visitor, prefs map[string]string) (*tab, error) {
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t := &tab{ctx: ctx, close: cancel, base: base}
	u, err := url.Parse(base)
	if err == nil {
		err = chromedp.Do(ctx)
	}
	if err == nil {
		err = chromedp.Listen(ctx, t.hear)
	}
	var cookies []*network.CookieParam
	if who != nil && u != nil {
		for _, k := range who.jar.Cookies(u) {
			cookies = append(cookies, &network.CookieParam{Name: k.Name, Value: k.Value, URL: base, HTTPOnly: true, SameSite: network.CookieSameSiteLax})
		}
	}
	for name, value := range prefs {
		cookies = append(cookies, &network.CookieParam{Name: name, Value: value, URL: base})
	}
	if err == nil && len(cookies) > 0 {
		_, err = chromedp.Call(ctx, network.SetCookies, network.SetCookiesParams{Cookies: cookies})
	}
	if err != nil {
		cancel()
		return nil, fault.Wrap(err, fault.Unavailable, "chromium", "Chromium opens no window")
	}
	return t, nil
}

// hear keeps errors of the console and what the content security policy refused.
func (t *tab) hear(ev any) {
	var problem string
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		problem = "exception: " + ev.ExceptionDetails.Text
		if ev.ExceptionDetails.Exception != nil {
			problem += " " + ev.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		if ev.Type != runtime.ConsoleAPICalledTypeError && ev.Type != runtime.ConsoleAPICalledTypeAssert {
			return
		}
		problem = "console:"
		for _, a := range ev.Args {
			problem += " " + a.Description + string(a.Value)
		}
	case *log.EventEntryAdded:
		if ev.Entry.Level != log.EntryLevelError {
			return
		}
		problem = fmt.Sprintf("%s: %s %s", ev.Entry.Source, ev.Entry.Text, ev.Entry.URL)
	default:
		return
	}
	t.mu.Lock()
	t.problems = append(t.problems, problem)
	t.mu.Unlock()
}

// complaints are the problems heard since the last call.
func (t *tab) complaints() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.problems
	t.problems = nil
	return list
}

// do runs steps on the page, within the limit for one page.
func (t *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(t.ctx, pageLimit)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		return fault.Wrap(err, fault.Internal, "page", "in Chromium, "+what)
	}
	return nil
}

// visit opens a path of the service, or a whole address.
func (t *tab) visit(path string) error {
	if path[0] == '/' {
		path = t.base + path
	}
	return t.do("open "+path, chromedp.Navigate(path))
}

// press clicks and waits for the page behind it.
func (t *tab) press(selector string) error {
	ctx, cancel := context.WithTimeout(t.ctx, pageLimit)
	defer cancel()
	res, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
	if err != nil {
		return fault.Wrap(err, fault.Internal, "page", "in Chromium, press "+selector)
	}
	if res.Status >= 400 {
		return wrong("in Chromium, pressing %s answers %d", selector, res.Status)
	}
	return nil
}

// enter types into the field of a form.
func (t *tab) enter(selector, value string) error {
	return t.do("fill in "+selector, chromedp.SendKeys(chromedp.CSS(selector), value, chromedp.NodeVisible))
}

// signIn signs in at the page that is open.
func (t *tab) signIn(a demoAccount) error {
	return errors.Join(t.enter("#login", a.Login), t.enter("#password", a.Password), t.press("#submit"))
}

// check hands a code in at the page of the counter and wants to see a verdict.
func (t *tab) check(code, word string) error {
	if err := t.visit("/verify"); err != nil {
		return err
	}
	if err := t.enter("#code", code); err != nil {
		return err
	}
	if err := t.press("#code-form #submit"); err != nil {
		return err
	}
	return t.do("see the verdict "+word, chromedp.WaitVisible(chromedp.CSS(`[data-verdict="`+word+`"]`)))
}

// viewport sets the size of the window; phones touch.
func (t *tab) viewport(width, height int64, scale float64, phone bool) error {
	opts := []chromedp.EmulateViewportOption{chromedp.EmulateScale(scale)}
	if phone {
		opts = append(opts, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	return t.do("set the viewport", chromedp.EmulateViewport(width, height, opts...))
}

// fit makes the window as high as an element with what stands above it, so that a picture ends where the matter ends.
func (t *tab) fit(selector string, width int64) error {
	ctx, cancel := context.WithTimeout(t.ctx, pageLimit)
	defer cancel()
	bottom, err := chromedp.Run(ctx, chromedp.Evaluate[float64](fmt.Sprintf("document.querySelector(%q).getBoundingClientRect().bottom + window.scrollY", selector)))
	if err != nil {
		return fault.Wrap(err, fault.Internal, "picture", "the page lacks "+selector)
	}
	return t.viewport(width, int64(bottom)+28, 1, false)
}

// picture takes the page: what the window shows, or all of it.
func (t *tab) picture(whole bool) ([]byte, error) {
	ctx, cancel := context.WithTimeout(t.ctx, pageLimit)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("document.fonts.ready.then(() => true)", chromedp.EvalAwaitPromise)); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "picture", "the page's fonts do not load")
	}
	shoot := chromedp.CaptureScreenshot()
	if whole {
		shoot = chromedp.FullScreenshot(100)
	}
	b, err := chromedp.Run(ctx, shoot)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "picture", "the picture cannot be taken")
	}
	return b, nil
}
