package web

import (
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
)

// licenseBody is a license in the API.
type licenseBody struct {
	ID             license.ID       `json:"-"`
	IDText         string           `json:"id"`
	Identifier     string           `json:"identifier"`
	Kind           string           `json:"kind"`
	KindName       string           `json:"kind_name"`
	KindVersion    int              `json:"kind_version"`
	Office         string           `json:"office"`
	OfficeName     string           `json:"office_name"`
	BusinessNo     string           `json:"business_no"`
	Version        int              `json:"version"`
	State          license.State    `json:"state"`
	Holders        []license.Holder `json:"holders"`
	Fields         []license.Field  `json:"fields"`
	ValidFrom      string           `json:"valid_from"`
	ValidTo        string           `json:"valid_to"`
	AcceptedAt     string           `json:"accepted_at,omitempty"`
	IssuedAt       string           `json:"issued_at,omitempty"`
	EndedAt        string           `json:"ended_at,omitempty"`
	EndReason      string           `json:"end_reason,omitempty"`
	StatusList     uint32           `json:"status_list"`
	StatusIndex    uint32           `json:"status_index"`
	DocumentDigest string           `json:"document_digest,omitempty"` // hex
	LedgerState    string           `json:"ledger_state"`
}

func bodyOf(l *license.License) licenseBody {
	b := licenseBody{
		ID: l.ID, IDText: l.ID.String(), Identifier: l.Identifier, Kind: l.Kind, KindName: l.KindName,
		KindVersion: l.KindVersion, Office: l.Office, OfficeName: l.OfficeName, BusinessNo: l.BusinessNo, Version: l.Version,
		State: l.State, Holders: l.Holders, Fields: l.Fields, ValidFrom: l.ValidFrom, ValidTo: l.ValidTo,
		AcceptedAt: instant(l.AcceptedAt), IssuedAt: instant(l.IssuedAt), EndedAt: instant(l.EndedAt), EndReason: l.EndReason,
		StatusList: l.StatusList, StatusIndex: l.StatusIndex, DocumentDigest: hex.EncodeToString(l.DocumentDigest),
		LedgerState: l.LedgerState,
	}
	if b.Holders == nil {
		b.Holders = []license.Holder{}
	}
	if b.Fields == nil {
		b.Fields = []license.Field{}
	}
	return b
}

// instant prints a time for machines; "" for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// actBody is what a request says about the act it belongs to.
type actBody struct {
	Matter     string `json:"matter"`
	CaseNo     string `json:"case_no"`
	Reason     string `json:"reason"`
	LegalBasis string `json:"legal_basis"`
	OnBehalfOf string `json:"on_behalf_of"`
}

func (a actBody) act(p *identity.Principal) license.Act {
	act := actOf(p)
	act.Matter, act.CaseNo, act.Reason, act.LegalBasis, act.OnBehalfOf = a.Matter, a.CaseNo, a.Reason, a.LegalBasis, a.OnBehalfOf
	return act
}

// actsFor says whether a principal may act for an office.
func actsFor(p *identity.Principal, office string) bool {
	return office != "" && (p.Office == office || slices.Contains(p.Offices, office) || slices.Contains(p.Offices, "*"))
}

// officer says whether the principal acts as an office and not as a citizen: a client of its own, or an officer's account.
func officer(p *identity.Principal) bool { return p.Account == nil || p.Account.Has(identity.Officer) }

// reads says whether a principal may see a license opened: its own people, and the office that issued it.
func reads(p *identity.Principal, l *license.License) bool {
	if p.Account != nil && holds(holders(p.Account), l) {
		return true
	}
	return officer(p) && actsFor(p, l.Office)
}

// readable fetches the license of the address for a principal who may see it.
func (c *call) readable() (*license.License, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	l, err := c.s.Licenses.Get(c.Context(), id)
	if err != nil {
		return nil, err
	}
	if !reads(c.who, &l) {
		return nil, errNoLicense
	}
	return &l, nil
}

func (s *server) apiIssue(c *call) (reply, error) {
	var in struct {
		Kind       string            `json:"kind"`
		Office     string            `json:"office"`
		BusinessNo string            `json:"business_no"`
		Version    int               `json:"version"`
		Holders    []license.Holder  `json:"holders"`
		Fields     map[string]string `json:"fields"`
		ValidFrom  string            `json:"valid_from"`
		ValidTo    string            `json:"valid_to"`
		Photo      string            `json:"photo"`
		actBody
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	if in.Office == "" {
		in.Office = c.who.Office
	}
	if in.Office == "" {
		return reply{}, fault.New(fault.Invalid, "office_missing", "the request names no office, and the credentials belong to none")
	}
	if !officer(c.who) || !actsFor(c.who, in.Office) {
		return reply{}, fault.New(fault.Forbidden, "office_forbidden", "the credentials may not act for this office")
	}
	photo, err := base64.StdEncoding.DecodeString(in.Photo)
	if err != nil {
		return reply{}, fault.Wrap(err, fault.Invalid, "photo_malformed", "the portrait is not base64")
	}
	if len(photo) == 0 {
		photo = nil
	}
	act := in.act(c.who)
	act.Office = in.Office
	req := license.IssueRequest{
		Kind: in.Kind, Office: in.Office, BusinessNo: in.BusinessNo, Version: in.Version, Holders: in.Holders,
		Fields: in.Fields, ValidFrom: in.ValidFrom, ValidTo: in.ValidTo, Photo: photo, Act: act,
	}
	l, err := s.Licenses.Issue(c.Context(), req)
	if err != nil {
		return reply{}, err
	}
	status := http.StatusCreated
	switch l.State {
	case license.Accepted:
		status = http.StatusAccepted
	case license.Draft, license.Issued:
	case license.Suspended, license.Revoked, license.Expired, license.Superseded, license.Cancelled, license.Archived:
		status = http.StatusOK // the same request as long ago: this is what became of it
	}
	return reply{status: status, json: bodyOf(&l)}, nil
}

func (s *server) apiGet(c *call) (reply, error) {
	l, err := c.readable()
	if err != nil {
		return reply{}, err
	}
	if err := s.looked(c.Context(), c.who, l, license.ActOpened); err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, json: bodyOf(l)}, nil
}

