package main

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/sample"
)

const (
	parallel = 8
	rounds   = 100
)

// volley makes the same call from eight sides at once and gives the statuses with the answers.
func volley[T any](ctx context.Context, t *testing.T, r *running, method, path string, in any) (statuses [parallel]int, answers [parallel]T) {
	t.Helper()
	var wait sync.WaitGroup
	start := make(chan struct{})
	for i := range parallel {
		wait.Add(1)
		go func() {
			defer wait.Done()
			<-start
			status, body, err := r.call(ctx, method, path, in, &answers[i])
			if err != nil {
				t.Errorf("%s %s: %v", method, path, err)
			}
			if status >= 500 {
				t.Errorf("%s %s: %d %s", method, path, status, body)
			}
			statuses[i] = status
		}()
	}
	close(start)
	wait.Wait()
	return statuses, answers
}

// TestOneAcceptance: a shown code is accepted once, whoever is quickest, and told to be used to everybody else.
func TestOneAcceptance(t *testing.T) {
	r := shared(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	id := issued(ctx, t, r, "RACE-CODE", 3)
	e := sample.EnterpriseAt(3)
	for round := range rounds {
		var shown struct {
			Code string `json:"code"`
		}
		in := map[string]any{"purpose": "counter", "holder": map[string]string{"type": "001", "code": e.USCC}}
		if status, body, err := r.call(ctx, "POST", "/licenses/"+id+"/codes", in, &shown); err != nil || status != 201 {
			t.Fatalf("show: %d %s %v", status, body, err)
		}
		type outcome struct {
			Receipt string `json:"receipt"`
			FirstAt string `json:"first_used_at"`
			Report  struct {
				Verdict string `json:"verdict"`
			} `json:"report"`
		}
		statuses, answers := volley[outcome](ctx, t, r, "POST", "/verifications/code", map[string]string{"code": shown.Code})
		accepted := 0
		for i, a := range answers {
			switch {
			case statuses[i] != 200:
				t.Errorf("round %d: status %d", round, statuses[i])
			case a.Receipt != "" && a.Report.Verdict == "valid":
				accepted++
			case a.FirstAt == "" || a.Report.Verdict != "not_valid":
				t.Errorf("round %d: neither accepted nor told to be used: %+v", round, a)
			}
		}
		if accepted != 1 {
			t.Fatalf("round %d: %d acceptances of one code", round, accepted)
		}
	}
}

// TestOneLicense: the same request from eight sides makes one license.
func TestOneLicense(t *testing.T) {
	r := shared(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for round := range rounds {
		e := sample.EnterpriseAt(round % sample.Enterprises)
		body := issueBody(sample.FoodLicense(e, fmt.Sprintf("RACE-%05d", round), ""))
		type answer struct {
			ID string `json:"id"`
		}
		statuses, answers := volley[answer](ctx, t, r, "POST", "/licenses", body)
		for i := range answers {
			if statuses[i] != 201 && statuses[i] != 202 || answers[i].ID != answers[0].ID || answers[i].ID == "" {
				t.Fatalf("round %d: status %d, license %q beside %q", round, statuses[i], answers[i].ID, answers[0].ID)
			}
		}
	}
	// The enterprise of index 17 has its home, and so its office, where the first has it.
	other := issueBody(sample.FoodLicense(sample.EnterpriseAt(17), "RACE-00000", ""))
	if status, _, err := r.call(ctx, "POST", "/licenses", other, nil); err != nil || status != 409 {
		t.Errorf("the same number with other content: %d %v, want 409", status, err)
	}
}

// issued issues a food license to an enterprise and waits for its seal.
func issued(ctx context.Context, t testing.TB, r *running, number string, enterprise int) string {
	t.Helper()
	var got struct {
		ID    string `json:"id"`
		State string `json:"state"`
	}
	status, body, err := r.call(ctx, "POST", "/licenses", issueBody(sample.FoodLicense(sample.EnterpriseAt(enterprise), number, "")), &got)
	if err != nil || got.ID == "" {
		t.Fatalf("issue: %d %s %v", status, body, err)
	}
	look := time.NewTicker(20 * time.Millisecond) // a client that asks, and not a load of its own
	defer look.Stop()
	for got.State != "issued" {
		<-look.C
		status, body, err := r.call(ctx, "GET", "/licenses/"+got.ID, nil, &got)
		if err != nil || status != 200 {
			t.Fatalf("get: %d %s %v", status, body, err)
		}
	}
	return got.ID
}
