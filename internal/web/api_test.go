package web_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/web"
	"github.com/yinxin-trust/yinxin/license"
)

// call makes one call of the API.
func call(h http.Handler, method, path, bearer, contentType, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body))
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

const jsonType = "application/json"

// order is a good issue request.
func order(number string) string {
	return fmt.Sprintf(`{"kind":%q,"office":%q,"business_no":%q,"holders":[{"type":"001","code":%q,"name":"样本餐饮有限公司"}],
"fields":{"FDDBR":"赵示例","ZS":"样本区1号","JYCS":"样本区1号","ZTYT":"餐饮服务经营者","JYXM":"热食","RCJGJG":"样本局"},"matter":"food-permit","case_no":"99-2026-1","legal_basis":"行政许可法第三十八条"}`,
		license.SampleFood, office, number, enterpriseCode)
}

// example is one call of an operation and what it must answer.
type example struct {
	op, method, path, bearer, kind, body string
	status                               int
}

// examples cover every operation and, for most, what it refuses. ID and WAITING stand for licenses, CODE for a code.
func examples() []example {
	none := "AAAQAAAAAAAAAAAAAAAAAAAAAAAAA"
	return []example{
		{"listKinds", "GET", "/kinds", "", "", "", 200},
		{"issueLicense", "POST", "/licenses", "all", jsonType, order("JY1"), 201},
		{"issueLicense", "POST", "/licenses", "all", jsonType + "; charset=utf-8", order("JY1"), 201},
		{"issueLicense", "POST", "/licenses", "all", jsonType, strings.Replace(order("JY1"), "\"样本区1号\"", `"x\u0000y"`, 1), 400},
		{"issueLicense", "POST", "/licenses", "all", jsonType, strings.Replace(order("JY9"), enterpriseCode, "91990000MA0000001C", 1), 400},
		{"issueLicense", "POST", "/licenses", "all", jsonType, strings.Replace(order("JY1"), `"kind"`, `"KIND"`, 1), 400},
		{"issueLicense", "POST", "/licenses", "all", jsonType, strings.Replace(order("JY1"), `{"kind"`, `{"version":1e400,"kind"`, 1), 400},
		{"issueLicense", "POST", "/licenses", "all", jsonType, strings.Replace(order("JY1"), `{"kind"`, `{"version":99999999999999999999,"kind"`, 1), 400},
		{"issueLicense", "POST", "/licenses", "all", jsonType, strings.Replace(order("JY1"), `{"kind"`, `{"version":null,"kind"`, 1), 400},
		{"issueLicense", "POST", "/licenses", "all", jsonType, strings.Replace(order("JY1"), `{"kind"`, `{"kind":"A","kind"`, 1), 400},
		{"issueLicense", "POST", "/licenses", "all", jsonType, order("JY1") + "{}", 400},
		{"issueLicense", "POST", "/licenses", "all", jsonType, strings.Repeat("[", 10000), 400},
		{"issueLicense", "POST", "/licenses", "all", jsonType, "", 400},
		{"issueLicense", "POST", "/licenses", "all", jsonType, "\xff\xfe", 400},
		{"issueLicense", "POST", "/licenses", "all", "text/plain", order("JY1"), 415},
		{"issueLicense", "POST", "/licenses", "all", "", order("JY1"), 415},
		{"issueLicense", "POST", "/licenses", "all", jsonType, `"` + strings.Repeat("a", 2<<20) + `"`, 413},
		{"issueLicense", "POST", "/licenses", "", jsonType, order("JY1"), 401},
		{"issueLicense", "POST", "/licenses", "bad", jsonType, order("JY1"), 401},
		{"issueLicense", "POST", "/licenses", "read", jsonType, order("JY1"), 403},
		{"issueLicense", "POST", "/licenses", "other", jsonType, order("JY1"), 403},
		{"getLicense", "GET", "/licenses/ID", "all", "", "", 200},
		{"getLicense", "GET", "/licenses/ID", "read", "", "", 200},
		{"getLicense", "GET", "/licenses/ID", "person", "", "", 200},
		{"getLicense", "GET", "/licenses/ID", "other", "", "", 404},
		{"getLicense", "GET", "/licenses/ID", "", "", "", 401},
		{"getLicense", "GET", "/licenses/" + none, "all", "", "", 404},
		{"getLicense", "GET", "/licenses/x%00y", "all", "", "", 400},
		{"searchLicenses", "POST", "/licenses/search", "read", jsonType, `{"holder":{"type":"001","code":"91990000MA0000001B"},"matter":"m","reason":"r"}`, 200},
		{"searchLicenses", "POST", "/licenses/search", "read", jsonType, `{"holder":{"type":"001","code":"91990000MA0000001B"}}`, 403},
		{"searchLicenses", "POST", "/licenses/search", "read", jsonType, `{"holder":{"type":"001","code":"91990000MA0000001C"},"matter":"m","reason":"r"}`, 400},
		{"searchLicenses", "POST", "/licenses/search", "person", jsonType, `{"holder":{"type":"001","code":"91990000MA0000001B"}}`, 200},
		{"searchLicenses", "POST", "/licenses/search", "person", jsonType, `{"holder":{"type":"111","code":"990101199001010027"},"matter":"m","reason":"r"}`, 403},
		{"listWallet", "GET", "/wallet", "person", "", "", 200},
		{"listWallet", "GET", "/wallet", "all", "", "", 403},
		{"showLicense", "POST", "/licenses/ID/codes", "person", jsonType, `{"purpose":"counter"}`, 201},
		{"showLicense", "POST", "/licenses/ID/codes", "person", jsonType, `{"purpose":"counter","mask":4294967296}`, 400},
		{"showLicense", "POST", "/licenses/ID/codes", "all", jsonType, `{"purpose":"counter","mask":5,"holder":{"type":"001","code":"91990000MA0000001B"}}`, 201},
		{"showLicense", "POST", "/licenses/ID/codes", "all", jsonType, `{"purpose":"counter"}`, 400},
		{"showLicense", "POST", "/licenses/ID/codes", "all", jsonType, `{"purpose":"counter","holder":{"type":"111","code":"990101199001010027"}}`, 404},
		{"getFile", "GET", "/licenses/ID/file", "all", "", "", 200},
		{"getFile", "GET", "/licenses/WAITING/file", "all", "", "", 409},
		{"getStatusProof", "GET", "/licenses/ID/status-proof", "all", "", "", 404},
		{"getProof", "GET", "/licenses/ID/proof", "all", "", "", 200},
		{"getProof", "GET", "/licenses/WAITING/proof", "all", "", "", 409},
		{"getStaticCode", "GET", "/licenses/ID/static-code", "all", "", "", 200},
		{"verifyCode", "POST", "/verifications/code", "", jsonType, `{"code":"CODE"}`, 200},
		{"verifyCode", "POST", "/verifications/code", "all", jsonType, `{"code":"CODE"}`, 200},
		{"verifyCode", "POST", "/verifications/code", "all", jsonType, `{"code":"CODE"}`, 200},
		{"verifyCode", "POST", "/verifications/code", "bad", jsonType, `{"code":"CODE"}`, 401},
		{"verifyCode", "POST", "/verifications/code", "read", jsonType, `{"code":"CODE"}`, 403},
		{"verifyCode", "POST", "/verifications/code", "", jsonType, `{"code":""}`, 400},
		{"verifyFile", "POST", "/verifications/file", "", "application/ofd", "PK", 200},
		{"verifyFile", "POST", "/verifications/file", "", "application/octet-stream", "x", 200},
		{"verifyFile", "POST", "/verifications/file", "", "application/ofd", "", 400},
		{"verifyFile", "POST", "/verifications/file", "", jsonType, "{}", 415},
		{"verifyFile", "POST", "/verifications/file", "", "multipart/form-data", "x", 400},
		{"verifyFile", "POST", "/verifications/file", "", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nPK\r\n--b--\r\n", 200},
		{"revokeLicense", "POST", "/licenses/ID/revoke", "all", jsonType, `{"reason":"nonsense"}`, 400},
		{"revokeLicense", "POST", "/licenses/ID/revoke", "other", jsonType, `{"reason":"law_violation"}`, 404},
		{"revokeLicense", "POST", "/licenses/ID/revoke", "all", jsonType, `{"reason":"law_violation"}`, 200},
		{"getStatusProof", "GET", "/licenses/ID/status-proof", "all", "", "", 200},
		{"revokeLicense", "POST", "/licenses/ID/revoke", "all", jsonType, `{"reason":"law_violation"}`, 409},
		{"getCheckpoint", "GET", "/ledger/checkpoint", "", "", "", 200},
		{"getTrustList", "GET", "/trust-list", "", "", "", 200},
		{"getOpenAPI", "GET", "/openapi.json", "", "", "", 200},
	}
}

// document is the part of OpenAPI that the test reads.
type document struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		OperationID string `json:"operationId"`
		RequestBody *struct {
			Content map[string]json.RawMessage `json:"content"`
		} `json:"requestBody"`
		Responses map[string]struct {
			Content map[string]struct {
				Schema map[string]any `json:"schema"`
			} `json:"content"`
		} `json:"responses"`
		Security []map[string][]string `json:"security"`
	} `json:"paths"`
}

