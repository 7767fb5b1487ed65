package license

import (
	"bytes"
	"slices"
)

// Deterministic CBOR (RFC 8949 §4.2.1), only what is signed or digested here: unsigned numbers, bytes, text, arrays and
// maps with text keys. Nothing of it is ever read back, so there is no decoder to attack.

func cborHead(out []byte, major byte, n uint64) []byte {
	m := major << 5
	switch {
	case n < 24:
		return append(out, m|byte(n))
	case n < 1<<8:
		return append(out, m|24, byte(n))
	case n < 1<<16:
		return append(out, m|25, byte(n>>8), byte(n))
	case n < 1<<32:
		return append(out, m|26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(out, m|27, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func cborUint(out []byte, n uint64) []byte { return cborHead(out, 0, n) }

func cborBytes(out, b []byte) []byte { return append(cborHead(out, 2, uint64(len(b))), b...) }

func cborText(out []byte, s string) []byte { return append(cborHead(out, 3, uint64(len(s))), s...) }

func cborArray(out []byte, n int) []byte { return cborHead(out, 4, uint64(n)) }

// cborTextMap writes a map of text to text, its keys in the bytewise order of their encodings.
func cborTextMap(out []byte, m map[string]string) []byte {
	type pair struct {
		key   []byte
		value string
	}
	pairs := make([]pair, 0, len(m))
	for k, v := range m {
		pairs = append(pairs, pair{cborText(nil, k), v})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return bytes.Compare(a.key, b.key) })
	out = cborHead(out, 5, uint64(len(m)))
	for _, p := range pairs {
		out = cborText(append(out, p.key...), p.value)
	}
	return out
}
