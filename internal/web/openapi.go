package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/yinxin-trust/yinxin/identity"
)

// operations is everything that the API does, in the order in which the developers' page tells it.
func (s *server) operations() []operation {
	read := []int{400, 401, 403, 404, 405, 429, 500, 503}
	write := []int{400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503}
	open := []int{405, 429, 500, 503}
	ok := func(schema, text string) []answer { return []answer{{200, "application/json", schema, text}} }
	return []operation{
		{
			Method: "GET", Path: "/kinds", ID: "listKinds", Summary: "The catalogue of license kinds with their fields and rules",
			SummaryZH: "证照目录:证照类型、照面信息项与规则", Answers: ok("KindList", "the kinds in force"), Faults: open, handle: s.apiKinds,
		},
		{
			Method: "POST", Path: "/licenses", ID: "issueLicense", Access: required, Scope: identity.ScopeIssue, Body: "IssueRequest",
			Summary:   "Issue a license; the same request again gives the same license",
			SummaryZH: "签发证照;同一请求重复提交得到同一证照",
			Answers: []answer{
				{201, "application/json", "License", "issued, or the issued license of the same request"},
				{202, "application/json", "License", "accepted; sealing is pending"},
				{200, "application/json", "License", "the license of the same request, no longer in force"},
			}, Faults: write, handle: s.apiIssue,
		},
		{
			Method: "GET", Path: "/licenses/{id}", ID: "getLicense", Access: required, Scope: identity.ScopeRead,
			Summary: "A license with everything opened, for its holders and its issuer", SummaryZH: "证照详情(持证人与发证机构可见)",
			Answers: ok("License", "the license"), Faults: read, handle: s.apiGet,
		},
		{
			Method: "POST", Path: "/licenses/search", ID: "searchLicenses", Access: required, Scope: identity.ScopeRead, Body: "SearchRequest",
			Summary:   "The licenses of a holder; numbers travel in the body, never in an address",
			SummaryZH: "按持证主体查询证照;证件号码只在请求正文中", Answers: ok("CardList", "the holder's licenses"), Faults: write, handle: s.apiSearch,
		},
		{
			Method: "GET", Path: "/wallet", ID: "listWallet", Access: required, Scope: identity.ScopeRead,
			Summary: "The licenses of the signed-in person", SummaryZH: "当前登录人的证照",
			Answers: ok("CardList", "the person's licenses"), Faults: []int{401, 403, 405, 429, 500, 503}, handle: s.apiWallet,
		},
		{
			Method: "POST", Path: "/licenses/{id}/revoke", ID: "revokeLicense", Access: required, Scope: identity.ScopeRevoke, Body: "RevokeRequest",
			Summary: "End a license, with a reason of its kind", SummaryZH: "撤销证照,须写明原因",
			Answers: ok("License", "the license as it is now"), Faults: write, handle: s.apiRevoke,
		},
		{
			Method: "POST", Path: "/licenses/{id}/codes", ID: "showLicense", Access: required, Scope: identity.ScopePresent, Body: "ShowRequest",
			Summary: "Make a dynamic code that shows the license once", SummaryZH: "生成一次性亮证码",
			Answers: []answer{{201, "application/json", "Shown", "the code"}}, Faults: write, handle: s.apiShow,
		},
		{
			Method: "GET", Path: "/licenses/{id}/file", ID: "getFile", Access: required, Scope: identity.ScopeRead,
			Summary: "The sealed OFD file", SummaryZH: "已签章的 OFD 文件",
			Answers: []answer{{200, "application/ofd", "", "the file"}}, Faults: append(read, 409), handle: s.apiFile,
		},
		{
			Method: "GET", Path: "/licenses/{id}/proof", ID: "getProof", Access: required, Scope: identity.ScopeRead,
			Summary: "The ledger proof with status evidence", SummaryZH: "账本证明与状态证据",
			Answers: []answer{{200, "application/octet-stream", "", "the proof"}}, Faults: append(read, 409), handle: s.apiProof,
		},
		{
			Method: "GET", Path: "/licenses/{id}/status-proof", ID: "getStatusProof", Access: required, Scope: identity.ScopeRead,
			Summary: "The ledger proof of the latest change of status, such as a revocation", SummaryZH: "最近一次状态变更(如撤销)的账本证明",
			Answers: []answer{{200, "application/octet-stream", "", "the proof"}}, Faults: append(read, 409), handle: s.apiStatusProof,
		},
		{
			Method: "GET", Path: "/licenses/{id}/static-code", ID: "getStaticCode", Access: required, Scope: identity.ScopeRead,
			Summary: "The code that is printed on the license", SummaryZH: "印制在证照上的静态码",
			Answers: ok("StaticCode", "the code"), Faults: append(read, 409), handle: s.apiStaticCode,
		},
		{
			Method: "POST", Path: "/verifications/code", ID: "verifyCode", Access: optional, Scope: identity.ScopeVerify, Body: "CodeCheck",
			Summary:   "Judge a code; credentials with the scope verify consume it, without credentials it is only looked at",
			SummaryZH: "核验码;带 verify 权限的凭据将核销,匿名仅查看", Answers: ok("Outcome", "the outcome"), Faults: write, handle: s.apiCheckCode,
		},
		{
			Method: "POST", Path: "/verifications/file", ID: "verifyFile", Access: optional, Upload: true,
			Summary: "Judge an OFD file, with its proof where there is one", SummaryZH: "核验 OFD 文件,可附证明",
			Answers: ok("Report", "the verdict"), Faults: []int{400, 401, 405, 413, 415, 429, 500, 503}, handle: s.apiCheckFile,
		},
		{
			Method: "GET", Path: "/ledger/checkpoint", ID: "getCheckpoint", Summary: "The newest signed checkpoint of the ledger",
			SummaryZH: "账本最新的签名检查点", Answers: []answer{{200, "text/plain; charset=utf-8", "", "a signed note"}},
			Faults: append(open, 404, 409), handle: s.apiCheckpoint,
		},
		{
			Method: "GET", Path: "/trust-list", ID: "getTrustList", Summary: "The signed trust list", SummaryZH: "签名的信任列表",
			Answers: ok("", "the trust list"), Faults: append(open, 404, 409), handle: s.apiTrustList,
		},
		{
			Method: "GET", Path: "/openapi.json", ID: "getOpenAPI", Summary: "This document", SummaryZH: "本接口文档",
			Answers: ok("", "the document"), Faults: open, handle: s.apiDocument,
		},
	}
}

