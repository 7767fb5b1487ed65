package pki

import (
	"bytes"
	"slices"
	"time"
)

// ChainResult says how far a chain of certificates (证书链) leads.
type ChainResult string

// The three ends of a chain.
const (
	ChainAnchored    ChainResult = "anchored"     // every signature holds, up to a known anchor
	ChainUnknownRoot ChainResult = "unknown_root" // nothing is wrong, but no known anchor is reached
	ChainBroken      ChainResult = "broken"       // a signature is wrong, or an issuer may not issue
)

// Chain is what was found between a certificate and its anchor.
type Chain struct {
	Result ChainResult
	Path   []*Certificate // the leaf first; without the anchor
	Anchor *Anchor        // nil unless anchored
	Detail string         // English, for the check
}

const (
	maxDepth      = 8  // certificates in a path
	maxSignatures = 32 // verified while one chain is built
)

// Chain looks for a path from leaf over the trust's intermediates and extra to an anchor. Each pair is checked by itself:
// name, signature, and that the issuer was a CA whose dates held at the given time. An anchor is a name and a key; its
// own extensions and dates are not judged. The leaf's dates, key usage and role are for the caller.
func (t *Trust) Chain(leaf *Certificate, extra []*Certificate, at time.Time) Chain {
	s := search{trust: t, at: at, budget: maxSignatures}
	if t != nil {
		s.pool = append(s.pool, t.intermediates...)
	}
	s.pool = append(s.pool, extra...)
	return s.from([]*Certificate{leaf})
}

type search struct {
	trust  *Trust
	pool   []*Certificate
	at     time.Time
	budget int
}

func (s *search) verified(c, issuer *Certificate) bool {
	if s.trust != nil && s.trust.signed[[2]*Certificate{c, issuer}] {
		return true
	}
	if s.budget == 0 {
		return false
	}
	s.budget--
	return c.VerifiedBy(issuer.PublicKey)
}

func (s *search) from(path []*Certificate) Chain {
	last := path[len(path)-1]
	broken, unknown := Chain{}, Chain{}
	for _, a := range s.trust.Anchors() {
		if bytes.Equal(a.Certificate.Raw, last.Raw) {
			return Chain{Result: ChainAnchored, Path: path, Anchor: a}
		}
		if !sameName(a.Certificate.RawSubject, last.RawIssuer) {
			continue
		}
		if s.verified(last, a.Certificate) {
			return Chain{Result: ChainAnchored, Path: path, Anchor: a}
		}
		broken = Chain{Result: ChainBroken, Path: path, Detail: "the key of the anchor that it names did not sign it"}
	}
	if len(path) == maxDepth {
		return Chain{Result: ChainBroken, Path: path, Detail: "the chain is too long"}
	}
	for _, issuer := range s.pool {
		if !sameName(issuer.RawSubject, last.RawIssuer) || slices.ContainsFunc(path, func(c *Certificate) bool {
			return bytes.Equal(c.Raw, issuer.Raw)
		}) {
			continue
		}
		next := s.step(path, last, issuer)
		switch next.Result {
		case ChainAnchored:
			return next
		case ChainUnknownRoot:
			unknown = next
		case ChainBroken:
			broken = next
		}
	}
	switch {
	case unknown.Result != "":
		return unknown
	case broken.Result != "":
		return broken
	case last.SelfIssued():
		if !s.verified(last, last) {
			return Chain{Result: ChainBroken, Path: path, Detail: "a self-issued certificate did not sign itself"}
		}
		return Chain{Result: ChainUnknownRoot, Path: path, Detail: "the chain ends at a root that is not known"}
	default:
		return Chain{Result: ChainUnknownRoot, Path: path, Detail: "the issuer is not known"}
	}
}

// step goes from last to one issuer of its name.
func (s *search) step(path []*Certificate, last, issuer *Certificate) Chain {
	fail := func(why string) Chain { return Chain{Result: ChainBroken, Path: path, Detail: why} }
	if !s.verified(last, issuer) {
		return fail("the issuer at hand did not sign it")
	}
	if !issuer.MayIssue() {
		return fail("an issuer in the chain is not allowed to issue")
	}
	if issuer.MaxPathLen >= 0 && len(path)-1 > issuer.MaxPathLen {
		return fail("an issuer in the chain allows fewer steps")
	}
	if len(issuer.UnknownCritical) > 0 {
		return fail("an issuer in the chain has an unknown critical extension")
	}
	if !issuer.Within(s.at) {
		return fail("an issuer in the chain was outside its dates")
	}
	return s.from(append(slices.Clone(path), issuer))
}
