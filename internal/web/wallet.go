package web

import (
	"net/http"
	"sort"
	"strconv"
	"strings"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
)

const (
	maxCards  = 200
	maxEvents = 100
	newEvents = 20 // that stand open; the older ones are folded away
	maxList   = 100
)

// holders are the holder identities that an account may use: one's own, of enterprises, of children.
func holders(a *identity.Account) []license.Holder {
	list := make([]license.Holder, 0, len(a.Subjects))
	for _, s := range a.Subjects {
		list = append(list, license.Holder{Type: s.Type, Code: s.Code, Name: s.Name}.Normal())
	}
	return list
}

// holds says whether one of the identities stands on the license.
func holds(mine []license.Holder, l *license.License) bool {
	for _, h := range l.Holders {
		h = h.Normal()
		for _, m := range mine {
			if m.Type == h.Type && m.Code == h.Code {
				return true
			}
		}
	}
	return false
}

// walletCard is a card with the identity through which the person sees it.
type walletCard struct {
	license.Card
	Subject  identity.Subject
	Kind     string
	InForce  bool
	Ended    bool
	Issuable bool // accepted, sealing pending
}

// cards lists the licenses of every identity of the account, each license once, newest first.
func (s *server) cards(q *request, a *identity.Account) ([]walletCard, error) {
	var all []walletCard
	seen := make(map[license.ID]bool)
	for _, subject := range a.Subjects {
		list, err := s.Licenses.ListByHolder(q.Context(), license.Holder{Type: subject.Type, Code: subject.Code, Name: subject.Name}.Normal(), maxCards)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if !seen[c.ID] {
				seen[c.ID] = true
				all = append(all, walletCard{
					Card: c, Subject: subject, Kind: c.Kind, InForce: c.State == license.Issued,
					Ended: c.State.Ended(), Issuable: c.State == license.Accepted,
				})
			}
		}
	}
	sort.SliceStable(all, func(i, j int) bool {
		if all[i].Ended != all[j].Ended {
			return !all[i].Ended
		}
		return all[i].UpdatedAt.After(all[j].UpdatedAt)
	})
	return all, nil
}

// wallet lists the person's licenses (我的证照).
func (s *server) wallet(q *request) error {
	v, err := q.need()
	if err != nil {
		return err
	}
	all, err := s.cards(q, &v.account)
	if err != nil {
		return err
	}
	return s.render(q, http.StatusOK, "wallet", struct{ Cards []walletCard }{all})
}

// pathID reads the license ID of the address.
func pathID(r *http.Request) (license.ID, error) {
	id, err := license.ParseID(r.PathValue("id"))
	if err != nil {
		return license.ID{}, errNoLicense
	}
	return id, nil
}

// errNoLicense is the one answer for licenses that do not exist and for those of other people.
var errNoLicense = fault.New(fault.NotFound, "license_unknown", "there is no such license, or it is not yours to see")

// theirs fetches a license that the viewer holds or, as officer, has issued.
func (s *server) theirs(q *request, v *viewer) (*license.License, error) {
	id, err := pathID(q.Request)
	if err != nil {
		return nil, err
	}
	l, err := s.Licenses.Get(q.Context(), id)
	if err != nil {
		return nil, err
	}
	if holds(holders(&v.account), &l) || (v.account.Has(identity.Officer) && v.account.Office != "" && v.account.Office == l.Office) {
		return &l, nil
	}
	return nil, errNoLicense
}

// licenseData is a license as its pages show it.
type licenseData struct {
	License *license.License
	Kind    license.Kind
	Fields  []fieldLine
	Holders []holderLine
	Events  []license.Event // the newest
	Older   []license.Event
	Full    bool // there may be more than Max, which the page does not list
	Max     int
	Section string // "wallet" or "dept": where its downloads are found
}

// fieldLine is one printed value with its name in both languages.
type fieldLine struct {
	Name, NameEN, Value string
	Bit                 int
	Disclose            bool
	Personal            bool
}

// holderLine is a holder with the number hidden until asked for.
type holderLine struct {
	license.Holder
	Masked   license.Holder
	TypeName string
	Guardian bool
}

