package sample_test

import (
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/sample"
	"github.com/yinxin-trust/yinxin/license"
)

func TestNumbersAreValidAndTell(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	claim := func(number, who string) {
		if other, ok := seen[number]; ok {
			t.Errorf("%s and %s share the number %s", who, other, number)
		}
		seen[number] = who
	}
	for i := range sample.People {
		p := sample.PersonAt(i)
		if !license.ValidCitizenNumber(p.Number) || !strings.HasPrefix(p.Number, "99") {
			t.Errorf("person %d: %s is no citizen number of region 99", i, p.Number)
		}
		if male := (p.Number[16]-'0')%2 == 1; male != (p.Sex == "男") {
			t.Errorf("person %d: %s does not say %s", i, p.Number, p.Sex)
		}
		claim(p.Number, p.Name)
		claim(p.Phone, p.Name)
	}
	for i := range sample.Enterprises {
		e := sample.EnterpriseAt(i)
		if !license.ValidUSCC(e.USCC) {
			t.Errorf("enterprise %d: %s is no USCC", i, e.USCC)
		}
		claim(e.USCC, e.Name)
		claim(e.Name, e.Name)
	}
	levels := map[int]int{}
	cells := map[uint16]int{}
	known := map[string]bool{}
	for _, o := range sample.Offices() {
		if !license.ValidUSCC(o.Code) {
			t.Errorf("office %s: %s is no USCC", o.Name, o.Code)
		}
		if o.Parent != "" && !known[o.Parent] {
			t.Errorf("office %s comes before its parent", o.Name)
		}
		claim(o.Code, o.Name)
		known[o.Code] = true
		levels[o.Level]++
		cells[o.Cell]++
	}
	if len(levels) != 5 || len(cells) != sample.Prefectures+1 {
		t.Errorf("offices on %d levels in %d cells, want 5 and 18", len(levels), len(cells))
	}
}

// TestFamilies: names of people must be as different as a search for leaked names needs them, and families must fit.
func TestFamilies(t *testing.T) {
	t.Parallel()
	names := map[string]int{}
	for i := range sample.People {
		p := sample.PersonAt(i)
		if n := len([]rune(p.Name)); n != 3 {
			t.Errorf("person %d has a name of %d characters", i, n)
		}
		names[p.Name]++
	}
	if len(names) < sample.People/2 {
		t.Errorf("%d people share %d names", sample.People, len(names))
	}
	child, ok := sample.ChildOf(0)
	if !ok || sample.PersonAt(child).Name[:3] != sample.PersonAt(0).Name[:3] {
		t.Errorf("the first person's child is %v, %v", child, ok)
	}
	for _, a := range sample.Accounts() {
		if a.Password == "" || a.Login == "" || a.Person >= sample.People || (a.Role == "citizen") != (a.Office == "") {
			t.Errorf("account %q is not whole", a.Login)
		}
	}
}