// TestDocumentAndHandlersAgree holds the OpenAPI document and the handlers against each other: every documented operation
// is routed and every route documented; what the handlers answer has a documented status, type and shape.
func TestDocumentAndHandlersAgree(t *testing.T) {
	t.Parallel()
	w := newWorld()
	food := w.issue(t, "JY19900000000001")
	w.pending = true
	waiting := w.issue(t, "JY19900000000002")
	w.pending = false
	h := newHandler(t, w)
	shown, err := w.Show(t.Context(), license.ShowRequest{License: food.ID, Viewer: food.Holders})
	if err != nil {
		t.Fatal(err)
	}
	names := strings.NewReplacer("ID", food.ID.String(), "WAITING", waiting.ID.String(), "CODE", shown.Code)

	var doc document
	if err := json.Unmarshal(call(h, "GET", "/openapi.json", "", "", "").Body.Bytes(), &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatal(doc.OpenAPI, err)
	}
	documented := make(map[string]bool)
	for path, methods := range doc.Paths {
		for method, op := range methods {
			documented[op.OperationID] = true
			if rec := call(h, strings.ToUpper(method), strings.ReplaceAll(path, "{id}", food.ID.String()), "", "", ""); rec.Code == 405 {
				t.Errorf("%s %s is documented and not routed", method, path)
			}
		}
	}
	for _, op := range web.Operations() {
		if doc.Paths[op.Path][strings.ToLower(op.Method)].OperationID != op.ID {
			t.Errorf("%s %s is routed and not documented", op.Method, op.Path)
		}
	}
	covered := make(map[string]bool)
	for _, e := range examples() {
		name := fmt.Sprintf("%s %s as %q gives %d", e.method, e.path, e.bearer, e.status)
		rec := call(h, e.method, names.Replace(e.path), e.bearer, e.kind, names.Replace(e.body))
		if rec.Code != e.status {
			t.Errorf("%s: %d %.300s", name, rec.Code, rec.Body)
			continue
		}
		covered[e.op] = covered[e.op] || rec.Code < 300
		for path, methods := range doc.Paths {
			op, ok := methods[strings.ToLower(e.method)]
			if !ok || op.OperationID != e.op {
				continue
			}
			answer, ok := op.Responses[fmt.Sprint(rec.Code)]
			if !ok {
				t.Errorf("%s: the status is not documented for %s", name, path)
				continue
			}
			content, ok := answer.Content[rec.Header().Get("Content-Type")]
			if !ok {
				t.Errorf("%s: %q is not documented", name, rec.Header().Get("Content-Type"))
				continue
			}
			if ref, ok := content.Schema["$ref"].(string); ok {
				if err := web.CheckSchema(ref[strings.LastIndex(ref, "/")+1:], rec.Body.Bytes()); err != nil {
					t.Errorf("%s: the answer breaks its schema: %v\n%s", name, err, rec.Body)
				}
			}
		}
	}
	for id := range documented {
		if !covered[id] {
			t.Errorf("no good example of %s was played", id)
		}
	}
}

