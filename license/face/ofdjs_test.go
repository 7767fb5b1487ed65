package face_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/yinxin-trust/yinxin/internal/testenv"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/verify/verifytest"
)

// The foreign reader: ofd.js of npm, the last version that is all its own.
const (
	ofdJS      = "ofd.js-0.2.6"
	pixelsInMM = 3.8 // a scale that it can give a page; pictures it draws at about this one, whatever the page's
	margin     = 10  // what it takes off a given width
)

// script is the foreign reader's code.
func script(t *testing.T) []byte {
	t.Helper()
	cache := os.Getenv("YINXIN_CACHE")
	if cache == "" {
		home, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(home, "yinxin")
	}
	b, err := os.ReadFile(filepath.Join(cache, "npm", ofdJS, "package", "lib", "ofd.umd.min.js"))
	if err != nil {
		t.Fatalf("the npm package %s is missing: run make test once, which fetches it (%v)", ofdJS, err)
	}
	return b
}

// page shows a license as the foreign reader draws it and leaves what it says of it in window.result.
const page = `<!doctype html><meta charset="utf-8"><style>body{margin:0;background:#fff}</style><body><script src="/ofd.js"></script><script>
window.result = null;
const width = Number(new URLSearchParams(location.search).get("width"));
fetch("/" + location.search.match(/file=([a-z]+)/)[1] + ".ofd").then(r => r.arrayBuffer()).then(buffer => ofd.parseOfdDocument({
  ofd: buffer,
  success(docs) {
    for (const doc of docs) for (const div of ofd.renderOfd(width, doc)) document.body.appendChild(div);
    const seals = [...document.querySelectorAll('[name=seal_img_div]')].map(e => JSON.parse(e.dataset.signedInfo));
    window.result = {seals, pages: document.body.querySelectorAll(":scope > div").length};
  },
  fail(e) { window.result = {failed: String(e && e.stack || e)}; },
}));
</script>`

type drawn struct {
	Failed string `json:"failed"`
	Pages  int    `json:"pages"`
	Seals  []struct {
		SignatureID string `json:"signatureID"`
		VerifyRet   bool   `json:"VerifyRet"`
	} `json:"seals"`
}

// TestForeignReader: a reader that nobody here wrote draws the four kinds, sealed by the real parts: the text is there, the
// red seal is there, and its own checks of signature and digests pass.
func TestForeignReader(t *testing.T) {
	t.Parallel()
	w := verifytest.New(t)
	files := map[string]*verifytest.License{}
	for i, k := range license.SampleKinds() {
		files[k.Layout] = w.Issue(t, verifytest.Plan{Kind: k, Serial: i + 1})
	}
	code := script(t)
	mux := http.NewServeMux()
	serve := func(path, kind string, data []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			if _, err := w.Write(data); err != nil {
				t.Log(err) // the browser went away
			}
		})
	}
	serve("/ofd.js", "text/javascript; charset=utf-8", code)
	serve("/favicon.ico", "image/x-icon", nil)
	serve("/{$}", "text/html; charset=utf-8", []byte(page))
	for name, l := range files {
		serve("/"+name+".ofd", "application/ofd", l.File)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	browser := chromium(t)
	for _, k := range license.SampleKinds() {
		t.Run(k.Layout, func(t *testing.T) {
			readAbroad(t, browser, server.URL, k, files[k.Layout])
		})
	}
}

// chromium starts a headless browser for the test.
func chromium(t *testing.T) context.Context {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(testenv.Chromium(t)), chromedp.UserDataDir(t.TempDir()),
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	// Chromium refuses to sandbox for root, and cannot where user namespaces are closed and its set-uid helper is not
	// installed. It visits nothing but pages of ours on this machine.
	opts = append(opts, chromedp.NoSandbox)
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, stop := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		quick, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := chromedp.Cancel(quick); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, chromedp.ErrInvalidContext) {
			t.Log("the browser did not end by itself:", err)
		}
		stop()
		stopAlloc()
	})
	if err := chromedp.Do(ctx); err != nil { // no limit of time: it would end the browser later
		t.Fatal("Chromium does not start:", err)
	}
	return ctx
}

