package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

const (
	maxBody      = 32 << 20
	maxRedirects = 12
)

// visitor is a person with a browser of their own: cookies, pages, forms. It follows redirects by hand, so that a test of
// the story sees each one.
type visitor struct {
	http  *http.Client
	base  *url.URL
	jar   *cookiejar.Jar
	pages []string // paths of the pages seen, in order
}

// newVisitor opens a browser. dial maps addresses that nobody listens on, those of the applications, to where they are.
func newVisitor(base string, dial map[string]string) (*visitor, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	transport := &http.Transport{
		Proxy: nil, // everything is on this machine
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if real, ok := dial[addr]; ok {
				addr = real
			}
			return dialer.DialContext(ctx, network, addr)
		},
		IdleConnTimeout: 30 * time.Second,
	}
	client := &http.Client{
		Jar: jar, Transport: transport, Timeout: waitLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &visitor{http: client, base: u, jar: jar}, nil
}

// webPage is what the browser shows.
type webPage struct {
	url    *url.URL
	status int
	body   []byte
	root   *html.Node
}

// open visits an address: a path of the service or a whole URL.
func (v *visitor) open(ctx context.Context, address string) (*webPage, error) {
	return v.send(ctx, http.MethodGet, address, "", nil)
}

func (v *visitor) send(ctx context.Context, method, address, contentType string, body []byte) (*webPage, error) {
	u, err := v.base.Parse(address)
	if err != nil {
		return nil, err
	}
	for range maxRedirects {
		req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Accept", "text/html")
		req.Header.Set("Accept-Language", "zh-CN")
		if contentType != "" {
			req.Header.Set("Content-Type", contentType)
		}
		res, err := v.http.Do(req)
		if err != nil {
			return nil, fault.Wrap(err, fault.Unavailable, "no_answer", "the service does not answer")
		}
		b, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
		if err = errors.Join(err, res.Body.Close()); err != nil {
			return nil, fault.Wrap(err, fault.Unavailable, "no_answer", "an answer of the service broke off")
		}
		if res.StatusCode < 300 || res.StatusCode > 399 {
			v.pages = append(v.pages, u.Path)
			p := &webPage{url: u, status: res.StatusCode, body: b}
			if p.root, err = html.Parse(bytes.NewReader(b)); err != nil {
				return nil, err
			}
			if p.status >= 400 {
				return nil, fault.New(fault.Internal, "page", fmt.Sprintf("%s %s answers %d: %s", method, u.Path, p.status, p.text("main")))
			}
			return p, nil
		}
		next, err := u.Parse(res.Header.Get("Location"))
		if err != nil || res.Header.Get("Location") == "" {
			return nil, fault.New(fault.Internal, "redirect", u.Path+" redirects to nowhere")
		}
		if u = next; res.StatusCode != http.StatusTemporaryRedirect && res.StatusCode != http.StatusPermanentRedirect {
			method, contentType, body = http.MethodGet, "", nil
		}
	}
	return nil, fault.New(fault.Internal, "redirect", "the redirects do not end")
}

// signIn signs in at the service's own pages.
func (v *visitor) signIn(ctx context.Context, a demoAccount) error {
	p, err := v.open(ctx, "/signin")
	if err != nil {
		return err
	}
	f, err := p.form()
	if err != nil {
		return err
	}
	f.set("login", a.Login)
	f.set("password", a.Password)
	if p, err = v.submit(ctx, f); err != nil {
		return err
	}
	if p.url.Path == "/signin" {
		return fault.New(fault.Unauthenticated, "sign_in", fmt.Sprintf("account %q cannot sign in", a.Login))
	}
	return nil
}

// form is a form of a page with the values it would send.
type form struct {
	action *url.URL
	method string
	values url.Values
}

// form is the first form of a page, which is the one that continues.
func (p *webPage) form() (*form, error) {
	n := find(p.root, func(n *html.Node) bool { return n.Data == "form" })
	if n == nil {
		return nil, fault.New(fault.Internal, "form", p.url.Path+" has no form")
	}
	action, err := p.url.Parse(attr(n, "action"))
	if err != nil {
		return nil, err
	}
	f := &form{action: action, method: strings.ToUpper(attr(n, "method")), values: url.Values{}}
	collect(n, f.values)
	return f, nil
}

func (f *form) set(name, value string) { f.values.Set(name, value) }

// submit sends a form as the browser does.
func (v *visitor) submit(ctx context.Context, f *form) (*webPage, error) {
	if f.method != http.MethodPost {
		u := *f.action
		u.RawQuery = f.values.Encode()
		return v.open(ctx, u.String())
	}
	return v.send(ctx, http.MethodPost, f.action.String(), "application/x-www-form-urlencoded", []byte(f.values.Encode()))
}

// collect gathers the successful controls below a node (HTML §4.10.21.4), without buttons.
func collect(n *html.Node, into url.Values) {
	for c := range n.ChildNodes() {
		name := attr(c, "name")
		switch {
		case c.Type != html.ElementNode, has(c, "disabled"):
		case c.Data == "input" && name != "":
			switch attr(c, "type") {
			case "radio", "checkbox":
				if has(c, "checked") {
					into.Add(name, attr(c, "value"))
				}
			case "file", "submit", "button", "image", "reset":
			default:
				into.Add(name, attr(c, "value"))
			}
		case c.Data == "textarea" && name != "":
			into.Add(name, strings.TrimPrefix(content(c), "\n"))
		case c.Data == "select" && name != "":
			option := find(c, func(n *html.Node) bool { return n.Data == "option" && has(n, "selected") })
			if option == nil {
				option = find(c, func(n *html.Node) bool { return n.Data == "option" })
			}
			if option != nil && has(option, "value") {
				into.Add(name, attr(option, "value"))
			} else if option != nil {
				into.Add(name, strings.TrimSpace(content(option)))
			}
			continue
		}
		collect(c, into)
	}
}

// text is the text of the first element with a tag name, or with an ID when the selector begins with #.
func (p *webPage) text(selector string) string {
	id, byID := strings.CutPrefix(selector, "#")
	n := find(p.root, func(n *html.Node) bool { return byID && attr(n, "id") == id || !byID && n.Data == selector })
	if n == nil {
		return ""
	}
	return strings.Join(strings.Fields(content(n)), " ")
}

// asks tells whether the page has an input of a name.
func (p *webPage) asks(name string) bool {
	return find(p.root, func(n *html.Node) bool { return n.Data == "input" && attr(n, "name") == name }) != nil
}

func find(n *html.Node, match func(*html.Node) bool) *html.Node {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && match(d) {
			return d
		}
	}
	return nil
}

func content(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
