// Package web is the outside of the service: pages, the JSON API and cookies. It decides nothing: every request is
// translated into one call of the domain, every answer into HTML or JSON.
package web

import (
	"context"
	"net/http"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
)

// Licenses is what web asks of the license domain.
type Licenses interface {
	Kinds(ctx context.Context) ([]license.Kind, error)
	KindsOf(ctx context.Context, office string) ([]license.Kind, error) // that an office issues
	Issue(ctx context.Context, req license.IssueRequest) (license.License, error)
	Get(ctx context.Context, id license.ID) (license.License, error)
	ListByOffice(ctx context.Context, office string, max int) ([]license.License, error)
	ListByHolder(ctx context.Context, holder license.Holder, max int) ([]license.Card, error)
	Revoke(ctx context.Context, req license.RevokeRequest) (license.License, error)
	Show(ctx context.Context, req license.ShowRequest) (license.Shown, error)
	CheckCode(ctx context.Context, code string, by license.Verifier) (license.Outcome, error)
	StaticCode(ctx context.Context, id license.ID) (string, error)
	File(ctx context.Context, id license.ID) ([]byte, error) // Conflict "sealing_pending" until issued
	Events(ctx context.Context, id license.ID, max int) ([]license.Event, error)
	// Looked and Found record for the holder that somebody else opened or fetched a license, or found it by search.
	Looked(ctx context.Context, id license.ID, what license.EventAct, by license.ActorKind, act license.Act) error
	Found(ctx context.Context, ids []license.ID, by license.ActorKind, act license.Act) error
}

// Proofs makes the ledger proof of a license, with status evidence.
type Proofs interface {
	Proof(ctx context.Context, id license.ID) ([]byte, error) // Conflict "proof_pending" until included
	// StatusProof proves the latest change of status, such as a revocation; NotFound "status_unchanged" when there was none.
	StatusProof(ctx context.Context, id license.ID) ([]byte, error)
	Checkpoint(ctx context.Context) ([]byte, error)
}

// Judge judges a file as the verifier does, with the status that the service knows.
type Judge interface {
	File(ctx context.Context, file, proof []byte) verdict.Report
}

// Accounts is what web asks of the identity domain.
type Accounts interface {
	SignIn(ctx context.Context, in identity.SignIn) (token string, s identity.Session, err error)
	Session(ctx context.Context, token string) (identity.Session, identity.Account, error)
	SignOut(ctx context.Context, token string) error
}

// Provider is the OpenID Connect provider. Web mounts its protocol endpoints as they are and draws its two pages.
type Provider interface {
	http.Handler // /oauth2/*, /.well-known/*, answers as the RFCs say

	// Interaction gives what the sign-in and consent pages show for an authorization request that waits.
	Interaction(ctx context.Context, id string) (Interaction, error)
	// Decide finishes the request as the person decided and gives the URL to redirect the browser to.
	Decide(ctx context.Context, id, sessionToken string, allow bool) (string, error)
	// Authenticate finds the principal of a bearer token.
	Authenticate(ctx context.Context, bearer string) (identity.Principal, error)
	// EndSession finishes an RP-initiated logout and gives the URL to go to, or "" for our own signed-out page.
	EndSession(ctx context.Context, r *http.Request) (string, error)
}

// Interaction is an authorization request in the words of the person who must decide.
type Interaction struct {
	ID          string
	ClientName  string
	Scopes      []string
	NeedsSignIn bool // no session, or prompt=login or max_age ask for a new one
	NeedsAsk    bool // consent has not been given before
	Cancel      string
}
