package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// story is the people, the applications and what they have in hand.
type story struct {
	*narrator
	demo     *demo
	folder   string
	chromium string
	run      string // tells this telling's licenses from those of earlier ones

	one, two *app
	dial     map[string]string // the applications' registered addresses → where they listen
	citizen  *visitor
	clerk    *visitor
	market   *visitor // officer of the market regulator
	hospital *visitor // officer of the maternity hospital
	client   *api     // the first application's own token

	atOne                 signedIn // what the first application learnt
	food, property, birth licenseBody
	file                  []byte  // of the property certificate
	shown                 string  // the code that the citizen shows
	accepted              outcome // of that code, the first time
	refused               outcome // and the second
	revoked               outcome // of a code of the revoked license
}

func newStory(ctx context.Context, d *demo, folder, chromium string, n *narrator) (*story, error) {
	s := &story{narrator: n, demo: d, folder: folder, chromium: chromium, run: strconv.FormatInt(time.Now().UnixMilli(), 10)}
	second, err := d.second()
	if err != nil {
		return nil, err
	}
	if s.one, err = startApp(ctx, d.Issuer, d.Clients[0]); err != nil {
		return nil, err
	}
	if s.two, err = startApp(ctx, d.Issuer, second); err != nil {
		return nil, errors.Join(err, s.one.close())
	}
	s.dial = map[string]string{s.one.public: s.one.addr, s.two.public: s.two.addr}
	for _, v := range []**visitor{&s.citizen, &s.clerk, &s.market, &s.hospital} {
		if *v, err = newVisitor(d.BaseURL, s.dial); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	s.client = clientAPI(ctx, d.BaseURL, d.Clients[0], s.one.provider.Endpoint(),
		"license.issue", "license.read", "license.revoke", "license.present", "verify")
	return s, nil
}

func (s *story) close() error { return errors.Join(s.one.close(), s.two.close()) }

// play plays the acts in order.
func (s *story) play(ctx context.Context) error {
	for _, act := range []struct {
		zh, en string
		play   func(context.Context) (string, error)
	}{
		{"市民用口令登录第一个应用", "a citizen signs in at the first application with a password", s.signIn},
		{"登录第二个应用,不再询问口令", "and at the second without being asked", s.signInAgain},
		{"发证人员在工作台签发食品经营许可证", "an officer issues a food business permit on the department's pages", s.issueFood},
		{"签发两人共有的不动产权证书", "a property certificate for two co-owners, by the API", s.issueProperty},
		{"签发出生医学证明", "a birth certificate for a child with guardians, by the API in an officer's session", s.issueBirth},
		{"文件盖章后取回", "the files come back sealed", s.fetchFiles},
		{"账本收录三次签发", "the ledger includes the three issues under a cosigned checkpoint", s.proveIssues},
		{"市民亮证", "the citizen shows a code", s.show},
		{"窗口核验:有效,取得回执", "the clerk's verdict: valid, with a receipt", s.accept},
		{"同一码再次核验:拒绝", "the same code again: refused", s.refuse},
		{"发证机构撤销食品经营许可证", "the officer revokes the food business permit", s.revoke},
		{"新码核验:无效,已撤销", "a fresh code of it: not valid, revoked", s.checkRevoked},
		{"账本证明签发与撤销", "the ledger proves issue and revocation", s.proveRevocation},
		{"留存证据", "the evidence is taken", s.takeEvidence},
		{"拍摄页面", "pictures of the pages", s.takePictures},
	} {
		if err := s.step(act.zh, act.en, func() (string, error) { return act.play(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// wrong is what the story says when the service does not do as it should.
func wrong(format string, a ...any) error {
	return fault.New(fault.Internal, "story", fmt.Sprintf(format, a...))
}

// at brings the citizen from an application's own page to its page for those who are signed in, answering what the
// province asks on the way.
func (s *story) at(ctx context.Context, a *app, account *demoAccount) (*signedIn, error) {
	p, err := s.citizen.open(ctx, "http://"+a.public+"/login")
	for range 3 { // sign-in, consent
		if err != nil {
			return nil, err
		}
		if p.url.Host == a.public {
			var who signedIn
			return &who, json.Unmarshal(p.body, &who)
		}
		f, err := p.form()
		if err != nil {
			return nil, err
		}
		if p.asks("password") {
			if account == nil {
				return nil, wrong("the second application's visitor is asked for a password")
			}
			f.set("login", account.Login)
			f.set("password", account.Password)
		}
		if p, err = s.citizen.submit(ctx, f); err != nil {
			return nil, err
		}
	}
	return nil, wrong("the sign-in stays at %s: %s", p.url.Path, p.text("main"))
}
