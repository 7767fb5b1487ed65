package postgres_test

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
)

func codes(o license.Outcome) []string {
	var out []string
	for _, c := range o.Report.Checks {
		if c.Code != "" {
			out = append(out, string(c.Code))
		}
	}
	return out
}

func TestLicenseFromAcceptanceToRevocation(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), background(t)
	l, err := w.Issue(ctx, propertyRequest(number(1)))
	if err != nil {
		t.Fatal(err)
	}
	if l.State != license.Accepted || l.LedgerState != "none" || len(l.Holders) != 2 || l.StatusList != 1<<16 {
		t.Fatalf("accepted as %+v", l)
	}
	if _, err := license.ParseIdentifier(l.Identifier); err != nil {
		t.Error(err)
	}
	_, err = w.File(ctx, l.ID)
	want(t, err, fault.Conflict, "sealing_pending")
	_, err = w.Revoke(ctx, license.RevokeRequest{License: l.ID, Reason: "issued_in_error", Act: act("officer-1", officeOne)})
	want(t, err, fault.Conflict, "sealing_pending")

	o, err := w.CheckCode(ctx, w.show(t, l.ID).Code, clerk())
	if err != nil || o.Report.Verdict != verdict.CannotDetermine || !cmp.Equal(codes(o), []string{"STATUS_PENDING"}) {
		t.Errorf("a license that waits for its seal: %v %v %v", o.Report.Verdict, codes(o), err)
	}

	// The device is away: the license waits, and is sealed once it is back and the pause is over.
	w.sealer.away.Store(true)
	n, err := w.SealPending(ctx, 1, 10)
	want(t, unjoin(err), fault.Unavailable, "device_away")
	if n != 0 {
		t.Errorf("sealed %d without a device", n)
	}
	w.sealer.away.Store(false)
	if n, err := w.SealPending(ctx, 1, 10); n != 0 || err != nil {
		t.Errorf("sealed %d during the pause: %v", n, err)
	}
	w.pass(2 * time.Second)
	if n, err := w.SealPending(ctx, 1, 10); n != 1 || err != nil {
		t.Fatalf("sealed %d: %v", n, err)
	}
	got, err := w.Get(ctx, l.ID)
	if err != nil || got.State != license.Issued || got.LedgerState != "queued" || len(got.DocumentDigest) != 32 {
		t.Fatalf("issued as %+v: %v", got, err)
	}
	file, err := w.File(ctx, l.ID)
	if err != nil || !strings.Contains(string(file), "周试样") {
		t.Fatalf("the file: %v", err)
	}

	// The static code ties file and row together.
	text, err := w.StaticCode(ctx, l.ID)
	if err != nil {
		t.Fatal(err)
	}
	static, err := license.ParseStaticText(text)
	if err != nil || static.License != l.ID || static.Index != l.StatusIndex {
		t.Fatalf("static code %+v: %v", static, err)
	}
	o, err = w.CheckCode(ctx, text, license.Verifier{})
	if err != nil || o.Report.Verdict != verdict.Valid || o.Holders[0].Name != "周**" || len(o.Face) != 0 {
		t.Errorf("the static code: %+v %v", o, err)
	}

	// Drained twice, the directory says the same once.
	for range 2 {
		if _, err := w.DrainDirectory(ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range owners() {
		cards, err := w.ListByHolder(ctx, h, 10)
		if err != nil || len(cards) != 1 || cards[0].State != license.Issued || cards[0].ID != l.ID {
			t.Errorf("the wallet lists %+v: %v", cards, err)
		}
	}

	// Shown, accepted once, refused with the time of first use.
	code := w.show(t, l.ID).Code
	o, err = w.CheckCode(ctx, code, license.Verifier{})
	if err != nil || o.Report.Verdict != verdict.Valid || !cmp.Equal(codes(o), []string{"CODE_NOT_CONSUMED"}) || o.Face != nil || o.Holders != nil {
		t.Errorf("an ordinary camera: %+v %v", o, err)
	}
	o, err = w.CheckCode(ctx, " "+strings.ToLower(code)+"\n", clerk())
	if err != nil || o.Report.Verdict != verdict.Valid || o.Receipt == "" || len(o.Face) != 5 || o.Holders[0].Code != "990*************19" {
		t.Fatalf("the clerk: %+v %v", o, err)
	}
	first := w.now()
	w.pass(5 * time.Second)
	o, err = w.CheckCode(ctx, code[strings.LastIndexByte(code, '/')+1:], clerk())
	if err != nil || o.Report.Verdict != verdict.NotValid || !cmp.Equal(codes(o), []string{"CODE_USED"}) || !o.FirstUsedAt.Equal(first) || o.Face != nil {
		t.Errorf("the same code again: %+v %v", o, err)
	}

	// Revoked by its office only, with a reason of the catalogue, once.
	_, err = w.Revoke(ctx, license.RevokeRequest{License: l.ID, Reason: "issued_in_error", Act: act("officer-2", officeTwo)})
	want(t, err, fault.Forbidden, "not_issuing_office")
	_, err = w.Revoke(ctx, license.RevokeRequest{License: l.ID, Reason: "whim", Act: act("officer-1", officeOne)})
	want(t, err, fault.Invalid, "reason_unknown")
	unused := w.show(t, l.ID).Code
	revoked, err := w.Revoke(ctx, license.RevokeRequest{License: l.ID, Reason: "issued_in_error", Act: act("officer-1", officeOne)})
	if err != nil || revoked.State != license.Revoked || !revoked.EndedAt.Equal(w.now()) {
		t.Fatalf("revoked as %+v: %v", revoked, err)
	}
	_, err = w.Revoke(ctx, license.RevokeRequest{License: l.ID, Reason: "issued_in_error", Act: act("officer-1", officeOne)})
	want(t, err, fault.Conflict, "already_revoked")
	for _, c := range []string{unused, w.show(t, l.ID).Code, text} {
		o, err = w.CheckCode(ctx, c, clerk())
		if err != nil || o.Report.Verdict != verdict.NotValid || !cmp.Equal(codes(o), []string{"STATUS_REVOKED"}) ||
			!o.EndedAt.Equal(w.now()) || o.EndOffice != "示例市不动产登记中心" || o.EndReason != "issued_in_error" {
			t.Errorf("a revoked license: %+v %v", o, err)
		}
	}
	evidence, err := w.StatusEvidence(ctx, l.ID)
	if err != nil || evidence.Value != license.StatusNot || !evidence.Verify(&w.keys.key.PublicKey) {
		t.Errorf("status evidence %+v: %v", evidence, err)
	}
	list, err := w.StatusList(ctx, l.StatusList)
	if err != nil || !list.Verify(&w.keys.key.PublicKey) {
		t.Fatal(err)
	}
	bits, err := license.DecompressStatus(list.Bits)
	if v, ok := bits.Get(l.StatusIndex); err != nil || !ok || v != license.StatusNot {
		t.Errorf("the status list says %d: %v", v, err)
	}

	// One entry for each act, and the log of what happened.
	if depth, _, err := postgres.NewOutbox(w.env.Cell(t, 1)).Depth(ctx, postgres.TopicLedger, 10); err != nil || depth != 2 {
		t.Errorf("%d ledger entries: %v", depth, err)
	}
	events, err := w.Events(ctx, l.ID, 100)
	if err != nil {
		t.Fatal(err)
	}
	count := map[license.EventAct]int{}
	for _, e := range events {
		count[e.Act]++
	}
	wantCount := map[license.EventAct]int{
		license.ActAccepted: 1, license.ActIssued: 1, license.ActRevoked: 1, license.ActShown: 4, license.ActPresented: 1,
		license.ActRefused: 4, license.ActChecked: 1,
	}
	if diff := cmp.Diff(wantCount, count); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// unjoin is the first fault in a joined error.
func unjoin(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	return err
}

// TestAlteredRowIsNotSealed: what decides the face stands in plain columns, and whoever can write to the database must not
// get another face sealed than the one that was accepted.
func TestAlteredRowIsNotSealed(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), background(t)
	pool, err := w.cells.Cell(1)
	if err != nil {
		t.Fatal(err)
	}
	for i, change := range []string{
		"office = '" + officeTwo + "'", "kind = '" + license.SampleFood + "'", "kind_version = 2", "version = 2",
		"identifier = identifier || 'X'", "issue_date = issue_date - 1", "valid_from = valid_from - 1", "valid_to = valid_from + 1", "grade = 'A'",
	} {
		l, err := w.Issue(ctx, propertyRequest(number(900+i)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Exec(ctx, "UPDATE license SET "+change+" WHERE id = $1", l.ID[:]); err != nil {
			t.Fatalf("%s: %v", change, err)
		}
		if n, err := w.SealPending(ctx, 1, 10); n != 0 || err == nil {
			t.Errorf("%s: sealed %d, %v", change, n, err)
		}
		if _, err := w.Get(ctx, l.ID); err == nil {
			t.Errorf("%s: the altered license is shown", change)
		}
	}
}

// TestOfficeIssuesItsKindsOnly: each kind has its issuers (一数一源); the seal of one office is no authority for everything.
func TestOfficeIssuesItsKindsOnly(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), background(t)
	req := propertyRequest(number(1))
	req.Office, req.Act.Office = officeTwo, officeTwo
	_, err := w.Issue(ctx, req)
	want(t, err, fault.Forbidden, "kind_not_of_office")
	kinds, err := w.KindsOf(ctx, officeTwo)
	if err != nil || len(kinds) != 2 {
		t.Errorf("the market office issues %d kinds, %v", len(kinds), err)
	}
}

func TestParallelIssueIsOneLicense(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), background(t)
	for round := range 10 {
		var mu sync.Mutex
		ids := map[license.ID]int{}
		parallel(8, func(int) {
			l, err := w.Issue(ctx, propertyRequest(number(round)))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[l.ID]++
		})
		if len(ids) != 1 {
			t.Fatalf("one request gave %d licenses", len(ids))
		}
	}
	var rows, slots int
	if err := w.env.Cell(t, 1).QueryRow(ctx, `SELECT (SELECT count(*) FROM license), (SELECT count(*) FROM status_slot)`).Scan(&rows, &slots); err != nil {
		t.Fatal(err)
	}
	if rows != 10 || slots != 10 {
		t.Errorf("%d licenses, %d status places", rows, slots)
	}
	// Several workers at once issue each license once.
	parallel(4, func(int) {
		if _, err := w.SealPending(ctx, 1, 10); err != nil {
			t.Error(err)
		}
	})
	if n := w.sealer.seals.Load(); n != 10 {
		t.Errorf("%d seals for 10 licenses", n)
	}
	if depth, _, err := postgres.NewOutbox(w.env.Cell(t, 1)).Depth(ctx, postgres.TopicLedger, 100); err != nil || depth != 10 {
		t.Errorf("%d ledger entries for 10 licenses: %v", depth, err)
	}
}

func TestSameNumberOtherContentConflicts(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), background(t)
	l, err := w.Issue(ctx, propertyRequest(number(1)))
	if err != nil {
		t.Fatal(err)
	}
	changes := map[string]func(*license.IssueRequest){
		"field":  func(r *license.IssueRequest) { r.Fields["YT"] = "商业" },
		"holder": func(r *license.IssueRequest) { r.Holders[0].Part = "2/3" },
		"fewer":  func(r *license.IssueRequest) { r.Holders = r.Holders[:1] },
		"date":   func(r *license.IssueRequest) { r.ValidFrom = "2026-01-01" },
	}
	for name, change := range changes {
		r := propertyRequest(number(1))
		change(&r)
		_, err := w.Issue(ctx, r)
		if fault.CodeOf(err) != "business_number_conflict" || fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	same := propertyRequest(" " + number(1))
	same.Act.Actor = "officer-9"
	same.Version = 1
	if again, err := w.Issue(ctx, same); err != nil || again.ID != l.ID {
		t.Errorf("the same request gave %v, %v", again.ID, err)
	}
	next := propertyRequest(number(1))
	next.Version = 2
	_, err = w.Issue(ctx, next)
	want(t, err, fault.Conflict, "previous_version_in_force")
	next.Version = 3
	_, err = w.Issue(ctx, next)
	want(t, err, fault.Conflict, "previous_version_unknown")
}

func TestOneCodeIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), background(t)
	l := w.issued(t, number(1))
	for range 100 {
		code := w.show(t, l.ID).Code
		var mu sync.Mutex
		accepted := 0
		parallel(8, func(int) {
			o, err := w.CheckCode(ctx, code, clerk())
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case o.Report.Verdict == verdict.Valid && o.Receipt != "":
				accepted++
			case o.Report.Verdict != verdict.NotValid || o.FirstUsedAt.IsZero() || codes(o)[0] != string(verdict.CodeUsed):
				t.Errorf("a loser got %v %v", o.Report.Verdict, codes(o))
			}
		})
		if accepted != 1 {
			t.Fatalf("one code was accepted %d times", accepted)
		}
	}
}

