package ofd_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// TestEveryPlaceCounts flips one bit at many places of the file as it lies on disk, headers and padding included: no
// such file is valid. Signature.xml and the value are outside of what this package can judge; there the flip must
// reach the caller, who checks the seal over exactly these bytes.
func TestEveryPlaceCounts(t *testing.T) {
	t.Parallel()
	good := sealed(t, true)
	ours := raws(t, good)
	rnd := rand.New(rand.NewPCG(1, 2))
	places := make([]int, 0, 1500)
	for range 400 {
		places = append(places, rnd.IntN(len(good)))
	}
	for at := len(good) - 1600; at < len(good); at += 3 { // the directory
		places = append(places, at)
	}
	for _, at := range places {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << rnd.IntN(8)
		if word, checks := judge(bad); word != verdict.NotValid && sameSealed(t, ours, bad) {
			t.Errorf("a bit flipped at %d of %d: %s %v", at, len(good), word, codes(checks))
		}
	}
}

// TestMutations changes the contents of entries, and the entries, in the ways that forgers and accidents do.
func TestMutations(t *testing.T) {
	t.Parallel()
	good := sealed(t, true)
	ours := raws(t, good)
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range 500 {
		e := unpack(t, good)
		for k := range e {
			e[k].store = true // the contents are what is judged here
		}
		k := rnd.IntN(len(e))
		what := ""
		switch r := &e[k]; i % 9 {
		case 0:
			what = "bit"
			r.data[rnd.IntN(len(r.data))] ^= 1 << rnd.IntN(8)
		case 1:
			what = "cut"
			r.data = r.data[:rnd.IntN(len(r.data))]
		case 2:
			what = "grown"
			r.data = append(r.data, byte(rnd.Uint32()))
		case 3:
			what = "contents swapped"
			o := &e[(k+1+rnd.IntN(len(e)-1))%len(e)]
			r.data, o.data = o.data, r.data
		case 4:
			what = "dropped"
			e = append(e[:k], e[k+1:]...)
		case 5:
			what = "twice"
			d := bytes.Clone(r.data)
			d[rnd.IntN(len(d))] ^= 1
			e = append(e, raw{name: r.name, data: d})
		case 6:
			what = "renamed"
			r.name = "Doc_0/" + string(rune('a'+rnd.IntN(26))) + ".xml"
		case 7:
			what = "added"
			e = append(e, raw{name: "Doc_0/Res/" + string(rune('a'+rnd.IntN(26))), data: []byte("<x/>")})
		case 8:
			what = "part overwritten"
			at := rnd.IntN(len(r.data))
			copy(r.data[at:], "<!---->")
			if bytes.Equal(r.data, ours[r.name]) {
				continue
			}
		}
		bad := container(t, e)
		if word, checks := judge(bad); word != verdict.NotValid && sameSealed(t, ours, bad) {
			t.Errorf("%d: %s of %s: %s %v", i, what, e[k%len(e)].name, word, codes(checks))
		}
	}
}

func raws(t testing.TB, data []byte) map[string][]byte {
	m := map[string][]byte{}
	for _, r := range unpack(t, data) {
		m[r.name] = r.data
	}
	return m
}

// sameSealed says that the description and the value of the seal still are what was sealed, so that it is this package
// and no other that has to object.
func sameSealed(t testing.TB, ours map[string][]byte, bad []byte) bool {
	theirs := raws(t, bad)
	return bytes.Equal(theirs[sign], ours[sign]) && bytes.Equal(theirs[signedValue], ours[signedValue])
}

const signedValue = "Doc_0/Signs/Sign_0/SignedValue.dat"