func holderLines(list []license.Holder) []holderLine {
	lines := make([]holderLine, 0, len(list))
	for _, h := range list {
		line := holderLine{Holder: h, Masked: h.Masked(), Guardian: h.Role == license.RoleGuardian, TypeName: h.Type}
		if t, ok := license.LookupHolderType(h.Type); ok {
			line.TypeName = t.Name
		}
		lines = append(lines, line)
	}
	return lines
}

// kind finds a kind of the catalogue by code.
func (s *server) kind(q *request, code string) (license.Kind, error) {
	kinds, err := s.Licenses.Kinds(q.Context())
	if err != nil {
		return license.Kind{}, err
	}
	for _, k := range kinds {
		if k.Code == code {
			return k, nil
		}
	}
	return license.Kind{}, fault.New(fault.NotFound, "kind_unknown", "the catalogue has no such kind of license")
}

func fieldLines(k license.Kind, fields []license.Field) []fieldLine {
	lines := make([]fieldLine, 0, len(fields))
	for _, f := range fields {
		line := fieldLine{Name: f.Name, NameEN: f.Name, Value: f.Value, Bit: -1}
		for i, spec := range k.Fields {
			if spec.Code == f.Code {
				line.Bit, line.Disclose = i, spec.Disclose
				line.Personal = spec.Class == license.ClassPersonal || spec.Class == license.ClassSensitive
				if spec.NameEN != "" {
					line.NameEN = spec.NameEN
				}
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// licenseView gathers what the page of one license shows, and records the look.
func (s *server) licenseView(q *request, v *viewer, l *license.License, section string) (licenseData, error) {
	if err := s.looked(q.Context(), v.principal(), l, license.ActOpened); err != nil {
		return licenseData{}, err
	}
	k, err := s.kind(q, l.Kind)
	if err != nil {
		if fault.KindOf(err) != fault.NotFound {
			return licenseData{}, err
		}
		k = license.Kind{Code: l.Kind, Name: l.KindName} // the catalogue may have dropped it; the license keeps its own words
	}
	events, err := s.Licenses.Events(q.Context(), l.ID, maxEvents)
	if err != nil {
		return licenseData{}, err
	}
	fresh := min(newEvents, len(events))
	return licenseData{
		License: l, Kind: k, Fields: fieldLines(k, l.Fields), Holders: holderLines(l.Holders),
		Events: events[:fresh], Older: events[fresh:], Full: len(events) == maxEvents, Max: maxEvents, Section: section,
	}, nil
}

// walletLicense shows one license to its holder.
func (s *server) walletLicense(q *request) error {
	v, err := q.need()
	if err != nil {
		return err
	}
	l, err := s.theirs(q, v)
	if err != nil {
		return err
	}
	d, err := s.licenseView(q, v, l, "wallet")
	if err != nil {
		return err
	}
	return s.render(q, http.StatusOK, "license", d)
}

// downloadFile sends the sealed OFD file.
func (s *server) downloadFile(q *request) error {
	return s.download(q, "application/ofd", ".ofd", func(v *viewer, l *license.License) ([]byte, error) {
		b, err := s.Licenses.File(q.Context(), l.ID)
		if err != nil {
			return nil, err
		}
		return b, s.looked(q.Context(), v.principal(), l, license.ActFetched)
	})
}

// downloadProof sends the ledger proof, which says nothing about anybody: such a look is not recorded.
func (s *server) downloadProof(q *request) error {
	return s.download(q, "application/octet-stream", ".proof", func(_ *viewer, l *license.License) ([]byte, error) {
		return s.Proofs.Proof(q.Context(), l.ID)
	})
}

func (s *server) download(q *request, contentType, suffix string, fetch func(*viewer, *license.License) ([]byte, error)) error {
	v, err := q.need()
	if err != nil {
		return err
	}
	l, err := s.theirs(q, v)
	if err != nil {
		return err
	}
	b, err := fetch(v, l)
	if err != nil {
		return err
	}
	attach(q.w, l, contentType, suffix, len(b))
	_, _ = q.w.Write(b) // the reader is gone; nobody is left to tell
	return nil
}

// attach names a download by the license's own number, which is no personal data.
func attach(w http.ResponseWriter, l *license.License, contentType, suffix string, size int) {
	name := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '.' || r == '-' {
			return r
		}
		return -1
	}, l.Identifier)
	if name == "" {
		name = l.ID.String()
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+suffix+`"`)
	w.Header().Set("Content-Length", strconv.Itoa(size))
}
