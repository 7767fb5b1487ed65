package ledger

// VerifyInclusion tells whether path leads from a leaf at index to the root of a tree of the given size (RFC 9162
// §2.1.3.2).
func VerifyInclusion(leaf Hash, index, size uint64, path []Hash, root Hash) bool {
	if index >= size || size > MaxSize || len(path) > MaxPath {
		return false
	}
	fn, sn, r := index, size-1, leaf
	for _, p := range path {
		if sn == 0 {
			return false
		}
		if fn&1 == 1 || fn == sn {
			r = NodeHash(p, r)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			r = NodeHash(r, p)
		}
		fn, sn = fn>>1, sn>>1
	}
	return sn == 0 && r == root
}

// VerifyConsistency tells whether the tree of size from with root old is a prefix of the tree of size to with root now
// (RFC 9162 §2.1.4.2). Every tree extends the empty one; the proof is empty then, and when both are the same.
func VerifyConsistency(from, to uint64, path []Hash, old, now Hash) bool {
	switch {
	case from > to || to > MaxSize || len(path) > MaxPath:
		return false
	case from == to:
		return len(path) == 0 && old == now && (from != 0 || old == EmptyRoot())
	case from == 0:
		return len(path) == 0 && old == EmptyRoot()
	case len(path) == 0:
		return false
	}
	if from&(from-1) == 0 { // a complete tree: its root is the first node and not sent
		path = append([]Hash{old}, path...)
	}
	fn, sn := from-1, to-1
	for fn&1 == 1 {
		fn, sn = fn>>1, sn>>1
	}
	fr, sr := path[0], path[0]
	for _, c := range path[1:] {
		if sn == 0 {
			return false
		}
		if fn&1 == 1 || fn == sn {
			fr, sr = NodeHash(c, fr), NodeHash(c, sr)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			sr = NodeHash(sr, c)
		}
		fn, sn = fn>>1, sn>>1
	}
	return sn == 0 && fr == old && sr == now
}
