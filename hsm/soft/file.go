package soft

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/cryptobyte"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// The key file, numbers big-endian:
//
//	 0   8  magic 89 59 58 4B 45 59 0D 0A (like PNG's: a transfer that changes line ends shows)
//	 8   2  version, 1
//	10   4  argon2id passes
//	14   4  argon2id memory in KiB
//	18   1  argon2id lanes
//	19  16  salt
//	35   4  length of the sealed body
//	39  44  sealed check: 16 zero bytes under the check key, aad = bytes 0..39
//	83   n  sealed body: the entries under the body key, aad = bytes 0..83
//	    32  SM3 of all before
//
// Both keys come from the argon2id output by labelled HMAC-SM3. The digest at the end is no secret: it finds accidents
// before any passphrase is tried, so that what then fails at the check is the passphrase and not the disk. Whoever
// alters the file on purpose can renew the digest, but not the check and the body.
const (
	magic      = "\x89YXKEY\r\n"
	version    = 1
	saltSize   = 16
	headSize   = 39
	checkPlain = 16
	checkSize  = checkPlain + gm.Overhead
	bodyAt     = headSize + checkSize
	digestSize = 32
	maxFile    = 8 << 20
)

// Cost is the work of one passphrase guess (argon2id, RFC 9106).
type Cost struct {
	Passes    uint32
	MemoryKiB uint32
	Lanes     uint8
}

// DefaultCost is 64 MiB in three passes on four lanes: about a tenth of a second, once per start.
func DefaultCost() Cost { return Cost{Passes: 3, MemoryKiB: 64 << 10, Lanes: 4} }

// The bounds of a Cost, which hold for reading too: a stranger's file must not make us allocate or compute without end.
const (
	maxPasses    = 64
	maxMemoryKiB = 1 << 20 // 1 GiB
	maxLanes     = 16
	maxWorkKiB   = 4 << 20 // passes times memory
)

func (c Cost) check() error {
	if c.Passes < 1 || c.Passes > maxPasses || c.Lanes < 1 || c.Lanes > maxLanes ||
		c.MemoryKiB < 8*uint32(c.Lanes) || c.MemoryKiB > maxMemoryKiB ||
		uint64(c.Passes)*uint64(c.MemoryKiB) > maxWorkKiB {
		return fault.Wrap(fmt.Errorf("passes %d, memory %d KiB, lanes %d", c.Passes, c.MemoryKiB, c.Lanes),
			fault.Invalid, CodeCostRefused, "the key file asks for an amount of work outside the bounds").
			WithHint("at most 1 GiB of memory, 64 passes, 16 lanes, and 4 GiB of memory times passes; a file that asks for more is not ours")
	}
	return nil
}

// head is what stays the same while keys are added.
type head struct {
	cost Cost
	salt [saltSize]byte
}

func newHead(c Cost) (head, error) {
	h := head{cost: c}
	if _, err := io.ReadFull(rand.Reader, h.salt[:]); err != nil {
		return head{}, hardRandom(err)
	}
	return h, nil
}

func (h head) derive(passphrase []byte) []byte {
	return argon2.IDKey(passphrase, h.salt[:], h.cost.Passes, h.cost.MemoryKiB, h.cost.Lanes, 32)
}

func (h head) bytes(bodySize int) []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, headSize))
	b.AddBytes([]byte(magic))
	b.AddUint16(version)
	b.AddUint32(h.cost.Passes)
	b.AddUint32(h.cost.MemoryKiB)
	b.AddUint8(h.cost.Lanes)
	b.AddBytes(h.salt[:])
	b.AddUint32(uint32(bodySize))
	return b.BytesOrPanic()
}

func checkKey(root []byte) []byte {
	k := gm.MAC(root, []byte("yinxin/hsm/soft/file/1/check"))
	return k[:16]
}

func bodyKey(root []byte) []byte {
	k := gm.MAC(root, []byte("yinxin/hsm/soft/file/1/body"))
	return k[:16]
}

