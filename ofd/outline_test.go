package ofd

import (
	"strings"
	"testing"
)

// TestWithoutOutlines holds what is left out to what nothing can be hidden in.
func TestWithoutOutlines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`<a>x</a>`: `<a>x</a>`,
		`<p><ofd:AbbreviatedData>M 0 1.5 L -2 3 C</ofd:AbbreviatedData></p><q/>`: `<p><ofd:AbbreviatedData></ofd:AbbreviatedData></p><q/>`,
		`<ofd:AbbreviatedData>M 0<b>T</b></ofd:AbbreviatedData>`:                 `<ofd:AbbreviatedData><b>T</b></ofd:AbbreviatedData>`,
		`<ofd:AbbreviatedData>M &lt;`:                                            `<ofd:AbbreviatedData>&lt;`,
		`<ofd:AbbreviatedData>M</x><ofd:AbbreviatedData>L`:                       `<ofd:AbbreviatedData></x><ofd:AbbreviatedData>`,
		`<t><![CDATA[<ofd:AbbreviatedData>NAME]]></t>`:                           `<t><![CDATA[<ofd:AbbreviatedData>NAME]]></t>`,
		`<!-- <ofd:AbbreviatedData>M --><t/>`:                                    `<!-- <ofd:AbbreviatedData>M --><t/>`,
	} {
		if got := string(withoutOutlines([]byte(in))); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
	lim, budget := DefaultLimits(), 1000
	const page = `<ofd:Page xmlns:ofd="x"><ofd:AbbreviatedData>M 0 0</ofd:AbbreviatedData><ofd:TextCode>M 1 值</ofd:TextCode></ofd:Page>`
	n, err := parseXML([]byte(page), lim, &budget)
	if err != nil || n.value("TextCode") != "M 1 值" {
		t.Fatalf("%v %v", n, err)
	}
	lim.XMLFile = len(page) - 1
	if _, err := parseXML([]byte(page), lim, &budget); err != errXMLLarge {
		t.Errorf("the bound holds for the file as it is: %v", err)
	}
	if _, err := parseXML([]byte(strings.Replace(page, "</ofd:AbbreviatedData>", "", 1)), DefaultLimits(), &budget); err == nil {
		t.Error("an outline that is not closed passes")
	}
}
