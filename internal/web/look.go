package web

import (
	"context"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/license"
)

// onlooker says in which part, and by whose act, a principal sees licenses that are not its own: an application always acts
// as itself, also with a person's token, so that the person sees which application it was.
func onlooker(p *identity.Principal) (license.ActorKind, license.Act) {
	act := actOf(p)
	if p.Client == "" {
		return license.ActorOfficer, act
	}
	if p.Account != nil {
		act.Actor, act.OnBehalfOf = p.Client, p.Account.ID
	}
	return license.ActorClient, act
}

// inPerson says whether a principal is one of the license's people, here in person.
func inPerson(p *identity.Principal, l *license.License) bool {
	return p.Client == "" && p.Account != nil && holds(holders(p.Account), l)
}

// looked records, for the holder to see, that somebody else looks at a license. It comes before the answer: what cannot be
// recorded is not shown.
func (s *server) looked(ctx context.Context, p *identity.Principal, l *license.License, what license.EventAct) error {
	if inPerson(p, l) {
		return nil
	}
	by, act := onlooker(p)
	return s.Licenses.Looked(ctx, l.ID, what, by, act)
}

// found records that a search listed the licenses of somebody else, for which matter and why.
func (s *server) found(ctx context.Context, p *identity.Principal, list []license.Card, in actBody) error {
	by, act := onlooker(p)
	act.Matter, act.CaseNo, act.Reason, act.LegalBasis = in.Matter, in.CaseNo, in.Reason, in.LegalBasis
	if act.OnBehalfOf == "" {
		act.OnBehalfOf = in.OnBehalfOf
	}
	ids := make([]license.ID, len(list))
	for i, c := range list {
		ids[i] = c.ID
	}
	return s.Licenses.Found(ctx, ids, by, act)
}