// seal gives the whole file.
func (h head) seal(root, body []byte) ([]byte, error) {
	out := h.bytes(len(body) + gm.Overhead)
	check, err := gm.SealBytes(rand.Reader, checkKey(root), make([]byte, checkPlain), out)
	if err != nil {
		return nil, hardRandom(err)
	}
	out = append(out, check...)
	sealed, err := gm.SealBytes(rand.Reader, bodyKey(root), body, out)
	if err != nil {
		return nil, hardRandom(err)
	}
	out = append(out, sealed...)
	if len(out)+digestSize > maxFile {
		return nil, fault.New(fault.TooLarge, CodeFull, "the key file would be over its limit of 8 MiB")
	}
	digest := gm.SM3(out)
	return append(out, digest[:]...), nil
}

// sealedFile is a key file whose form and digest are right; nothing in it has been opened.
type sealedFile struct {
	head  head
	front []byte // magic to salt and length: the aad of check
	check []byte
	body  []byte
}

// parseFile reads a stranger's bytes. It allocates nothing that depends on what they say.
func parseFile(data []byte) (sealedFile, error) {
	if len(data) > maxFile {
		return sealedFile{}, damaged(errors.New("longer than 8 MiB"))
	}
	in := cryptobyte.String(data)
	var mark, salt []byte
	var v uint16
	if !in.ReadBytes(&mark, len(magic)) || string(mark) != magic {
		return sealedFile{}, damaged(errors.New("it does not start like a key file"))
	}
	if !in.ReadUint16(&v) {
		return sealedFile{}, damaged(io.ErrUnexpectedEOF)
	}
	if v != version { // before the digest, which a later version may place elsewhere
		return sealedFile{}, fault.Wrap(fmt.Errorf("version %d", v), fault.Invalid, CodeVersionUnknown,
			"the key file is of a version that this program does not know").
			WithHint("use the version of yinxin that wrote it, or a later one")
	}
	var f sealedFile
	var bodySize uint32
	if !in.ReadUint32(&f.head.cost.Passes) || !in.ReadUint32(&f.head.cost.MemoryKiB) || !in.ReadUint8(&f.head.cost.Lanes) ||
		!in.ReadBytes(&salt, saltSize) || !in.ReadUint32(&bodySize) || !in.ReadBytes(&f.check, checkSize) {
		return sealedFile{}, damaged(io.ErrUnexpectedEOF)
	}
	copy(f.head.salt[:], salt)
	if uint64(len(in)) != uint64(bodySize)+digestSize {
		return sealedFile{}, damaged(fmt.Errorf("%d bytes after the head where it says %d", len(in), uint64(bodySize)+digestSize))
	}
	digest := gm.SM3(data[:len(data)-digestSize])
	if subtle.ConstantTimeCompare(digest[:], data[len(data)-digestSize:]) != 1 {
		return sealedFile{}, damaged(errors.New("its digest is wrong"))
	}
	if err := f.head.cost.check(); err != nil {
		return sealedFile{}, err
	}
	f.front = data[:headSize]
	f.body = in[:bodySize]
	return f, nil
}

// open gives the entries' bytes. The digest was right, so a check that does not open means another passphrase (or a
// deliberate hand, which nobody can tell apart from it), and a body that does not open after it means a deliberate hand.
func (f sealedFile) open(root []byte) ([]byte, error) {
	if _, err := gm.OpenBytes(checkKey(root), f.check, f.front); err != nil {
		return nil, fault.Wrap(err, fault.Forbidden, CodeWrongPassphrase, "the passphrase does not open this key file").
			WithHint("check that the passphrase belongs to this file; the file itself is not damaged by accident")
	}
	aad := append(append(make([]byte, 0, bodyAt), f.front...), f.check...)
	body, err := gm.OpenBytes(bodyKey(root), f.body, aad)
	if err != nil {
		return nil, damaged(errors.New("the passphrase is right and the keys do not open: somebody altered the file"))
	}
	return body, nil
}

func hardRandom(err error) error {
	return fault.Wrap(err, fault.Unavailable, CodeIO, "the machine gives no random bytes")
}