// TestEveryFaultIsDocumented breaks each part behind the API and finds the answer in the document.
func TestEveryFaultIsDocumented(t *testing.T) {
	t.Parallel()
	for _, broken := range []error{fault.New(fault.Unavailable, "x", "x"), fault.New(fault.TooMany, "x", "x"), io.ErrUnexpectedEOF} {
		w := newWorld()
		food := w.issue(t, "JY19900000000001")
		h := newHandler(t, w)
		w.broken = broken
		for _, op := range web.Operations() {
			if op.Method == "POST" {
				continue
			}
			rec := call(h, op.Method, strings.ReplaceAll(op.Path, "{id}", food.ID.String()), "all", "", "")
			if rec.Code >= 300 && !slices.Contains(op.Faults, rec.Code) {
				t.Errorf("%s: %d is not documented", op.ID, rec.Code)
			}
			if rec.Code >= 300 {
				if err := web.CheckSchema("Error", rec.Body.Bytes()); err != nil {
					t.Errorf("%s: %v", op.ID, err)
				}
			}
			if rec.Code == 503 && rec.Header().Get("Retry-After") == "" {
				t.Errorf("%s: 503 without Retry-After", op.ID)
			}
		}
	}
}

// TestUnknown answers unknown addresses and methods of the API in its one shape.
func TestUnknown(t *testing.T) {
	t.Parallel()
	h := newHandler(t, newWorld())
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/nothing", 404},
		{"GET", "/licenses/../kinds", 404},
		{"DELETE", "/kinds", 405},
		{"GET", "/licenses/search", 405},
		{"TRACE", "/kinds", 405},
		{"PUT", "/licenses", 405},
		{"GET", "//kinds", 404},
		{"GET", "", 404},
		{"QUERY", "/licenses/x", 405},
	} {
		rec := call(h, c.method, c.path, "", "", "")
		if rec.Code != c.status || rec.Header().Get("Content-Type") != jsonType {
			t.Errorf("%s %s: %d %s", c.method, c.path, rec.Code, rec.Header().Get("Content-Type"))
			continue
		}
		if err := web.CheckSchema("Error", rec.Body.Bytes()); err != nil {
			t.Errorf("%s %s: %v", c.method, c.path, err)
		}
		if c.status == 405 && rec.Header().Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", c.method, c.path)
		}
	}
}

