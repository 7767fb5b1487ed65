package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
)

// api calls the service's JSON API, with a client's token or in a person's session.
type api struct {
	http *http.Client
	root string
}

// session is the API as a signed-in person's browser sees it.
func (v *visitor) api() *api { return &api{http: v.http, root: v.base.String() + "/api/v1"} }

// clientAPI is the API with a token of client_credentials (RFC 6749 §4.4).
func clientAPI(ctx context.Context, base string, c demoClient, endpoint oauth2.Endpoint, scopes ...string) *api {
	config := clientcredentials.Config{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, TokenURL: endpoint.TokenURL, Scopes: scopes,
		AuthStyle: oauth2.AuthStyleInHeader,
	}
	return &api{http: config.Client(context.WithoutCancel(ctx)), root: base + "/api/v1"}
}

// apiError is the shape of every error of the API.
type apiError struct {
	Code     string          `json:"error"`
	Message  string          `json:"message"`
	Hint     string          `json:"hint"`
	Trace    string          `json:"trace"`
	Problems json.RawMessage `json:"problems"`
}

// call sends a request and reads the answer; any status of 400 and more is an error.
func (a *api) call(ctx context.Context, method, path, contentType string, body []byte) ([]byte, int, error) {
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, a.root+path, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Accept-Language", "en")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := a.http.Do(req)
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) {
			return nil, 0, fault.Wrap(err, fault.Unauthenticated, "token", "the client gets no token")
		}
		return nil, 0, fault.Wrap(err, fault.Unavailable, "no_answer", "the service does not answer")
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, 0, fault.Wrap(err, fault.Unavailable, "no_answer", "an answer of the service broke off")
	}
	if res.StatusCode < 400 {
		return b, res.StatusCode, nil
	}
	var e apiError
	if json.Unmarshal(b, &e) != nil || e.Code == "" {
		return nil, res.StatusCode, fault.New(fault.Internal, "api", fmt.Sprintf("%s %s answers %d without saying why", method, path, res.StatusCode))
	}
	f := fault.New(fault.Internal, e.Code, fmt.Sprintf("%s %s answers %d %s: %s %s (trace %s)", method, path, res.StatusCode, e.Code, e.Message, e.Problems, e.Trace))
	if e.Hint != "" {
		f = f.WithHint(e.Hint)
	}
	return nil, res.StatusCode, f
}

// get reads bytes.
func (a *api) get(ctx context.Context, path string) ([]byte, error) {
	b, _, err := a.call(ctx, http.MethodGet, path, "", nil)
	return b, err
}

// post sends JSON and reads JSON.
func (a *api) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	b, _, err := a.call(ctx, http.MethodPost, path, "application/json", body)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, out)
}

// issueBody is a request to issue, as the API takes it.
type issueBody struct {
	Kind       string            `json:"kind"`
	Office     string            `json:"office,omitempty"`
	BusinessNo string            `json:"business_no"`
	Version    int               `json:"version"`
	Holders    []license.Holder  `json:"holders"`
	Fields     map[string]string `json:"fields"`
	Matter     string            `json:"matter"`
	CaseNo     string            `json:"case_no"`
	Reason     string            `json:"reason"`
	LegalBasis string            `json:"legal_basis"`
}

func issueBodyOf(r license.IssueRequest, caseNo string) issueBody {
	return issueBody{
		Kind: r.Kind, Office: r.Office, BusinessNo: r.BusinessNo, Version: 1, Holders: r.Holders, Fields: r.Fields,
		Matter: r.Act.Matter, CaseNo: caseNo, Reason: r.Act.Reason, LegalBasis: r.Act.LegalBasis,
	}
}

// licenseBody is what the story reads of a license.
type licenseBody struct {
	ID          string        `json:"id"`
	Identifier  string        `json:"identifier"`
	KindName    string        `json:"kind_name"`
	Office      string        `json:"office"`
	OfficeName  string        `json:"office_name"`
	State       license.State `json:"state"`
	EndedAt     string        `json:"ended_at"`
	EndReason   string        `json:"end_reason"`
	LedgerState string        `json:"ledger_state"`
}

func (a *api) license(ctx context.Context, id string) (licenseBody, error) {
	var l licenseBody
	b, err := a.get(ctx, "/licenses/"+id)
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(b, &l)
}

// await asks for a license until it is as wanted.
func (a *api) await(ctx context.Context, id, what string, wanted func(licenseBody) bool) (licenseBody, error) {
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	tick := time.NewTicker(pollPause)
	defer tick.Stop()
	for {
		l, err := a.license(ctx, id)
		if err != nil || wanted(l) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return l, fault.Wrap(context.Cause(ctx), fault.Unavailable, "waiting", fmt.Sprintf("the license is not %s; state %s, ledger %s", what, l.State, l.LedgerState)).
				WithHint("the log of the service says why, in its data folder")
		case <-tick.C:
		}
	}
}

// check and report are what the story reads of a verdict.
type check struct {
	Name   string `json:"name"`
	Result string `json:"result"`
	Code   string `json:"code"`
}

type report struct {
	Verdict string    `json:"verdict"`
	AsOf    time.Time `json:"as_of"`
	Checks  []check   `json:"checks"`
	Ledger  struct {
		State string `json:"state"`
		Size  uint64 `json:"size"`
		Index uint64 `json:"index"`
	} `json:"ledger"`
}

func (r report) has(code string) bool {
	for _, c := range r.Checks {
		if c.Code == code {
			return true
		}
	}
	return false
}

// outcome is what became of a code.
type outcome struct {
	Report      report          `json:"report"`
	Consumed    bool            `json:"consumed"`
	Receipt     string          `json:"receipt"`
	FirstUsedAt time.Time       `json:"first_used_at"`
	KindName    string          `json:"kind_name"`
	OfficeName  string          `json:"office_name"`
	State       license.State   `json:"state"`
	EndedAt     time.Time       `json:"ended_at"`
	EndOffice   string          `json:"end_office"`
	Face        []license.Field `json:"face"`

	raw []byte
}

// checkCode hands a code in at the counter.
func (a *api) checkCode(ctx context.Context, code string) (outcome, error) {
	var o outcome
	body, err := json.Marshal(map[string]string{"code": code, "matter": "990199000100", "reason": "counter"})
	if err != nil {
		return o, err
	}
	b, _, err := a.call(ctx, http.MethodPost, "/verifications/code", "application/json", body)
	if err != nil {
		return o, err
	}
	o.raw = b
	return o, json.Unmarshal(b, &o)
}

// checkFile judges a file with its proof, where it has one.
func (a *api) checkFile(ctx context.Context, file, proof []byte) (report, []byte, error) {
	var r report
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	parts := map[string][]byte{"file": file}
	if proof != nil {
		parts["proof"] = proof
	}
	for name, content := range parts {
		part, err := w.CreateFormFile(name, "license")
		if err != nil {
			return r, nil, err
		}
		if _, err := part.Write(content); err != nil {
			return r, nil, err
		}
	}
	if err := w.Close(); err != nil {
		return r, nil, err
	}
	b, _, err := a.call(ctx, http.MethodPost, "/verifications/file", w.FormDataContentType(), body.Bytes())
	if err != nil {
		return r, nil, err
	}
	return r, b, json.Unmarshal(b, &r)
}
