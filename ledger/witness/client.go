package witness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
)

// Client is a witness across HTTP; it is the log's ledger.Cosigner.
type Client struct {
	name string
	base string
	http *http.Client
}

var _ ledger.Cosigner = (*Client)(nil)

// NewClient makes the client of the witness of that name at a base URL, such as "https://witness.example/". A nil
// http.Client takes one with a timeout that follows no redirects.
func NewClient(name, base string, client *http.Client) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fault.New(fault.Invalid, codeOptions, "a witness's address is an http or https URL")
	}
	if !ledger.ValidName(name) {
		return nil, fault.New(fault.Invalid, codeOptions, "a witness's name has 3 to 128 visible ASCII characters, a slash, and no plus sign")
	}
	if client == nil {
		client = &http.Client{
			Timeout:       readTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Client{name: name, base: strings.TrimSuffix(base, "/"), http: client}, nil
}

// Name is ledger.Cosigner's.
func (c *Client) Name() string { return c.name }

// Cosign is ledger.Cosigner's.
func (c *Client) Cosign(ctx context.Context, old uint64, proof []ledger.Hash, checkpoint []byte) ([]byte, error) {
	status, contentType, body, err := c.do(ctx, http.MethodPost, "/add-checkpoint", FormatRequest(old, proof, checkpoint))
	if err != nil {
		return nil, err
	}
	switch status {
	case http.StatusOK:
		return body, nil
	case http.StatusConflict:
		if contentType == sizeType {
			size, err := strconv.ParseUint(strings.TrimSuffix(string(body), "\n"), 10, 64)
			if err == nil && size != old {
				return nil, &ledger.StaleError{Size: size}
			}
		}
		return nil, fault.New(fault.Conflict, CodeFork, "the witness saw another root at this size before")
	case http.StatusForbidden, http.StatusNotFound:
		return nil, fault.New(fault.Forbidden, CodeUnknownLog, "the witness does not watch this log, or under another key")
	case http.StatusUnprocessableEntity:
		return nil, fault.New(fault.Conflict, CodeBadProof, "the witness does not accept that the log extends what it saw before")
	}
	return nil, fault.Wrap(fmt.Errorf("HTTP status %d", status), fault.Unavailable, codeUnusable, "the witness does not answer as it should")
}

// Checkpoint fetches the last checkpoint of a log that the witness cosigned. Nothing in it is checked yet.
func (c *Client) Checkpoint(ctx context.Context, origin string) (ledger.SignedCheckpoint, error) {
	status, _, body, err := c.do(ctx, http.MethodGet, "/checkpoint?origin="+url.QueryEscape(origin), nil)
	if err != nil {
		return ledger.SignedCheckpoint{}, err
	}
	switch status {
	case http.StatusOK:
		return ledger.ParseCheckpoint(body)
	case http.StatusNotFound:
		return ledger.SignedCheckpoint{}, fault.New(fault.NotFound, codeNoneYet, "the witness has cosigned nothing of this log")
	}
	return ledger.SignedCheckpoint{}, fault.Wrap(fmt.Errorf("HTTP status %d", status), fault.Unavailable, codeUnusable, "the witness does not answer as it should")
}

func (c *Client) do(ctx context.Context, method, path string, body []byte) (status int, contentType string, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, fault.Wrap(err, fault.Internal, codeUnusable, "the witness cannot be asked")
	}
	if body != nil {
		req.Header.Set("Content-Type", textType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, "", nil, fault.Wrap(err, fault.Unavailable, codeUnusable, "the witness does not answer")
	}
	defer func() { _ = resp.Body.Close() }() // the body was read to its end or is of no use
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err != nil || len(answer) > maxResponse {
		return 0, "", nil, fault.Wrap(err, fault.Unavailable, codeUnusable, "the witness's answer cannot be read")
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), answer, nil
}