// TestNoWordsInAuditTrail tries to write words and personal numbers where the audit trail keeps them in plain.
func TestNoWordsInAuditTrail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		member, value string
		good          bool
	}{
		{"case_no", "99-2026.000_017", true},
		{"case_no", "", true},
		{"case_no", "赵示例", false},
		{"case_no", "Zhao Shili", false},
		{"case_no", "99/1", false},
		{"case_no", strings.Repeat("9", 65), false},
		{"reason", "new_issue", true},
		{"reason", "赵示例申请", false},
		{"reason", "asked by Zhao", false},
		{"legal_basis", "", true},
		{"legal_basis", "《中华人民共和国行政许可法》第三十八条、第12345号", true},
		{"legal_basis", "12345法12345", true},
		{"legal_basis", "赵示例 " + citizenNumber, false},
		{"legal_basis", "法123456", false},
		{"legal_basis", "１２３４５６", false},
		{"legal_basis", "法\n规", false},
		{"legal_basis", strings.Repeat("法", 120), true},
		{"legal_basis", strings.Repeat("法", 121), false},
	} {
		for schema, body := range map[string]string{
			"IssueRequest":  `{"kind":"A","business_no":"1","holders":[{"type":"001","code":"A","name":"n"}],"fields":{},%q:"%s"}`,
			"SearchRequest": `{"holder":{"type":"001","code":"A"},%q:"%s"}`,
			"RevokeRequest": `{"reason":"r",%q:"%s"}`,
			"ShowRequest":   `{"purpose":"counter",%q:"%s"}`,
			"CodeCheck":     `{"code":"A",%q:"%s"}`,
		} {
			if c.member == "legal_basis" && (schema == "ShowRequest" || schema == "CodeCheck") {
				continue // they have none
			}
			if c.member == "reason" && schema == "RevokeRequest" {
				body = `{%q:"%s"}`
			}
			if err := web.CheckSchema(schema, fmt.Appendf(nil, body, c.member, c.value)); (err == nil) != c.good {
				t.Errorf("%s %s %q: %v", schema, c.member, c.value, err)
			}
		}
	}
}

