package main

import (
	"context"
	"os"
	"path/filepath"
)

// takeEvidence writes down what anybody can judge later without the service.
func (s *story) takeEvidence(ctx context.Context) (string, error) {
	keep := func(name string, content []byte) error {
		path := filepath.Join(s.folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, content, 0o644)
	}
	for name, l := range s.issued() {
		base := "more/" + name
		if l == &s.property {
			base = "license"
		}
		for _, part := range []string{"file", "proof"} {
			b, err := s.client.get(ctx, "/licenses/"+l.ID+"/"+part)
			if err != nil {
				return "", err
			}
			suffix := map[string]string{"file": ".ofd", "proof": ".proof"}[part]
			if err := keep(base+suffix, b); err != nil {
				return "", err
			}
			if l != &s.property {
				continue
			}
			if part == "file" {
				s.file = b
				continue
			}
			r, raw, err := s.client.checkFile(ctx, s.file, b)
			if err != nil {
				return "", err
			}
			if r.Verdict != "valid" {
				return "", wrong("license.ofd is %s: %v", r.Verdict, r.Checks)
			}
			if err := keep("verdict.json", raw); err != nil {
				return "", err
			}
		}
	}
	for name, path := range map[string]string{
		"trust.json": "/trust-list", "checkpoint": "/ledger/checkpoint", "more/food.status.proof": "/licenses/" + s.food.ID + "/status-proof",
	} {
		b, err := s.client.get(ctx, path)
		if err != nil {
			return "", err
		}
		if err := keep(name, b); err != nil {
			return "", err
		}
	}
	static, err := s.client.get(ctx, "/licenses/"+s.property.ID+"/static-code")
	if err != nil {
		return "", err
	}
	code, err := s.showOnPage(ctx)
	if err != nil {
		return "", err
	}
	for name, b := range map[string][]byte{
		"code.txt": []byte(code + "\n"), "more/static-code.json": static,
		"more/check-accepted.json": s.accepted.raw, "more/check-refused.json": s.refused.raw, "more/check-revoked.json": s.revoked.raw,
	} {
		if err := keep(name, b); err != nil {
			return "", err
		}
	}
	return "", nil
}
