package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"rsc.io/qr"

	"github.com/yinxin-trust/yinxin/internal/sample"
)

// TestBrowser is what people do, in a real browser: sign in, show, scan with a camera, read the verdict; and every page in
// every mode is free of what axe-core finds, of script errors and of refusals by the content security policy.
func TestBrowser(t *testing.T) {
	s := onStage(t)
	path, err := findChromium("")
	if err != nil {
		t.Fatal(err)
	}
	axe := readAxe(t)
	own, err := startDemo(t.Context(), filepath.Join(s.bin, "yinxin"), s.folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := own.stop(); err != nil {
			t.Error(err)
		}
	})
	n := &narrator{out: t.Output()}
	story, err := newStory(t.Context(), own.demo, s.folder, path, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := story.close(); err != nil {
			t.Error(err)
		}
	})
	// One license of our own, so that the test does not lean on what else the province holds.
	for _, act := range []func(context.Context) (string, error){story.signIn, story.issueFood, story.issueProperty, story.issueBirth, story.fetchFiles, story.proveIssues} {
		if _, err := act(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := story.enter(t.Context(), story.clerk, loginClerk); err != nil {
		t.Fatal(err)
	}
	browser, err := openChromium(context.WithoutCancel(t.Context()), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := browser.close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("hears", func(t *testing.T) { hears(t, story, browser, axe) })
	t.Run("scan", func(t *testing.T) { scan(t, story, browser) })
	for _, m := range []mode{
		{"light", map[string]string{prefLang: "zh-CN", prefTheme: "light"}, false},
		{"dark", map[string]string{prefLang: "en", prefTheme: "dark"}, false},
		{"elder", map[string]string{prefLang: "zh-CN", prefElder: "1"}, true},
	} {
		t.Run(m.name, func(t *testing.T) { m.examine(t, story, browser, axe) })
	}
}

// fine fails the test on an error and on anything that the page's console complained of.
func fine(t *testing.T, page *tab, where string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	for _, problem := range page.complaints() {
		t.Errorf("%s complains: %s", where, problem)
	}
}

// hears plants one fault of each sort in a page: a test that is deaf would pass for ever.
func hears(t *testing.T, s *story, browser *chromium, axe string) {
	page, err := browser.open(s.demo.BaseURL, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer page.close()
	fine(t, page, "front page", page.visit("/"))
	for what, plant := range map[string]string{
		"exception":    `setTimeout(() => { throw new Error("planted") })`,
		"console":      `console.error("planted")`,
		"a refusal":    `document.body.append(Object.assign(document.createElement("script"), {textContent: "window.planted = 1"}))`,
		"axe's reason": `document.body.append(Object.assign(new Image(), {src: "/static/mark.svg"}))`,
	} {
		if err := page.do("plant "+what, chromedp.Evaluate[chromedp.Void](plant)); err != nil {
			t.Fatal(err)
		}
	}
	found := audit(t, page, axe) // takes long enough for the others to be heard
	if !slices.ContainsFunc(found, func(v violation) bool { return v.ID == "image-alt" }) {
		t.Errorf("axe-core does not see a planted picture without words: %v", found)
	}
	if heard := strings.Join(page.complaints(), "\n"); !strings.Contains(heard, "exception: ") || !strings.Contains(heard, "console: ") ||
		!strings.Contains(heard, "Content Security Policy") {
		t.Errorf("not every planted fault is heard: %s", heard)
	}
}

// scan has a citizen show a code in one browser and a clerk scan it with the camera of another.
func scan(t *testing.T, s *story, browser *chromium) {
	phone, err := browser.open(s.demo.BaseURL, nil, map[string]string{prefLang: "zh-CN"})
	if err != nil {
		t.Fatal(err)
	}
	defer phone.close()
	fine(t, phone, "phone", phone.viewport(390, 844, 2, true))
	fine(t, phone, "sign-in", phone.visit("/wallet")) // leads to the sign-in page and back
	fine(t, phone, "sign-in", phone.signIn(s.demo.Accounts[0]))
	fine(t, phone, "wallet", phone.press(`a[href="/show/`+s.property.ID+`"]`))
	fine(t, phone, "show", phone.press("#submit"))
	code, err := chromedp.Run(phone.ctx, chromedp.TextContent(chromedp.CSS("#code-text")))
	fine(t, phone, "code", err)

	video := filepath.Join(t.TempDir(), "camera.mjpeg")
	film(t, video, code)
	counter, err := openChromium(context.WithoutCancel(t.Context()), s.chromium, map[string]any{
		"use-fake-device-for-media-stream": true, "use-fake-ui-for-media-stream": true, "use-file-for-fake-video-capture": video,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := counter.close(); err != nil {
			t.Error(err)
		}
	}()
	desk, err := counter.open(s.demo.BaseURL, nil, map[string]string{prefLang: "zh-CN"})
	if err != nil {
		t.Fatal(err)
	}
	defer desk.close()
	clerk, err := s.demo.account(loginClerk)
	if err != nil {
		t.Fatal(err)
	}
	fine(t, desk, "sign-in", desk.visit("/signin?next=/verify"))
	fine(t, desk, "sign-in", desk.signIn(clerk))
	fine(t, desk, "camera", desk.do("start the camera", chromedp.Click(chromedp.CSS("[data-camera]"), chromedp.NodeVisible)))
	fine(t, desk, "verdict", desk.do("see the verdict", chromedp.WaitVisible(chromedp.CSS(`[data-verdict="valid"]`)), chromedp.WaitVisible(chromedp.CSS("#receipt"))))
	if receipt, err := chromedp.Run(desk.ctx, chromedp.TextContent(chromedp.CSS("#receipt"))); err != nil || receipt == "" {
		t.Errorf("the verdict has no receipt: %v", err)
	}
}

// film writes what a camera would see of a phone that shows a code: Motion JPEG is one JPEG after another.
func film(t *testing.T, path, text string) {
	t.Helper()
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	const width, height, module = 640, 480, 6
	frame := image.NewGray(image.Rect(0, 0, width, height))
	draw.Draw(frame, frame.Bounds(), image.NewUniform(color.Gray{235}), image.Point{}, draw.Src)
	left, top := (width-code.Size*module)/2, (height-code.Size*module)/2
	if top < 4*module {
		t.Fatalf("a code of %d modules does not fit into the frame", code.Size)
	}
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				draw.Draw(frame, image.Rect(left+x*module, top+y*module, left+(x+1)*module, top+(y+1)*module), image.NewUniform(color.Gray{20}), image.Point{}, draw.Src)
			}
		}
	}
	// Chromium's reader of Motion JPEG wants colour.
	colour := image.NewYCbCr(frame.Bounds(), image.YCbCrSubsampleRatio420)
	copy(colour.Y, frame.Pix)
	for i := range colour.Cb {
		colour.Cb[i], colour.Cr[i] = 128, 128
	}
	var one, all bytes.Buffer
	if err := jpeg.Encode(&one, colour, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		all.Write(one.Bytes())
	}
	if err := os.WriteFile(path, all.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mode is how a reader has set the pages.
type mode struct {
	name  string
	prefs map[string]string
	phone bool
}

// examine goes through the pages as the people whose pages they are.
func (m mode) examine(t *testing.T, s *story, browser *chromium, axe string) {
	open := func(who *visitor) *tab {
		page, err := browser.open(s.demo.BaseURL, who, m.prefs)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(page.close)
		if m.phone {
			err = page.viewport(390, 844, 1, true)
		} else {
			err = page.viewport(1180, 820, 1, false)
		}
		fine(t, page, "window", err)
		return page
	}
	look := func(page *tab, where string, err error) {
		t.Helper()
		fine(t, page, where, err)
		for _, v := range audit(t, page, axe) {
			t.Errorf("%s: axe-core %s (%s): %s", where, v.ID, v.Help, v.Nodes)
		}
		fine(t, page, where, nil)
	}
	citizen := open(s.citizen)
	look(citizen, "wallet", citizen.visit("/wallet"))
	look(citizen, "license", citizen.visit("/wallet/"+s.property.ID))
	look(citizen, "choose", citizen.visit("/show/"+s.property.ID))
	look(citizen, "show", citizen.press("#submit"))

	clerk := open(s.clerk)
	look(clerk, "verify", clerk.visit("/verify"))
	code, err := s.showOnPage(t.Context())
	fine(t, clerk, "code", err)
	look(clerk, "verdict valid", clerk.check(code, "valid"))
	look(clerk, "verdict not valid", clerk.check(code, "not_valid"))

	officer := open(s.market)
	look(officer, "department", officer.visit("/dept"))
	look(officer, "kinds", officer.visit("/dept/issue"))
	look(officer, "issue", officer.visit("/dept/issue/"+sample.FoodLicense(sample.EnterpriseAt(0), "", "").Kind))
	look(officer, "issued", officer.visit("/dept/"+s.food.ID))
	look(officer, "revoke", officer.visit("/dept/"+s.food.ID+"/revoke"))

	stranger := open(nil)
	look(stranger, "front page", stranger.visit("/"))
	look(stranger, "ledger", stranger.visit("/ledger"))
	look(stranger, "developers", stranger.visit("/developers"))
	look(stranger, "landing", stranger.visit("/P/"+code[len(code)-40:]))
	_, request := s.one.begin()
	look(stranger, "sign-in", stranger.visit(request))
	merchant, err := s.demo.account("merchant")
	fine(t, stranger, "account", err)
	look(stranger, "consent", stranger.signIn(merchant))
	if here, err := chromedp.Run(stranger.ctx, chromedp.Evaluate[string]("location.pathname")); err != nil || here != "/consent" {
		t.Errorf("the consent page is at %s, %v", here, err)
	}
}

// violation is a rule of axe-core that a page breaks.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []string
}

// audit runs axe-core in the page. It is evaluated, not loaded: the pages' policy lets nothing be loaded from elsewhere.
func audit(t *testing.T, page *tab, axe string) []violation {
	t.Helper()
	ctx, cancel := context.WithTimeout(page.ctx, pageLimit)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](axe)); err != nil {
		t.Fatal(err)
	}
	out, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"], rules: {"target-size": {enabled: true}}})
		.then(r => JSON.stringify(r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => n.target.join(" ") + ": " + n.failureSummary)}))))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	var found []violation
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// readAxe reads the pinned axe-core that the set-up script fetched.
func readAxe(t *testing.T) string {
	t.Helper()
	cache := os.Getenv("YINXIN_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(dir, "yinxin")
	}
	b, err := os.ReadFile(filepath.Join(cache, "npm", "axe-core-4.14.1", "package", "axe.min.js"))
	if err != nil {
		t.Fatal(fmt.Errorf("axe-core 4.14.1 is missing: `make test` fetches it with npm (Debian package npm): %w", err))
	}
	return string(b)
}
