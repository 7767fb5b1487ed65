package web

import (
	"net/http"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// home is the front page: what this is, and the doors for each who comes.
func (s *server) home(q *request) error { return s.render(q, http.StatusOK, "home", nil) }

// accessibility says what the pages do for those who read, hear or move differently (无障碍).
func (s *server) accessibility(q *request) error {
	return s.render(q, http.StatusOK, "accessibility", nil)
}

// developers lists the API from its own document.
func (s *server) developers(q *request) error {
	ops := s.operations()
	return s.render(q, http.StatusOK, "developers", struct {
		Operations []operation
		Base       string
		WitnessURL string
	}{ops, strings.TrimSuffix(s.BaseURL, "/"), s.WitnessURL})
}

// ledger shows the newest checkpoint (检查点) and how to check it without us.
func (s *server) ledger(q *request) error {
	d := struct {
		Checkpoint string
		Origin     string
		Size       string
		Root       string
		Pending    bool
		Witness    string // where the witness publishes what it has cosigned
		Base       string
	}{Base: strings.TrimSuffix(s.BaseURL, "/")}
	if s.WitnessURL != "" {
		d.Witness = strings.TrimSuffix(s.WitnessURL, "/") + "/checkpoint"
	}
	b, err := s.Proofs.Checkpoint(q.Context())
	switch {
	case err != nil && (fault.KindOf(err) == fault.NotFound || fault.KindOf(err) == fault.Conflict):
		d.Pending = true
	case err != nil:
		return err
	default:
		d.Checkpoint = string(b)
		// The body of a checkpoint is three lines: origin, size, root (C2SP tlog-checkpoint).
		if lines := strings.SplitN(d.Checkpoint, "\n", 4); len(lines) == 4 {
			d.Origin, d.Size, d.Root = lines[0], lines[1], lines[2]
		}
	}
	return s.render(q, http.StatusOK, "ledger", d)
}

// ledgerCheckpoint is the checkpoint as a witness or a monitor reads it.
func (s *server) ledgerCheckpoint(q *request) error {
	b, err := s.Proofs.Checkpoint(q.Context())
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = q.w.Write(b) // the reader is gone; nobody is left to tell
	return nil
}