// TestWhatToDoNext finds in the headers which scope is wanted, and when to ask again.
func TestWhatToDoNext(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.pending = true
	id := w.issue(t, "JY19900000000001").ID.String()
	h := newHandler(t, w)
	rec := call(h, "POST", "/licenses/"+id+"/revoke", "read", jsonType, `{"reason":"law_violation"}`)
	if got := rec.Header().Get("WWW-Authenticate"); rec.Code != 403 || got != `Bearer realm="yinxin", error="insufficient_scope", scope="license.revoke"` {
		t.Errorf("a scope is missing: %d %s", rec.Code, got)
	}
	for _, part := range []string{"/file", "/proof"} {
		if rec := call(h, "GET", "/licenses/"+id+part, "all", "", ""); rec.Code != 409 || rec.Header().Get("Retry-After") != "2" {
			t.Errorf("%s while pending: %d, Retry-After %q", part, rec.Code, rec.Header().Get("Retry-After"))
		}
	}
	if rec := call(h, "POST", "/licenses", "other", jsonType, order("JY3")); rec.Code != 403 || rec.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("another office: %d, challenge %q", rec.Code, rec.Header().Get("WWW-Authenticate"))
	}
}

// TestErrorShape reads an error in both languages.
func TestErrorShape(t *testing.T) {
	t.Parallel()
	h := newHandler(t, newWorld())
	for lang, want := range map[string]string{"zh-CN": "缺少访问凭据", "en": "credentials are missing"} {
		rec := call(h, "GET", "/wallet", "", "", "", "Accept-Language", lang)
		var e struct{ Error, Message, Hint, Trace string }
		if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if e.Message != want || e.Error != "credentials_missing_api" || e.Trace != rec.Header().Get("X-Trace-Id") || e.Hint == "" {
			t.Errorf("%s: %+v", lang, e)
		}
		if !strings.HasPrefix(rec.Header().Get("WWW-Authenticate"), "Bearer") {
			t.Error("no challenge")
		}
	}
	rec := call(h, "POST", "/licenses", "all", jsonType, strings.Replace(order("JY9"), enterpriseCode, "91990000MA0000001C", 1))
	var e struct{ Problems []license.Problem }
	if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil || len(e.Problems) != 1 || e.Problems[0].Place != "holders[0].code" || e.Problems[0].Message != "号码或校验位不对，请核对" {
		t.Errorf("problems: %+v %v", e, err)
	}
}

// TestSearchIsLogged finds who asked and for what, and not about whom.
func TestSearchIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var log strings.Builder
	h := newHandler(t, w, func(c *web.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	rec := call(h, "POST", "/licenses/search", "read", jsonType, `{"holder":{"type":"111","code":"990101199001010019"},"matter":"m-17","reason":"no-paper"}`)
	if rec.Code != 200 || w.searches != 1 {
		t.Fatal(rec.Code, rec.Body)
	}
	if text := log.String(); !strings.Contains(text, "actor=reader") || !strings.Contains(text, "matter=m-17") || !strings.Contains(text, "reason=no-paper") || strings.Contains(text, citizenNumber) {
		t.Errorf("the log: %s", text)
	}
}

// TestSessionOnAPI lets a signed-in person call from the same site, and from no other.
func TestSessionOnAPI(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.issue(t, "JY19900000000001")
	h := newHandler(t, w)
	cookie := web.SessionCookie(false) + "=" + w.session(t, "citizen")
	if rec := call(h, "GET", "/wallet", "", "", "", "Cookie", cookie); rec.Code != 200 || !strings.Contains(rec.Body.String(), "食品经营许可证") {
		t.Errorf("the wallet: %d %s", rec.Code, rec.Body)
	}
	body := `{"holder":{"type":"001","code":"91990000MA0000001B"}}`
	if rec := call(h, "POST", "/licenses/search", "", jsonType, body, "Cookie", cookie, "Sec-Fetch-Site", "same-origin"); rec.Code != 200 {
		t.Errorf("same site: %d", rec.Code)
	}
	if rec := call(h, "POST", "/licenses/search", "", jsonType, body, "Cookie", cookie, "Sec-Fetch-Site", "cross-site"); rec.Code != 403 {
		t.Errorf("another site: %d", rec.Code)
	}
	if rec := call(h, "POST", "/licenses", "", jsonType, order("JY2"), "Cookie", cookie); rec.Code != 403 {
		t.Errorf("a citizen issues: %d", rec.Code)
	}
	officer := web.SessionCookie(false) + "=" + w.session(t, "officer")
	if rec := call(h, "POST", "/licenses", "", jsonType, strings.Replace(order("JY2"), `"office":"`+office+`",`, "", 1), "Cookie", officer); rec.Code != 201 {
		t.Errorf("an officer issues for the own office: %d %s", rec.Code, rec.Body)
	}
}
