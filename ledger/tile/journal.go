package tile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/yinxin-trust/yinxin/ledger"
)

// A journal file is a row of frames, one for each fsync:
//
//	magic 8 bytes ‖ index of the first entry u64 ‖ entries u32 ‖ payload bytes u32 ‖ CRC-32C u32 ‖ payload
//
// with big-endian numbers, the checksum over the 16 bytes before it and the payload, and each entry in the payload behind
// its length as u16. The checksum is against torn writes, not against people.
const (
	frameMagic   = "YXJRNL1\n"
	frameHeader  = 8 + 8 + 4 + 4 + 4
	maxFrame     = 64 << 20
	rotateAt     = 8 << 20
	maxJournal   = rotateAt + maxFrame + frameHeader
	groupEntries = 8192    // where a group stops taking more requests
	groupBytes   = 4 << 20 // the same
)

// journal is the file that Append writes to.
type journal struct {
	f    *os.File
	size int64
}

func journalName(start uint64) string { return fmt.Sprintf("%020d", start) }

// createJournal makes the durable, empty file of entries from start on.
func createJournal(dir string, start uint64) (*journal, error) {
	f, err := os.OpenFile(filepath.Join(dir, journalName(start)), os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Sync(), syncFolder(dir)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &journal{f: f}, nil
}

// openJournal continues a file whose good part has the given size and drops what a crash left behind it.
func openJournal(name string, size int64) (*journal, error) {
	f, err := os.OpenFile(name, os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(size), f.Sync()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &journal{f: f, size: size}, nil
}

// append makes one frame durable. After an error the file is as before, or torn is set and nothing more may be written.
func (j *journal) append(start uint64, entries []pendingEntry) (torn bool, err error) {
	frame := encodeFrame(start, entries)
	if _, err := j.f.WriteAt(frame, j.size); err != nil {
		// A full disk: nothing was acknowledged, so the part that was written may go.
		if again := errors.Join(j.f.Truncate(j.size), j.f.Sync()); again != nil {
			return true, errors.Join(err, again)
		}
		return false, err
	}
	if err := j.f.Sync(); err != nil {
		return true, err // what an fsync that failed has kept, nobody knows
	}
	j.size += int64(len(frame))
	return false, nil
}

func (j *journal) close() error { return j.f.Close() }

func encodeFrame(start uint64, entries []pendingEntry) []byte {
	b := make([]byte, frameHeader, frameHeader+len(entries)*256)
	for _, e := range entries {
		b = appendEntry(b, e.entry)
	}
	copy(b, frameMagic)
	binary.BigEndian.PutUint64(b[8:], start)
	binary.BigEndian.PutUint32(b[16:], uint32(len(entries)))
	binary.BigEndian.PutUint32(b[20:], uint32(len(b)-frameHeader))
	binary.BigEndian.PutUint32(b[24:], frameSum(b[8:24], b[frameHeader:]))
	return b
}

func frameSum(header, payload []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(header, table), table, payload)
}

// appendEntry writes an entry as bundles and frames hold it: behind its length as u16.
func appendEntry(b, entry []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(entry))), entry...)
}

// splitEntries reads what appendEntry wrote, to the last byte.
func splitEntries(b []byte, count int) ([][]byte, error) {
	entries := make([][]byte, 0, count)
	for range count {
		if len(b) < 2 {
			return nil, errors.New("entries end early")
		}
		n := int(binary.BigEndian.Uint16(b))
		if n == 0 || n > ledger.MaxEntry || len(b) < 2+n {
			return nil, errors.New("an entry has a wrong length")
		}
		entries = append(entries, b[2:2+n:2+n])
		b = b[2+n:]
	}
	if len(b) != 0 {
		return nil, errors.New("bytes stand behind the last entry")
	}
	return entries, nil
}

type frame struct {
	start   uint64
	entries [][]byte
	bytes   int
}

// decodeFrame reads the frame at the start of b; ok is false if there is none that is whole.
func decodeFrame(b []byte) (frame, bool) {
	if len(b) < frameHeader || string(b[:8]) != frameMagic {
		return frame{}, false
	}
	count, length := binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])
	if length > maxFrame || uint64(len(b)) < frameHeader+uint64(length) || count > length/2 {
		return frame{}, false
	}
	payload := b[frameHeader : frameHeader+int(length)]
	if frameSum(b[8:24], payload) != binary.BigEndian.Uint32(b[24:]) {
		return frame{}, false
	}
	entries, err := splitEntries(payload, int(count))
	if err != nil {
		return frame{}, false
	}
	return frame{binary.BigEndian.Uint64(b[8:]), entries, frameHeader + int(length)}, true
}

// readJournal reads the frames of a file and says how long its good part is. Torn bytes at the end are those of a write
// that nobody was told of; but a whole frame behind torn bytes was written after they had been durable, so acknowledged
// entries are lost, and that is an error.
func readJournal(b []byte) ([]frame, int64, error) {
	var frames []frame
	at := 0
	for at < len(b) {
		f, ok := decodeFrame(b[at:])
		if !ok {
			break
		}
		frames = append(frames, f)
		at += f.bytes
	}
	for rest := at; ; {
		i := bytes.Index(b[rest:], []byte(frameMagic))
		if i < 0 {
			return frames, int64(at), nil
		}
		rest += i
		if _, ok := decodeFrame(b[rest:]); ok {
			return nil, 0, fmt.Errorf("the journal is damaged at byte %d, before frames that are whole", at)
		}
		rest += len(frameMagic)
	}
}