func TestCodesThatAreWrong(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), background(t)
	l := w.issued(t, number(1))
	fresh := w.show(t, l.ID).Code
	last := fresh[:len(fresh)-8] + "AAAAAAAA"
	cases := []struct {
		name, code string
		wait       time.Duration
		want       string
	}{
		{"empty", "", 0, "CODE_MALFORMED"},
		{"another site", "https://example.com/", 0, "CODE_MALFORMED"},
		{"half", fresh[:60], 0, "CODE_MALFORMED"},
		{"another tag", last, 0, "CODE_SIGNATURE_INVALID"},
		{"another cell", strings.Replace(fresh, "/P/AFJAAA", "/P/AFJAAB", 1), 0, "CODE_SIGNATURE_INVALID"},
		{"old", w.show(t, l.ID).Code, 61 * time.Second, "CODE_EXPIRED"},
	}
	for _, c := range cases {
		w.pass(c.wait)
		o, err := w.CheckCode(ctx, c.code, clerk())
		if err != nil || o.Report.Verdict != verdict.NotValid || !cmp.Equal(codes(o), []string{c.want}) || o.Face != nil || o.Receipt != "" {
			t.Errorf("%s: %v %v %v", c.name, o.Report.Verdict, codes(o), err)
		}
	}
	// After months the handle is gone, and the code is still no forgery.
	ancient := w.show(t, l.ID).Code
	w.pass(90 * 24 * time.Hour)
	if _, err := w.cells.Prune(ctx, w.now()); err != nil {
		t.Fatal(err)
	}
	if o, err := w.CheckCode(ctx, ancient, clerk()); err != nil || !cmp.Equal(codes(o), []string{"CODE_EXPIRED"}) || o.Report.Verdict != verdict.NotValid {
		t.Errorf("a code whose handle was removed: %v %v", codes(o), err)
	}
	early := w.show(t, l.ID).Code
	w.pass(-6 * time.Minute)
	if o, err := w.CheckCode(ctx, early, clerk()); err != nil || !cmp.Equal(codes(o), []string{"CODE_NOT_YET_VALID"}) || o.Report.Verdict != verdict.NotValid {
		t.Errorf("from the future: %v %v", codes(o), err)
	}
	w.pass(5 * time.Minute)
	if o, err := w.CheckCode(ctx, early, clerk()); err != nil || !cmp.Equal(codes(o), []string{"CODE_NOT_YET_VALID"}) || o.Report.Verdict != verdict.Valid {
		t.Errorf("a minute ahead: %v %v", codes(o), err)
	}
	_, err := w.Show(ctx, license.ShowRequest{License: l.ID, Viewer: []license.Holder{{Type: "111", Code: "99010119900101006X"}}, Act: license.Act{Actor: "x"}})
	want(t, err, fault.NotFound, "license_unknown")
}