// document makes the OpenAPI 3.1 document from the operations and the schemas.
func (s *server) document() ([]byte, error) {
	paths := make(map[string]map[string]any)
	for _, op := range s.operations() {
		if paths[op.Path] == nil {
			paths[op.Path] = make(map[string]any)
		}
		paths[op.Path][strings.ToLower(op.Method)] = s.documentOperation(op)
	}
	doc := map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "印信 Yinxin API", "version": "1",
			"description": "Issue, show, verify and prove licenses. 签发、出示、核验、证明电子证照。Errors have one shape; messages follow Accept-Language.",
		},
		"servers": []any{map[string]any{"url": strings.TrimSuffix(s.BaseURL, "/") + apiRoot}},
		"paths":   paths,
		"components": map[string]any{
			"schemas": s.schemas.raw,
			"securitySchemes": map[string]any{"bearer": map[string]any{
				"type": "http", "scheme": "bearer",
				"description": "an access token of the provider at " + strings.TrimSuffix(s.BaseURL, "/") + "/.well-known/openid-configuration",
			}},
		},
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("web: openapi: %w", err)
	}
	return append(b, '\n'), nil
}

func schemaRef(name string) map[string]any {
	return map[string]any{"$ref": "#/components/schemas/" + name}
}

// licenseLinks says what can be done with the license that an answer names.
func (s *server) licenseLinks() map[string]any {
	links := map[string]any{}
	for _, op := range s.operations() {
		if strings.Contains(op.Path, "{id}") {
			links[op.ID] = map[string]any{"operationId": op.ID, "parameters": map[string]any{"id": "$response.body#/id"}}
		}
	}
	return links
}

// faultHeaders says which headers come with an error of a status.
func faultHeaders(status int) map[string]any {
	header := func(name, text, kind string) map[string]any {
		return map[string]any{name: map[string]any{"description": text, "schema": map[string]any{"type": kind}}}
	}
	switch status {
	case http.StatusUnauthorized:
		return header("WWW-Authenticate", "the challenge of RFC 6750", "string")
	case http.StatusForbidden:
		return header("WWW-Authenticate", "with scope_missing: error=\"insufficient_scope\" and the scope that is wanted", "string")
	case http.StatusConflict:
		return header("Retry-After", "seconds after which to ask again, with sealing_pending and proof_pending", "integer")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return header("Retry-After", "seconds after which to ask again", "integer")
	}
	return nil
}

func (s *server) documentOperation(op operation) map[string]any {
	responses := make(map[string]any)
	for _, a := range op.Answers {
		content := map[string]any{}
		switch {
		case a.Schema != "":
			content["schema"] = schemaRef(a.Schema)
		case a.Type == "application/json":
			content["schema"] = map[string]any{"type": "object"}
		}
		mediaType := a.Type
		answer := map[string]any{"description": a.Text, "content": map[string]any{mediaType: content}}
		if a.Schema == "License" && op.Body == "IssueRequest" {
			answer["links"] = s.licenseLinks()
		}
		responses[strconv.Itoa(a.Status)] = answer
	}
	for _, status := range op.Faults {
		r := map[string]any{
			"description": http.StatusText(status),
			"content":     map[string]any{"application/json": map[string]any{"schema": schemaRef("Error")}},
		}
		if h := faultHeaders(status); h != nil {
			r["headers"] = h
		}
		responses[strconv.Itoa(status)] = r
	}
	o := map[string]any{"operationId": op.ID, "summary": op.Summary, "description": op.SummaryZH, "responses": responses}
	if strings.Contains(op.Path, "{id}") {
		o["parameters"] = []any{map[string]any{"name": "id", "in": "path", "required": true, "schema": schemaRef("LicenseID")}}
	}
	switch op.Access {
	case required:
		o["security"] = []any{map[string]any{"bearer": []any{}}}
	case optional:
		o["security"] = []any{map[string]any{}, map[string]any{"bearer": []any{}}}
	case public:
		o["security"] = []any{}
	}
	if op.Scope != "" {
		o["x-scope"] = op.Scope
	}
	switch {
	case op.Body != "":
		o["requestBody"] = map[string]any{
			"required": true,
			"content":  map[string]any{"application/json": map[string]any{"schema": schemaRef(op.Body)}},
		}
	case op.Upload:
		file := map[string]any{"type": "string", "contentEncoding": "binary", "minLength": 1}
		proof := map[string]any{"type": "string", "contentEncoding": "binary"} // browsers send an empty part for none
		o["requestBody"] = map[string]any{"required": true, "content": map[string]any{
			"application/ofd":          map[string]any{},
			"application/octet-stream": map[string]any{},
			"multipart/form-data": map[string]any{"schema": map[string]any{
				"type": "object", "required": []any{"file"},
				"properties": map[string]any{"file": file, "proof": proof}, "additionalProperties": false,
			}},
		}}
	}
	return o
}
