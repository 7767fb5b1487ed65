package tile

import (
	"os"
	"slices"
	"strconv"

	"github.com/yinxin-trust/yinxin/ledger"
)

// recoverJournal takes up the entries that were acknowledged and not yet published.
func (l *Log) recoverJournal() error {
	l.next = l.edge.size
	starts, err := l.journals()
	if err != nil {
		return err
	}
	if len(starts) == 0 {
		if l.head.Text != nil {
			return refuse("ledger_journal_missing", "the ledger's journal is missing, and with it perhaps acknowledged entries", nil)
		}
		l.journal, err = createJournal(l.path("journal"), 0)
		if err != nil {
			return unavailable(err, "the ledger's journal cannot be written")
		}
		return nil
	}
	var good int64
	at := starts[0] // index that the next frame must have
	for _, start := range starts {
		// Below the head a gap is a removal that a crash has half undone.
		if start < at || (start > at && start > l.edge.size) || starts[0] > l.edge.size {
			return refuse("ledger_journal_damaged", "the ledger's journal has a gap", nil)
		}
		at = start
		frames, length, err := l.readJournalFile(start)
		if err != nil {
			return err
		}
		for _, f := range frames {
			if f.start != at {
				return refuse("ledger_journal_damaged", "the ledger's journal has a gap", nil)
			}
			l.replay(f)
			at += uint64(len(f.entries))
		}
		good = length
	}
	if at < l.edge.size {
		return refuse("ledger_journal_damaged", "the ledger's journal ends before its head", nil)
	}
	l.journal, err = openJournal(l.path("journal", journalName(starts[len(starts)-1])), good)
	if err != nil {
		return unavailable(err, "the ledger's journal cannot be opened")
	}
	return nil
}

func (l *Log) readJournalFile(start uint64) ([]frame, int64, error) {
	name := l.path("journal", journalName(start))
	info, err := os.Stat(name)
	if err != nil {
		return nil, 0, unavailable(err, "the ledger's journal cannot be read")
	}
	if info.Size() > maxJournal {
		return nil, 0, refuse("ledger_journal_damaged", "the ledger's journal is longer than any that it writes", nil)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, 0, unavailable(err, "the ledger's journal cannot be read")
	}
	frames, length, err := readJournal(b)
	if err != nil {
		return nil, 0, refuse("ledger_journal_damaged", "the ledger's journal is damaged", err)
	}
	return frames, length, nil
}

// replay takes up a frame's entries that the tiles do not hold.
func (l *Log) replay(f frame) {
	now := l.opt.Now()
	for i, entry := range f.entries {
		if f.start+uint64(i) < l.next {
			continue
		}
		e := pendingEntry{entry: append([]byte(nil), entry...), leaf: ledger.LeafHash(entry), at: now}
		l.places[e.leaf] = l.next
		l.pending = append(l.pending, e)
		l.next++
	}
}

// journals are the first indexes of the journal files, in order.
func (l *Log) journals() ([]uint64, error) {
	files, err := os.ReadDir(l.path("journal"))
	if err != nil {
		return nil, unavailable(err, "the ledger's journal cannot be read")
	}
	var starts []uint64
	for _, f := range files {
		start, err := strconv.ParseUint(f.Name(), 10, 64)
		if err != nil || f.Name() != journalName(start) {
			return nil, refuse("ledger_journal_damaged", "a strange file stands in the ledger's journal", err)
		}
		starts = append(starts, start)
	}
	slices.Sort(starts)
	return starts, nil
}
