package web

import "net/http"

// policy is the content security policy: nothing inline, nothing from elsewhere, wasm only for the barcode reader.
// Sign-in, consent and sign-out leave form-action out: their answer redirects the browser to the application that asked,
// and browsers hold such redirects against form-action too.
const (
	policyBase = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; " +
		"media-src 'self' blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'"
	policy = policyBase + "; form-action 'self'"
)

// pageHeaders sets what every page of ours carries. Pages are about one person, so nobody may keep them.
func pageHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// apiHeaders sets what every answer of the API carries.
func apiHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// providerHeaders sets what the provider's answers carry unless it says otherwise; form_post answers are pages of its own.
func providerHeaders(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
}

// leaveFormAction allows this page's form to end at another site.
func leaveFormAction(w http.ResponseWriter) { w.Header().Set("Content-Security-Policy", policyBase) }