func TestNothingPersonalInPlain(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), background(t)
	l := w.issued(t, number(1))
	w.show(t, l.ID)
	if _, err := w.CheckCode(ctx, w.show(t, l.ID).Code, clerk()); err != nil {
		t.Fatal(err)
	}
	birth := license.IssueRequest{
		Kind: license.SampleBirth, Office: officeOne, BusinessNo: "Z990000001", Act: act("officer-1", officeOne),
		Holders: []license.Holder{
			{Type: "111", Code: "99010119900101006X", Name: "冯试样"},
			{Type: "111", Code: "990101199001010027", Name: "吴试样", Role: license.RoleGuardian},
		},
		Fields: map[string]string{
			"XB": "女", "CSRQ": "2026-05-20", "CSSJ": "08:30", "CSYZ": "39", "CSTZ": "3200", "CSSC": "50", "CSDD": "示例省示例市",
			"JSJG": "示例市妇幼保健院", "MQXM": "吴试样", "MQZJHM": "990101199001010027",
		},
	}
	if _, err := w.Issue(ctx, birth); err != nil {
		t.Fatal(err)
	}
	if _, err := w.DrainDirectory(ctx, 1); err != nil {
		t.Fatal(err)
	}
	secrets := []string{"周试样", "吴试样", "冯试样", "990101199001010019", "990101199001010027", "99010119900101006X", "示例市妇幼保健院", "模拟路6号", "Z990000001", "不动产权第"}
	searched := 0
	for _, p := range w.cells.All() {
		rows, err := p.Query(ctx, `SELECT table_name FROM information_schema.tables WHERE table_schema = $1`, p.Schema())
		if err != nil {
			t.Fatal(err)
		}
		var tables []string
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				t.Fatal(err)
			}
			tables = append(tables, name)
		}
		for _, name := range tables {
			searched++
			for _, s := range secrets {
				var n int
				// A row's text holds bytea as hexadecimal.
				err := p.QueryRow(ctx, `SELECT count(*) FROM `+name+` AS r WHERE strpos(r::text, $1) > 0
					OR strpos(r::text, encode(convert_to($1, 'UTF8'), 'hex')) > 0`, s).Scan(&n)
				if err != nil || n > 0 {
					t.Errorf("%s.%s holds personal data in plain (%d rows): %v", p.Schema(), name, n, err)
				}
			}
		}
	}
	if searched < 20 {
		t.Errorf("only %d tables were searched", searched)
	}
}

