package tile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/yinxin-trust/yinxin/ledger"
)

// leafIndex maps leaf hashes to indexes. It holds nothing that the bundles do not: recovery fills or rebuilds it.
type leafIndex struct{ db *bbolt.DB }

var (
	leafBucket = []byte("leaf")
	metaBucket = []byte("meta")
	sizeKey    = []byte("size")
)

// openIndex opens the index, or makes an empty one where there is none or none that can be read.
func openIndex(name string) (*leafIndex, error) {
	x, err := tryIndex(name)
	if err == nil {
		return x, nil
	}
	if errors.Is(err, bbolt.ErrTimeout) {
		return nil, err
	}
	if err := os.Remove(name); err != nil {
		return nil, err
	}
	return tryIndex(name)
}

// tryIndex turns the panics with which bbolt meets some damaged files into errors.
func tryIndex(name string) (x *leafIndex, err error) {
	var db *bbolt.DB
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the index is damaged: %v", p)
		}
		if err != nil && db != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	db, err = bbolt.Open(name, fileMode, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err1 := tx.CreateBucketIfNotExists(leafBucket)
		_, err2 := tx.CreateBucketIfNotExists(metaBucket)
		return errors.Join(err1, err2)
	})
	return &leafIndex{db}, err
}

func (x *leafIndex) close() error { return x.db.Close() }

// size says up to where entries are indexed.
func (x *leafIndex) size() (uint64, error) {
	var size uint64
	err := x.db.View(func(tx *bbolt.Tx) error {
		size = indexSize(tx)
		return nil
	})
	return size, err
}

func indexSize(tx *bbolt.Tx) uint64 {
	v := tx.Bucket(metaBucket).Get(sizeKey)
	if len(v) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(v)
}

// add indexes leaves from an index on, all or none. What is there already is left out.
func (x *leafIndex) add(from uint64, leaves []ledger.Hash) error {
	return x.db.Update(func(tx *bbolt.Tx) error {
		size := indexSize(tx)
		if from > size {
			return fmt.Errorf("the index ends at %d, before %d", size, from)
		}
		type place struct {
			leaf  ledger.Hash
			index uint64
		}
		places := make([]place, 0, len(leaves))
		for i, leaf := range leaves {
			if at := from + uint64(i); at >= size {
				places = append(places, place{leaf, at})
			}
		}
		if len(places) == 0 {
			return nil
		}
		slices.SortFunc(places, func(a, b place) int { return bytes.Compare(a.leaf[:], b.leaf[:]) })
		b := tx.Bucket(leafBucket)
		for _, p := range places {
			if b.Get(p.leaf[:]) != nil {
				return fmt.Errorf("entry %d stands in the log before", p.index)
			}
			if err := b.Put(p.leaf[:], binary.BigEndian.AppendUint64(nil, p.index)); err != nil {
				return err
			}
		}
		end := from + uint64(len(leaves))
		return tx.Bucket(metaBucket).Put(sizeKey, binary.BigEndian.AppendUint64(nil, end))
	})
}

// find gives the index of a leaf.
func (x *leafIndex) find(leaf ledger.Hash) (index uint64, ok bool, err error) {
	err = x.db.View(func(tx *bbolt.Tx) error {
		if v := tx.Bucket(leafBucket).Get(leaf[:]); len(v) == 8 {
			index, ok = binary.BigEndian.Uint64(v), true
		}
		return nil
	})
	return index, ok, err
}

// known tells of each entry whether it is indexed.
func (x *leafIndex) known(entries []pendingEntry) ([]bool, error) {
	known := make([]bool, len(entries))
	err := x.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(leafBucket)
		for i, e := range entries {
			known[i] = b.Get(e.leaf[:]) != nil
		}
		return nil
	})
	return known, err
}
