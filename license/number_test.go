package license_test

import (
	"fmt"
	"testing"

	"github.com/yinxin-trust/yinxin/license"
)

// The worked examples of published identifiers, of GB 11643 and of GB 32100.

func TestCheckCharacter(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]byte{
		"11100000000013338W01111430000006122244L20230000403001":  'U',
		"11100000000013338W00911330105002500287C2025052201002":   '0',
		"11100000000013338W03211220000013544541J2430599001":      'F',
		"11100000MB03271699022340100000000016001":                '9',
		"11100000000013338W00211320482014138860P201807250201001": 'M',
		"A12425GABC1234002": 'M',
		"11990000000000001G00111990000000000001G2026000001001":                       'R',
		"11100000000013661B006113700000045046442209FA4E88F9E4C878F3E9BED2CE7EA49001": 'D',
	} {
		if got, ok := license.CheckCharacter(body); !ok || got != want {
			t.Errorf("%s: %c, want %c", body, got, want)
		}
	}
	for _, body := range []string{"", "a", "1-2", "证"} {
		if _, ok := license.CheckCharacter(body); ok {
			t.Errorf("%q has a check character", body)
		}
	}
}

func TestIdentifier(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
		"1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
		"1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
		"1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
		"1.2.156.3005.2.11990000000000001G001.11990000000000001G.2026000001.001.R",
	} {
		i, err := license.ParseIdentifier(s)
		if err != nil || i.String() != s {
			t.Errorf("%s: %+v, %v", s, i, err)
		}
	}
	for name, s := range map[string]string{
		"the edited documentation sample": "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M",
		"another check character":         "1.2.156.3005.2.11990000000000001G001.11990000000000001G.2026000001.001.S",
		"a digit changed":                 "1.2.156.3005.2.11990000000000001G001.11990000000000001G.2026000002.001.R",
		"no root":                         "11990000000000001G001.11990000000000001G.2026000001.001.R",
		"version 0":                       "1.2.156.3005.2.11990000000000001G001.11990000000000001G.2026000001.000.S",
		"lower case":                      "1.2.156.3005.2.11990000000000001g001.11990000000000001G.2026000001.001.R",
		"a part too many":                 "1.2.156.3005.2.11990000000000001G001.11990000000000001G.2026000001.001.R.1",
	} {
		if i, err := license.ParseIdentifier(s); err == nil {
			t.Errorf("%s was read as %+v", name, i)
		}
	}
}

func ExampleIdentifier() {
	i := license.Identifier{Kind: "11990000000000001G001", Office: "11990000000000001G", Serial: "2026000001", Version: 1}
	fmt.Println(i)
	// Output: 1.2.156.3005.2.11990000000000001G001.11990000000000001G.2026000001.001.R
}

func TestCitizenNumber(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"11010519491231002X": true, "440524188001010014": true, "990101199001010019": true, "990101199001010027": true,
		"99010119900101006X": true, "330102199001010001": false, "330102199001010004": true, "11010519491231002x": false,
		"110105194912310020": false, "990101199002300019": false, "99010119900101001": false, "": false, "９90101199001010019": false,
	} {
		if got := license.ValidCitizenNumber(s); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
	if !license.ValidCitizenNumber(license.NormalizeCode(" 11010519491231002x ")) {
		t.Error("lower-case x is not normalised")
	}
}

func TestUSCC(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"91350100M000100Y43": true, "91350100M000100Y4Z": false, "11100000000013338W": true, "11430000006122244L": true,
		"11330105002500287C": true, "11100000MB03271699": true, "113700000045046442": true, "11110000000021135M": true,
		"91990000MA01000210": true, "11990000000000001G": true, "91990000MA0000001B": true, "12990000400000002X": true,
		"11990000000000002G": false, "1199000000000000IG": false, "11A90000000000001G": false, "": false,
	} {
		if got := license.ValidUSCC(s); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"周试样": "周**", "吴样": "吴*", "郑": "*", "": ""} {
		if got := license.MaskName(name, false); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
	if got := license.MaskName("示例市样本餐饮有限公司", true); got != "示例*****有限公司" {
		t.Error(got)
	}
	if got := license.MaskNumber("990101199001010019"); got != "990*************19" {
		t.Error(got)
	}
	if got := license.MaskNumber("E12345"); got != "E*****" {
		t.Error(got)
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	for _, from := range license.States() {
		for _, to := range from.Next() {
			if !to.Known() || from.Ended() && to != license.Archived {
				t.Errorf("%s may become %s", from, to)
			}
		}
		if !from.Known() || license.State("gone").Known() {
			t.Errorf("%s", from)
		}
		if license.Revoked.To(license.Issued) || !license.Accepted.To(license.Issued) || license.Accepted.To(license.Revoked) {
			t.Error("transitions are wrong")
		}
		want := license.StatusNot
		switch from {
		case license.Issued:
			want = license.StatusInForce
		case license.Suspended:
			want = license.StatusSuspended
		case license.Draft, license.Accepted:
			want = license.StatusOurs
		}
		if license.StatusValue(from) != want {
			t.Errorf("%s has the status %d", from, license.StatusValue(from))
		}
	}
}
