package ledger

import (
	"context"
	"strconv"
	"strings"
	"time"
)

const (
	promiseHeader = "yinxin-promise/1"
	maxPromise    = 1 << 10
	maxMergeDelay = 7 * 24 * time.Hour
)

// Promise (入账承诺) is the log's signature that an entry is durable and will be under a checkpoint within the maximum merge
// delay. It proves no time to others: only witnesses do.
type Promise struct {
	Origin        string        // the log's name
	Leaf          Hash          // the entry's id
	Time          time.Time     // when it was given; to the millisecond
	MaxMergeDelay time.Duration // in whole seconds
	Text          []byte        // the signed note; nil until SignPromise
}

// Due is the moment by which a checkpoint covers the entry.
func (p Promise) Due() time.Time { return p.Time.Add(p.MaxMergeDelay) }

// body is the signed text: header, origin, leaf, time in milliseconds, delay in seconds, a line each.
func (p Promise) body() string {
	return promiseHeader + "\n" + p.Origin + "\n" + encodeHash(p.Leaf) + "\n" +
		strconv.FormatInt(p.Time.UnixMilli(), 10) + "\n" + strconv.FormatInt(int64(p.MaxMergeDelay/time.Second), 10) + "\n"
}

// SignPromise signs a promise with the log's key and sets its Text.
func SignPromise(ctx context.Context, p Promise, signer Signer) (Promise, error) {
	pub, err := publicKey(signer)
	if err != nil {
		return Promise{}, err
	}
	key, err := NewKey(LogKey, p.Origin, pub)
	if err != nil {
		return Promise{}, err
	}
	p.Time = fromMillis(p.Time.UnixMilli())
	p.MaxMergeDelay = p.MaxMergeDelay.Truncate(time.Second)
	if !validTime(p.Time) || p.MaxMergeDelay <= 0 || p.MaxMergeDelay > maxMergeDelay {
		return Promise{}, malformed("ledger_promise_malformed", "a promise has a time, and a merge delay of 1 s to 7 days")
	}
	sig, err := signText(ctx, signer, pub, p.body())
	if err != nil {
		return Promise{}, err
	}
	p.Text = []byte(p.body() + "\n" + signatureLine(key, sig))
	return p, nil
}

// ParsePromise reads a promise. It checks the form, not the signature: Trust.VerifyPromise does that.
func ParsePromise(text []byte) (Promise, error) {
	p, _, err := parsePromise(text)
	return p, err
}

func parsePromise(text []byte) (Promise, note, error) {
	bad := malformed("ledger_promise_malformed", "the text is not a promise of the ledger")
	n, err := parseNote(text, maxPromise)
	if err != nil {
		return Promise{}, note{}, err
	}
	lines := strings.Split(n.text, "\n")
	if len(lines) != 6 || !ValidName(lines[1]) {
		return Promise{}, note{}, bad
	}
	leaf, ok := decodeHash(lines[2])
	ms, err1 := strconv.ParseInt(lines[3], 10, 64)
	seconds, err2 := strconv.ParseInt(lines[4], 10, 32)
	p := Promise{Origin: lines[1], Leaf: leaf, Time: fromMillis(ms), MaxMergeDelay: time.Duration(seconds) * time.Second}
	if !ok || err1 != nil || err2 != nil || !validTime(p.Time) || p.MaxMergeDelay <= 0 || p.MaxMergeDelay > maxMergeDelay ||
		p.body() != n.text {
		return Promise{}, note{}, bad
	}
	p.Text = append([]byte(nil), text...)
	return p, n, nil
}
