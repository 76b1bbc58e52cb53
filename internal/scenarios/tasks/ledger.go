package tasks

import (
	"sync"
	"sync/atomic"

	"github.com/perfctl/perfctl/internal/scenarios/examples"
)

// ledger knows of every task what became of it: one word for each, changed by
// atomic operations alone. It is kept in pages, because the tasks of one shard
// are spread over the numbers of all shards.
type ledger struct {
	dir  atomic.Pointer[[]*ledgerPage]
	grow sync.Mutex
	// outstanding is how many tasks are confirmed and not processed yet,
	// unexpected how many bodies came that this run never published, moves how
	// many tasks were processed, whichever they were.
	outstanding, unexpected, moves atomic.Int64
	// shared says that tasks of other shards are processed here, too: which of them
	// were published is known when the shards' ledgers are put together.
	shared bool
}

const ledgerPageLen = 4096

type ledgerPage [ledgerPageLen]atomic.Uint32

// The bits of a task's word. Above them stand two counts of 8 bits: how often
// it was processed from a first delivery, and how often from a redelivery.
const (
	attempted uint32 = 1 << iota
	confirmed
	nacked
	returned
	unknown

	firstShift   = 16
	againShift   = 24
	countMask    = 0xff
	oneFirst     = 1 << firstShift
	oneAgain     = 1 << againShift
	processedAny = countMask<<firstShift | countMask<<againShift
)

// newLedger returns a ledger with room for n tasks; it grows where more come.
func newLedger(n int64) *ledger {
	l := &ledger{}
	pages := make([]*ledgerPage, max((n+ledgerPageLen-1)/ledgerPageLen, 1))
	for i := range pages {
		pages[i] = new(ledgerPage)
	}
	l.dir.Store(&pages)
	return l
}

// word returns the word of task n, nil where there is none.
func (l *ledger) word(n int64) *atomic.Uint32 {
	dir := *l.dir.Load()
	if i := n / ledgerPageLen; n >= 0 && i < int64(len(dir)) && dir[i] != nil {
		return &dir[i][n%ledgerPageLen]
	}
	return nil
}

// attempt notes that task n is about to be published, and returns its word.
func (l *ledger) attempt(n int64) *atomic.Uint32 {
	w := l.word(n)
	if w == nil {
		w = l.extend(n)
	}
	w.Or(attempted)
	return w
}

// extend makes the page of task n.
func (l *ledger) extend(n int64) *atomic.Uint32 {
	l.grow.Lock()
	defer l.grow.Unlock()
	old := *l.dir.Load()
	i := int(max(n, 0) / ledgerPageLen)
	dir := make([]*ledgerPage, max(len(old), i+1))
	copy(dir, old)
	if dir[i] == nil {
		dir[i] = new(ledgerPage)
	}
	l.dir.Store(&dir)
	return &dir[i][max(n, 0)%ledgerPageLen]
}

// confirm notes that the broker took the task. It returns false where the
// broker had returned it as unroutable before, in which case it is not
// confirmed.
func (l *ledger) confirm(w *atomic.Uint32) bool {
	if w.Load()&returned != 0 {
		return false
	}
	if old := w.Or(confirmed); old&processedAny == 0 {
		l.outstanding.Add(1)
	}
	return true
}

// processed notes that task n was processed and acknowledged. first says that
// no agent had processed it before. A task that was never attempted is
// unexpected.
func (l *ledger) processed(n int64, redelivered bool) (first, expected bool) {
	l.moves.Add(1)
	w := l.word(n)
	if w == nil && l.shared && n >= 0 && n < mostShared {
		w = l.extend(n)
	}
	if w == nil || !l.shared && w.Load()&attempted == 0 {
		l.unexpected.Add(1)
		return false, false
	}
	one, shift := uint32(oneFirst), firstShift
	if redelivered {
		one, shift = oneAgain, againShift
	}
	for {
		old := w.Load()
		if old>>shift&countMask == countMask {
			return false, true // the count is full
		}
		if !w.CompareAndSwap(old, old+one) {
			continue
		}
		if first = old&processedAny == 0; first && old&confirmed != 0 {
			l.outstanding.Add(-1)
		}
		return first, true
	}
}

// mostShared bounds the numbers that tasks of other shards may have, and so what a
// message can make a ledger hold.
const mostShared = 1 << 34

// account is the ledger, added up.
type account struct {
	attempted, confirmed, nacked, returned, unknown int64
	// processed counts tasks that were processed at least once.
	processed int64
	// lost were confirmed and never processed.
	lost int64
	// recovered had no known outcome and were processed all the same.
	recovered int64
	// explained were processed more than once, each time but one because the
	// broker delivered them again; duplicated more often than that explains.
	explained, duplicated int64
	unexpected            int64
	// The numbers of the first ones that are lost or duplicated.
	lostOnes, duplicatedOnes examples.Numbers
}

func (l *ledger) account() account {
	a := account{unexpected: l.unexpected.Load()}
	for page, p := range *l.dir.Load() {
		if p == nil {
			continue
		}
		for i := range p {
			if w := p[i].Load(); w != 0 {
				a.add(int64(page)*ledgerPageLen+int64(i), w)
			}
		}
	}
	return a
}

func (a *account) add(n int64, w uint32) {
	count := func(bit uint32, to *int64) {
		if w&bit != 0 {
			*to++
		}
	}
	count(attempted, &a.attempted)
	count(confirmed, &a.confirmed)
	count(nacked, &a.nacked)
	count(returned, &a.returned)
	count(unknown, &a.unknown)
	first, again := w>>firstShift&countMask, w>>againShift&countMask
	switch {
	case first+again > 0 && w&attempted == 0:
		a.unexpected += int64(first + again)
		return
	case first+again > 0:
		a.processed++
		if w&unknown != 0 {
			a.recovered++
		}
	case w&confirmed != 0:
		a.lost++
		a.lostOnes.Add(n)
	}
	switch {
	case first > 1:
		a.duplicated++
		a.duplicatedOnes.Add(n)
	case first+again > 1:
		a.explained++
	}
}