func readAbroad(t *testing.T, browser context.Context, base string, k license.Kind, l *verifytest.License) {
	t.Helper()
	tab, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	if err := chromedp.Do(tab); err != nil {
		t.Fatal(err)
	}
	complaints := listen(t, tab)
	ctx, cancel := context.WithTimeout(tab, 3*time.Minute)
	t.Cleanup(cancel)
	size := [2]float64{210, 297}
	if k.Layout == "business" || k.Layout == "food" {
		size = [2]float64{297, 210}
	}
	wide, high := int64(size[0]*pixelsInMM), int64(size[1]*pixelsInMM)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(wide, high),
		chromedp.Navigate(fmt.Sprintf("%s/?file=%s&width=%.2f", base, k.Layout, size[0]*pixelsInMM+margin)),
		chromedp.Poll[chromedp.Void]("window.result !== null && document.fonts.status === 'loaded'", chromedp.WithPollingTimeout(0))); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[drawn]("window.result"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Failed != "" || got.Pages != 1 || len(got.Seals) != 1 || !got.Seals[0].VerifyRet {
		t.Fatalf("the reader says %+v", got)
	}
	whole, err := chromedp.Run(ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("text")].map(e => e.textContent).join("")`))
	if err != nil {
		t.Fatal(err)
	}
	squeeze := func(s string) string { return strings.ReplaceAll(license.FoldText(s), " ", "") }
	whole = squeeze(whole)
	for _, i := range license.FaceOf(l.Record, k, l.Static.IssueDate) {
		if !strings.Contains(whole, squeeze(i.Text)) {
			t.Errorf("%s is not in what it drew", i.Code)
		}
	}
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if *out != "" {
		if err := os.WriteFile(filepath.Join(*out, k.Layout+".png"), shot, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	looksSealed(t, shot)
	// Its SM3 works on strings of ones and zeros: a font takes it seconds, so that one kind answers for the fonts of all.
	limit := 16 << 10
	if k.Code == license.SampleBirth {
		limit = 1 << 30
	}
	digests, err := chromedp.Run(ctx, chromedp.Evaluate[struct {
		Checked int  `json:"checked"`
		Pass    bool `json:"pass"`
	}](fmt.Sprintf(`(() => { const files = window.toBeChecked.get(%q).filter(f => f.fileData.length < %d);
		return {checked: files.length, pass: ofd.digestCheck(files)} })()`, got.Seals[0].SignatureID, limit)))
	if err != nil || !digests.Pass || digests.Checked < 8 {
		t.Errorf("its own check of the digests: %+v %v", digests, err)
	}
	for _, c := range complaints() {
		t.Error("the console says:", c)
	}
}

// looksSealed looks for the seal's ink within the lower right of the page, where every layout has it: as much red, over as
// wide and high a place, as a seal of 42 mm leaves.
func looksSealed(t *testing.T, shot []byte) {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	b := m.Bounds()
	const frame = 84 // pixels: red in some layouts, and none of the seal's
	box, red := image.Rectangle{}, 0
	for y := b.Dy() * 55 / 100; y < b.Dy()-frame; y++ {
		for x := b.Dx() / 2; x < b.Dx()-frame; x++ {
			r, g, bl, _ := m.At(x, y).RGBA()
			if r>>8 > 200 && g>>8 < 40 && bl>>8 < 40 {
				red++
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	const across = 38 * pixelsInMM
	if red < 2000 || float64(box.Dx()) < across || float64(box.Dy()) < across {
		t.Errorf("%d red pixels within %v: no seal is to be seen", red, box)
	}
}

// listen keeps what the console complains of.
func listen(t *testing.T, tab context.Context) func() []string {
	t.Helper()
	var mu sync.Mutex
	var heard []string
	if err := chromedp.Listen(tab, func(ev any) {
		said := ""
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			said = "exception " + ev.ExceptionDetails.Text
		case *runtime.EventConsoleAPICalled:
			if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeAssert {
				said = "error"
				for _, a := range ev.Args {
					said += " " + a.Description + string(a.Value)
				}
			}
		case *log.EventEntryAdded:
			if ev.Entry.Level == log.EntryLevelError {
				said = ev.Entry.Text + " " + ev.Entry.URL
			}
		}
		if said != "" {
			mu.Lock()
			heard = append(heard, said)
			mu.Unlock()
		}
	}); err != nil {
		t.Fatal(err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return heard
	}
}
