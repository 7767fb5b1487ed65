package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/sample"
)

// The preferences that a browser of the story remembers.
const (
	prefLang  = "yx_lang"
	prefElder = "yx_elder"
	prefTheme = "yx_theme"
)

// album takes the pictures into one folder.
type album struct {
	*story
	browser *chromium
	dir     string
	taken   int
}

// takePictures visits the pages with a real browser, as each of the actors.
func (s *story) takePictures(ctx context.Context) (note string, err error) {
	browser, err := openChromium(ctx, s.chromium, nil)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, browser.close()) }()
	a := &album{story: s, browser: browser, dir: filepath.Join(s.folder, "screenshots")}
	if err := os.MkdirAll(a.dir, 0o755); err != nil {
		return "", fault.Wrap(err, fault.Invalid, "out_folder", "the folder for the pictures cannot be made")
	}
	for _, take := range []func(context.Context) error{a.signingIn, a.holding, a.showing, a.verifying, a.issuing} {
		if err := take(ctx); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d pictures", a.taken), nil
}

func (a *album) keep(name string, t *tab, whole bool) error {
	b, err := t.picture(whole)
	if err != nil {
		return err
	}
	if problems := t.complaints(); len(problems) > 0 {
		return wrong("the page of %s complains: %s", name, strings.Join(problems, "; "))
	}
	a.taken++
	return os.WriteFile(filepath.Join(a.dir, name+".png"), b, 0o644)
}

// window opens a window of one of the actors in zh-CN and runs what is to be done in it.
func (a *album) window(who *visitor, prefs map[string]string, width, height int64, scale float64, phone bool, act func(*tab) error) error {
	all := map[string]string{prefLang: "zh-CN"}
	for name, value := range prefs {
		all[name] = value
	}
	t, err := a.browser.open(a.demo.BaseURL, who, all)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.viewport(width, height, scale, phone); err != nil {
		return err
	}
	return act(t)
}

// signingIn takes the sign-in and the consent page of the other co-owner, who has not used the first application before.
func (a *album) signingIn(context.Context) error {
	spouse, err := a.demo.account("spouse")
	if err != nil {
		return err
	}
	// The application's own page lies behind an address that only our visitors know; its redirect is what a browser needs.
	_, request := a.one.begin()
	return a.window(nil, nil, 1180, 820, 1, false, func(t *tab) error {
		if err := t.visit(request); err != nil {
			return err
		}
		if err := a.keep("sign-in", t, true); err != nil {
			return err
		}
		if err := t.signIn(spouse); err != nil {
			return err
		}
		return a.keep("consent", t, true)
	})
}

// holding takes the wallet: as it is, for elders, in the dark.
func (a *album) holding(context.Context) error {
	for _, w := range []struct {
		name  string
		prefs map[string]string
		phone bool
	}{
		{"wallet", nil, false}, {"wallet-elder", map[string]string{prefElder: "1"}, true}, {"wallet-dark", map[string]string{prefTheme: "dark"}, false},
	} {
		width, height, scale := int64(1180), int64(820), 1.0
		if w.phone {
			width, height, scale = 390, 844, 2
		}
		err := a.window(a.citizen, w.prefs, width, height, scale, w.phone, func(t *tab) error {
			if err := t.visit("/wallet"); err != nil {
				return err
			}
			return a.keep(w.name, t, !w.phone)
		})
		if err != nil {
			return err
		}
	}
	return a.window(a.citizen, nil, 1180, 820, 1, false, func(t *tab) error {
		if err := t.visit("/wallet/" + a.property.ID); err != nil {
			return err
		}
		return a.keep("license", t, true)
	})
}

// showing takes the code on a phone.
func (a *album) showing(context.Context) error {
	return a.window(a.citizen, nil, 390, 844, 2, true, func(t *tab) error {
		if err := t.visit("/show/" + a.property.ID); err != nil {
			return err
		}
		if err := a.keep("choose", t, true); err != nil {
			return err
		}
		if err := t.press("#submit"); err != nil {
			return err
		}
		if err := t.do("show the code", chromedp.WaitVisible(chromedp.CSS("svg.qr"))); err != nil {
			return err
		}
		return a.keep("show", t, false)
	})
}

// verifying takes the counter's page, and its verdicts on a license in force and on the revoked one.
func (a *album) verifying(ctx context.Context) error {
	good, err := a.showOnPage(ctx)
	if err != nil {
		return err
	}
	ended, err := a.showFood(ctx)
	if err != nil {
		return err
	}
	return a.window(a.clerk, nil, 1180, 820, 1, false, func(t *tab) error {
		if err := t.visit("/verify"); err != nil {
			return err
		}
		if err := a.keep("verify", t, true); err != nil {
			return err
		}
		for _, c := range []struct{ name, code, word string }{{"verdict", good, "valid"}, {"verdict-revoked", ended, "not_valid"}} {
			if err := errors.Join(t.check(c.code, c.word), t.fit(".verdict", 1180), a.keep(c.name, t, false)); err != nil {
				return err
			}
		}
		return nil
	})
}

// issuing takes the department's pages.
func (a *album) issuing(context.Context) error {
	return a.window(a.market, nil, 1180, 820, 1, false, func(t *tab) error {
		for _, p := range []struct{ name, path string }{
			{"department", "/dept"},
			{"department-issue", "/dept/issue/" + sample.FoodLicense(sample.EnterpriseAt(0), "", "").Kind},
			{"department-detail", "/dept/" + a.food.ID},
		} {
			if err := t.visit(p.path); err != nil {
				return err
			}
			if err := a.keep(p.name, t, true); err != nil {
				return err
			}
		}
		return nil
	})
}
