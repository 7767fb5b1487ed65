package ledger

import (
	"context"
	"strconv"
	"strings"
)

// Checkpoint (检查点) is what the log commits to: this many leaves with this root.
type Checkpoint struct {
	Origin string // the log's name, the first line
	Size   uint64
	Root   Hash
}

// Body is the text that is signed: origin, size and root, a line each (C2SP tlog-checkpoint, without extension lines).
func (c Checkpoint) Body() string {
	return c.Origin + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + encodeHash(c.Root) + "\n"
}

// SignedCheckpoint is a checkpoint with the text of its signed note. Nothing in it is checked yet: Trust.Verify does that.
type SignedCheckpoint struct {
	Checkpoint
	Text []byte
}

// ParseCheckpoint reads a signed note with a checkpoint. It checks the form, not the signatures.
func ParseCheckpoint(text []byte) (SignedCheckpoint, error) {
	c, _, err := parseCheckpoint(text)
	if err != nil {
		return SignedCheckpoint{}, err
	}
	return SignedCheckpoint{Checkpoint: c, Text: append([]byte(nil), text...)}, nil
}

func parseCheckpoint(text []byte) (Checkpoint, note, error) {
	n, err := parseNote(text, MaxCheckpoint)
	if err != nil {
		return Checkpoint{}, note{}, err
	}
	bad := malformed("ledger_checkpoint_malformed", "the text is not a checkpoint of origin, size and root")
	lines := strings.Split(n.text, "\n")
	if len(lines) != 4 || !ValidName(lines[0]) {
		return Checkpoint{}, note{}, bad
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil || size > MaxSize {
		return Checkpoint{}, note{}, bad
	}
	root, ok := decodeHash(lines[2])
	c := Checkpoint{Origin: lines[0], Size: size, Root: root}
	if !ok || c.Body() != n.text {
		return Checkpoint{}, note{}, bad
	}
	return c, n, nil
}

// SignCheckpoint signs a checkpoint with the log's key, whose name is the origin.
func SignCheckpoint(ctx context.Context, c Checkpoint, signer Signer) (SignedCheckpoint, error) {
	pub, err := publicKey(signer)
	if err != nil {
		return SignedCheckpoint{}, err
	}
	key, err := NewKey(LogKey, c.Origin, pub)
	if err != nil {
		return SignedCheckpoint{}, err
	}
	sig, err := signText(ctx, signer, pub, c.Body())
	if err != nil {
		return SignedCheckpoint{}, err
	}
	return SignedCheckpoint{Checkpoint: c, Text: []byte(c.Body() + "\n" + signatureLine(key, sig))}, nil
}

// WithCosignature gives the checkpoint with one more signature line, as Cosign or a witness's answer gives it.
func (s SignedCheckpoint) WithCosignature(line []byte) (SignedCheckpoint, error) {
	if _, err := parseSignatures(string(line)); err != nil {
		return SignedCheckpoint{}, err
	}
	text := append(append([]byte(nil), s.Text...), line...)
	return ParseCheckpoint(text)
}

// Signatures are the signature lines of the note as they stand, each with its line feed.
func (s SignedCheckpoint) Signatures() [][]byte {
	_, n, err := parseCheckpoint(s.Text)
	if err != nil {
		return nil
	}
	lines := make([][]byte, len(n.sigs))
	for i, g := range n.sigs {
		lines[i] = []byte(g.line)
	}
	return lines
}
