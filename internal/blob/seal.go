package blob

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// Wrapper seals and opens the small keys of files. A secret of package hsm is one.
type Wrapper interface {
	Seal(ctx context.Context, plain, aad []byte) ([]byte, error)
	Open(ctx context.Context, sealed, aad []byte) ([]byte, error)
}

// A sealed file is one byte of version and then SM4-GCM of the file (nonce, text, tag) under a random key that serves this
// file alone. The version and the caller's aad are bound into both the file and its wrapped key, under different labels.
const (
	sealedVersion = 1
	fileKeySize   = 16
	// Overhead is what SealFile adds to a file in bytes.
	Overhead = 1 + gm.Overhead
)

// SealFile encrypts a file under a fresh key and wraps that key. aad names the file's place, such as its license; both
// results open only with the same aad. Who forgets wrapped has destroyed the file.
func SealFile(ctx context.Context, rand io.Reader, w Wrapper, plain, aad []byte) (sealed, wrapped []byte, err error) {
	key := make([]byte, fileKeySize)
	defer clear(key)
	if _, err := io.ReadFull(rand, key); err != nil {
		return nil, nil, ioFault(err, "the machine gives no random bytes")
	}
	if wrapped, err = w.Seal(ctx, key, label("key", aad)); err != nil {
		return nil, nil, err
	}
	body, err := gm.SealBytes(rand, key, plain, label("file", aad))
	if err != nil {
		return nil, nil, ioFault(err, "the machine gives no random bytes")
	}
	return append([]byte{sealedVersion}, body...), wrapped, nil
}

// OpenFile undoes SealFile. A wrapped key that does not open gives the wrapper's error; a file that does not open under
// its key is refused with CodeSealedOpen.
func OpenFile(ctx context.Context, w Wrapper, sealed, wrapped, aad []byte) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != sealedVersion {
		return nil, fault.New(fault.Invalid, CodeSealedForm, "the bytes are no sealed file of a version that this program knows")
	}
	key, err := w.Open(ctx, wrapped, label("key", aad))
	if err != nil {
		return nil, err
	}
	defer clear(key)
	if len(key) != fileKeySize {
		return nil, fault.Wrap(fmt.Errorf("a key of %d bytes", len(key)), fault.Invalid, CodeSealedOpen, "the wrapped key is not that of a file")
	}
	plain, err := gm.OpenBytes(key, sealed[1:], label("file", aad))
	if errors.Is(err, gm.ErrSealed) {
		return nil, fault.Wrap(err, fault.Invalid, CodeSealedOpen, "the sealed file is altered, or is not the one that its key belongs to")
	}
	return plain, err
}

// label separates the two uses of one aad. The label has a fixed form and stands in front, so that no two pairs collide.
func label(use string, aad []byte) []byte {
	return fmt.Appendf(nil, "yinxin/blob/%d/%s\x00%s", sealedVersion, use, aad)
}