// cardBody is a card in the API.
type cardBody struct {
	ID         string        `json:"id"`
	Kind       string        `json:"kind"`
	KindName   string        `json:"kind_name"`
	Office     string        `json:"office"`
	OfficeName string        `json:"office_name"`
	State      license.State `json:"state"`
	Role       string        `json:"role"`
	ValidTo    string        `json:"valid_to"`
	UpdatedAt  string        `json:"updated_at"`
	Grade      string        `json:"grade,omitempty"`
}

func cardBodies(list []license.Card) []cardBody {
	out := make([]cardBody, 0, len(list))
	for _, c := range list {
		out = append(out, cardBody{
			ID: c.ID.String(), Kind: c.Kind, KindName: c.KindName, Office: c.Office, OfficeName: c.OfficeName,
			State: c.State, Role: c.Role, ValidTo: c.ValidTo, UpdatedAt: instant(c.UpdatedAt), Grade: c.Grade,
		})
	}
	return out
}

type cardsBody struct {
	Licenses []cardBody `json:"licenses"`
}

// apiSearch lists the licenses of a holder. A person may ask for identities of their own; a client says for which matter
// and why; the holder sees it, and the log keeps it.
func (s *server) apiSearch(c *call) (reply, error) {
	var in struct {
		Holder struct {
			Type string `json:"type"`
			Code string `json:"code"`
		} `json:"holder"`
		actBody
	}
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	holder := license.Holder{Type: in.Holder.Type, Code: in.Holder.Code}.Normal()
	mine := false
	if c.who.Account != nil {
		for _, h := range holders(c.who.Account) {
			mine = mine || (h.Type == holder.Type && h.Code == holder.Code)
		}
	}
	switch {
	case mine:
	case c.who.Account != nil && !c.who.Account.Has(identity.Officer):
		return reply{}, fault.New(fault.Forbidden, "holder_forbidden", "a person may list only licenses of their own identities")
	case in.Matter == "" || in.Reason == "":
		return reply{}, fault.New(fault.Forbidden, "matter_missing", "say for which matter and why: fill in matter and reason")
	}
	t, ok := license.LookupHolderType(holder.Type)
	if !ok || !t.Valid(holder.Code) {
		return reply{}, fault.New(fault.Invalid, "holder_invalid", "the holder's number does not fit its type").
			WithHint("check the number's check character")
	}
	list, err := s.Licenses.ListByHolder(c.Context(), holder, maxCards)
	if err != nil {
		return reply{}, err
	}
	if !mine {
		list = officeCards(c.who, list)
		if err := s.found(c.Context(), c.who, list, in.actBody); err != nil {
			return reply{}, err
		}
		// matter and reason are codes by the schema's pattern, so nothing personal can hide in them.
		s.Logger.LogAttrs(c.Context(), slog.LevelInfo, "license.search", slog.String("trace", trace(c.Request)),
			slog.String("actor", note(c.Request).actor), slog.String("office", c.who.Office), slog.String("matter", in.Matter),
			slog.String("reason", in.Reason), slog.Int("found", len(list)))
	}
	return reply{status: http.StatusOK, json: cardsBody{cardBodies(list)}}, nil
}

// officeCards keeps what an officer may know of: an officer's account sees its own office's licenses of the holder; a client
// registered for sharing sees the holder's cards, which name licenses and open none.
func officeCards(p *identity.Principal, list []license.Card) []license.Card {
	if p.Account == nil {
		return list
	}
	return slices.DeleteFunc(list, func(c license.Card) bool { return !actsFor(p, c.Office) })
}

// apiWallet lists the licenses of the signed-in person.
func (s *server) apiWallet(c *call) (reply, error) {
	if c.who.Account == nil {
		return reply{}, fault.New(fault.Forbidden, "person_needed", "only a signed-in person has a wallet")
	}
	all := make([]license.Card, 0)
	seen := make(map[license.ID]bool)
	for _, h := range holders(c.who.Account) {
		list, err := s.Licenses.ListByHolder(c.Context(), h, maxCards)
		if err != nil {
			return reply{}, err
		}
		for _, card := range list {
			if !seen[card.ID] {
				seen[card.ID] = true
				all = append(all, card)
			}
		}
	}
	return reply{status: http.StatusOK, json: cardsBody{cardBodies(all)}}, nil
}

func (s *server) apiRevoke(c *call) (reply, error) {
	var in actBody
	if err := c.decode(&in); err != nil {
		return reply{}, err
	}
	id, err := c.id()
	if err != nil {
		return reply{}, err
	}
	l, err := s.Licenses.Get(c.Context(), id)
	if err != nil {
		return reply{}, err
	}
	if !officer(c.who) || !actsFor(c.who, l.Office) {
		return reply{}, errNoLicense
	}
	act := in.act(c.who)
	act.Office = l.Office
	done, err := s.Licenses.Revoke(c.Context(), license.RevokeRequest{License: id, Reason: in.Reason, Act: act})
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, json: bodyOf(&done)}, nil
}
