package main

import (
	"context"
	"errors"
	"time"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/identity/oauth"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/sample"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/internal/web"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/verify"
)

// start runs the loops: for each cell one that seals, one that carries to the directory, one that publishes to the ledger;
// one more publishes the province's own entries.
func (p *platform) start(ctx context.Context) {
	ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx)) // ended by close, after the listener has drained
	run := func(f func()) {
		p.loops.Add(1)
		go func() { defer p.loops.Done(); f() }()
	}
	run(func() { p.prune(ctx) })
	for _, pool := range p.cells.All() {
		cell := pool.Code()
		run(func() { publishLedger(ctx, p.Logger, pool, p.engine, p.ledgerBell.of(cell)) })
		if cell == postgres.ProvinceCode {
			continue
		}
		run(func() {
			p.licenses.RunSealing(ctx, cell, p.sealBell.of(cell), idlePause, func(done int, err error) {
				if done > 0 {
					p.ledgerBell.ring(cell)
					p.directoryBell.ring(cell)
				}
				if err != nil {
					p.Logger.Warn("some licenses wait for their seal", "cell", cell, "error", err)
					time.AfterFunc(errorPause, func() { p.sealBell.ring(cell) })
				}
			})
		})
		run(func() {
			every(ctx, p.Logger, "directory", cell, p.directoryBell.of(cell), func(ctx context.Context) (int, error) {
				return p.licenses.DrainDirectory(ctx, cell)
			})
		})
	}
}

// pruneEvery is how often grants, sessions and requests whose day is over are removed.
const pruneEvery = time.Hour

// prune removes what has expired or done its duty, so that no table grows without end.
func (p *platform) prune(ctx context.Context) {
	ticker := time.NewTicker(pruneEvery)
	defer ticker.Stop()
	for {
		now := time.Now()
		grants, err := p.grants.Prune(ctx, identity.DayOf(now))
		settled, err2 := p.cells.Prune(ctx, now)
		if err := errors.Join(err, err2); err != nil && ctx.Err() == nil {
			p.Logger.Warn("what has expired was not removed", "error", err)
		}
		if grants+settled > 0 {
			p.Logger.Info("what has expired was removed", "grants", grants, "messages and handles", settled)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// ringing wakes the loops of a cell after an act, so that nobody waits for their next look.
type ringing struct {
	*license.Service
	p *platform
}

func (r ringing) Issue(ctx context.Context, req license.IssueRequest) (license.License, error) {
	l, err := r.Service.Issue(ctx, req)
	if err == nil {
		r.p.sealBell.ring(l.ID.Cell())
		r.p.directoryBell.ring(l.ID.Cell())
	}
	return l, err
}

func (r ringing) Revoke(ctx context.Context, req license.RevokeRequest) (license.License, error) {
	l, err := r.Service.Revoke(ctx, req)
	if err == nil {
		r.p.ledgerBell.ring(l.ID.Cell())
		r.p.directoryBell.ring(l.ID.Cell())
	}
	return l, err
}

// provider speaks the words of the pages.
type provider struct{ *oauth.Provider }

func (p provider) Interaction(ctx context.Context, id string) (web.Interaction, error) {
	i, err := p.Provider.Interaction(ctx, id)
	return web.Interaction(i), err
}

// judge judges files for the pages and the API: with the proof handed in, or else with what the service itself knows of
// the license that the file says it is, as of now.
type judge struct{ p *platform }

func (j judge) File(ctx context.Context, file, proof []byte) verdict.Report {
	now := time.Now().UTC()
	trust, _, err := verify.OpenTrust(j.p.trust, nil, false, now)
	if err != nil {
		j.p.Logger.Error("the published trust list does not open", "error", err)
		return verify.Judge{At: now}.File(file, proof)
	}
	judge := verify.Judge{Trust: trust, At: now}
	return judge.FileKnown(file, proof, func(id license.ID) (verify.Known, bool) { return j.known(ctx, id) })
}

// known is what the service keeps of a license. The verdict waits for no key and no ledger: without a published entry
// there is no proof, and the report says how far the entry has come.
func (j judge) known(ctx context.Context, id license.ID) (verify.Known, bool) {
	l, err := j.p.licenses.Get(ctx, id)
	if err != nil {
		j.p.Logger.Info("an uploaded file names a license that is not kept here", "code", fault.CodeOf(err))
		return verify.Known{}, false
	}
	k := verify.Known{
		State: l.State, Document: l.DocumentDigest, Since: l.EndedAt, Reason: l.EndReason, Office: l.OfficeName, Ledger: l.LedgerState,
	}
	if k.Proof, err = (log{engine: j.p.engine, licenses: j.p.licenses}).Evidence(ctx, id); err != nil {
		j.p.Logger.Info("a file is judged without a proof", "code", fault.CodeOf(err))
	}
	return k, true
}

// seed fills the province: seals, accounts, licenses. Every step finds what an earlier start made.
func (p *platform) seed(ctx context.Context) error {
	if err := makeSeals(ctx, p.registry, p.keys, p.pki, p.font); err != nil {
		return err
	}
	p.Say("seals: %d departments on five levels", len(sample.Offices()))
	if _, err := p.accounts.CreateAccounts(ctx, sampleAccounts()); err != nil {
		return err
	}
	p.Say("people: %d, enterprises: %d", sample.People, sample.Enterprises)
	licenses := ringing{p.licenses, p}
	for _, req := range sample.Licenses("demo") {
		if _, err := licenses.Issue(ctx, req); err != nil {
			return err
		}
	}
	p.Say("licenses: %d sample licenses accepted; their seals follow", len(sample.Licenses("demo")))
	return nil
}

// sampleAccounts are the people of the province with what each may use. Only the printed ones have a password.
func sampleAccounts() []identity.NewAccount {
	names := map[string]string{}
	for _, o := range sample.Offices() {
		names[o.Code] = o.Name
	}
	out := make([]identity.NewAccount, 0, sample.People)
	printed := map[int]bool{}
	for _, a := range sample.Accounts() {
		n := personAccount(a.Person)
		n.Login, n.Password, n.Roles, n.Office, n.OfficeName = a.Login, a.Password, []identity.Role{identity.Role(a.Role)}, a.Office, names[a.Office]
		printed[a.Person] = true
		out = append(out, n)
	}
	for i := range sample.People {
		if !printed[i] {
			out = append(out, personAccount(i))
		}
	}
	return out
}

func personAccount(i int) identity.NewAccount {
	p := sample.PersonAt(i)
	subject := func(p sample.Person, relation string) identity.Subject {
		return identity.Subject{Type: license.TypeCitizen, Code: p.Number, Name: p.Name, Relation: relation}
	}
	n := identity.NewAccount{
		Login: p.Phone, Roles: []identity.Role{identity.Citizen}, Level: 4, Name: p.Name, Phone: p.Phone,
		Subjects: []identity.Subject{subject(p, "self")},
	}
	if i%2 == 0 && i/2 < sample.Enterprises {
		e := sample.EnterpriseAt(i / 2)
		n.Subjects = append(n.Subjects, identity.Subject{Type: license.TypeUSCC, Code: e.USCC, Name: e.Name, Relation: "representative"})
	}
	for _, parent := range []int{i, i - 1} { // both parents: the child of an even index has it and the next as guardians
		if parent%2 == 0 {
			if child, ok := sample.ChildOf(parent); ok {
				n.Subjects = append(n.Subjects, subject(sample.PersonAt(child), "guardian"))
			}
		}
	}
	return n
}