func TestStatesAreThoseOfTheSchema(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"migrations/cell/0003_license.sql", "migrations/province/0003_directory.sql"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`_state_known CHECK \(state IN \(([^)]*)\)`).FindSubmatch(b)
		if m == nil {
			t.Fatalf("%s has no such constraint", file)
		}
		var names []string
		for _, s := range license.States() {
			names = append(names, "'"+string(s)+"'")
		}
		if diff := cmp.Diff(strings.Join(names, ", "), string(m[1])); diff != "" {
			t.Errorf("%s (-code +schema):\n%s", file, diff)
		}
	}
}

func TestStatusListOpensTheNextShard(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), background(t)
	p := w.env.Cell(t, 1)
	// Take every place but a few of the first list, so that no eight candidates find one.
	if _, err := p.Exec(ctx, `INSERT INTO status_slot (list, slot, license_id) SELECT 65536, n, '\x00' FROM generate_series(0, 1048575) AS n`); err != nil {
		t.Fatal(err)
	}
	l, err := w.Issue(ctx, propertyRequest(number(1)))
	if err != nil || l.StatusList != 1<<16|1 {
		t.Fatalf("list %x: %v", l.StatusList, err)
	}
	lists, err := w.StatusLists(ctx, 1)
	if err != nil || !cmp.Equal(lists, []uint32{1 << 16, 1<<16 | 1}) {
		t.Errorf("lists %v: %v", lists, err)
	}
}

func BenchmarkIssueAccept(b *testing.B) {
	w, ctx := newWorld(b), context.Background()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := w.Issue(ctx, propertyRequest(number(i))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckCode(b *testing.B) {
	w, ctx := newWorld(b), context.Background()
	l := w.issued(b, number(1))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		code := w.show(b, l.ID).Code
		b.StartTimer()
		if o, err := w.CheckCode(ctx, code, clerk()); err != nil || o.Receipt == "" {
			b.Fatal(o, err)
		}
	}
}
