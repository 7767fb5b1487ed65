package ledger

import (
	"context"
	"encoding/binary"
	"strconv"
	"time"
)

// maxCosignatureTime bounds what a cosignature may claim: the year 9999.
const maxCosignatureTime = 253402300799

// cosignedText is what a witness signs, laid out as in C2SP tlog-cosignature: a header, its time, and the checkpoint body.
func cosignedText(seconds uint64, body string) string {
	return "cosignature/v1\ntime " + strconv.FormatUint(seconds, 10) + "\n" + body
}

// Cosign (见证签名) makes a witness's signature line for a checkpoint: 8 bytes of time in seconds, big-endian, before r ‖ s.
// The caller has checked that the checkpoint is the log's and extends the one before.
func Cosign(ctx context.Context, c Checkpoint, name string, signer Signer, at time.Time) ([]byte, error) {
	pub, err := publicKey(signer)
	if err != nil {
		return nil, err
	}
	key, err := NewKey(WitnessKey, name, pub)
	if err != nil {
		return nil, err
	}
	if at.Unix() <= 0 || at.Unix() > maxCosignatureTime {
		return nil, malformed("ledger_cosignature_time", "the time of a cosignature is out of range")
	}
	seconds := uint64(at.Unix())
	raw, err := signText(ctx, signer, pub, cosignedText(seconds, c.Body()))
	if err != nil {
		return nil, err
	}
	return []byte(signatureLine(key, append(binary.BigEndian.AppendUint64(nil, seconds), raw...))), nil
}

// verifyCosignature checks time ‖ r ‖ s over a checkpoint body and gives the witness's time.
func verifyCosignature(k Key, body string, sig []byte) (time.Time, bool) {
	if len(sig) != 8+64 {
		return time.Time{}, false
	}
	seconds := binary.BigEndian.Uint64(sig)
	if seconds == 0 || seconds > maxCosignatureTime {
		return time.Time{}, false
	}
	if !verifyText(k.Public, cosignedText(seconds, body), sig[8:]) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), true
}
