package main

import (
	"context"
	"fmt"
	"time"

	"github.com/yinxin-trust/yinxin/internal/sample"
	"github.com/yinxin-trust/yinxin/license"
)

// showOnPage has the citizen choose nothing and show the property certificate as the page proposes; it gives the code.
func (s *story) showOnPage(ctx context.Context) (string, error) {
	page, err := s.citizen.open(ctx, "/show/"+s.property.ID)
	if err != nil {
		return "", err
	}
	f, err := page.form()
	if err != nil {
		return "", err
	}
	if page, err = s.citizen.submit(ctx, f); err != nil {
		return "", err
	}
	code := page.text("#code-text")
	if code == "" {
		return "", wrong("the page that shows the license bears no code")
	}
	return code, nil
}

func (s *story) show(ctx context.Context) (string, error) {
	var err error
	s.shown, err = s.showOnPage(ctx)
	return fmt.Sprintf("%d bytes", len(s.shown)), err
}

// accept is the counter's first look at the code.
func (s *story) accept(ctx context.Context) (string, error) {
	if err := s.enter(ctx, s.clerk, loginClerk); err != nil {
		return "", err
	}
	var err error
	if s.accepted, err = s.clerk.api().checkCode(ctx, s.shown); err != nil {
		return "", err
	}
	o := &s.accepted
	if o.Report.Verdict != "valid" || !o.Consumed || o.Receipt == "" || o.KindName != s.property.KindName || o.OfficeName != s.property.OfficeName || len(o.Face) == 0 {
		return "", wrong("the verdict on the code is %s, receipt %q: %v", o.Report.Verdict, o.Receipt, o.Report.Checks)
	}
	return "回执 receipt " + o.Receipt, nil
}

// refuse is the second look: the code was used up.
func (s *story) refuse(ctx context.Context) (string, error) {
	var err error
	if s.refused, err = s.clerk.api().checkCode(ctx, s.shown); err != nil {
		return "", err
	}
	o := &s.refused
	if o.Report.Verdict != "not_valid" || !o.Report.has("CODE_USED") || o.Receipt != "" || o.Consumed {
		return "", wrong("the verdict on a used code is %s: %v", o.Report.Verdict, o.Report.Checks)
	}
	if since := time.Since(o.FirstUsedAt); since < -time.Minute || since > waitLimit {
		return "", wrong("the refusal names %s as the time of first use", o.FirstUsedAt)
	}
	return "首次使用 first used " + o.FirstUsedAt.Format(time.RFC3339), nil
}

// checkRevoked shows the revoked permit from its holder's test wallet and has the counter look.
func (s *story) checkRevoked(ctx context.Context) (string, error) {
	code, err := s.showFood(ctx)
	if err != nil {
		return "", err
	}
	if s.revoked, err = s.clerk.api().checkCode(ctx, code); err != nil {
		return "", err
	}
	o := &s.revoked
	if o.Report.Verdict != "not_valid" || !o.Report.has("STATUS_REVOKED") || o.State != license.Revoked || o.Receipt != "" {
		return "", wrong("the verdict on a revoked license is %s, %s: %v", o.Report.Verdict, o.State, o.Report.Checks)
	}
	if o.EndOffice != s.food.OfficeName || o.EndedAt.Format(time.RFC3339) != s.food.EndedAt {
		return "", wrong("the verdict names %q at %s for the revocation", o.EndOffice, o.EndedAt)
	}
	return o.EndOffice + " " + o.EndedAt.Format(time.RFC3339), nil
}

// showFood mints a code of the food business permit by the API, for the enterprise's test wallet.
func (s *story) showFood(ctx context.Context) (string, error) {
	var shown struct {
		Code string `json:"code"`
	}
	err := s.client.post(ctx, "/licenses/"+s.food.ID+"/codes", map[string]any{
		"holder": map[string]string{"type": license.TypeUSCC, "code": sample.EnterpriseAt(0).USCC}, "purpose": "inspection",
	}, &shown)
	return shown.Code, err
}
