package tasks

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/examples"
)

// The names in the account of the scenario: see account for those of the ledger.
const (
	sumAttempted, sumConfirmed, sumNacked, sumReturned = "attempted", "confirmed", "nacked", "returned"
	sumUnknown, sumProcessed, sumLost, sumRecovered    = "unknown", "processed", "lost", "recovered"
	sumExplained, sumDuplicated, sumUnexpected         = "explained", "duplicated", "unexpected"
	sumReady, sumHeld, factReady                       = "ready", "held", "queue_read"
	sumForeign, sumLate, factTimeout, factWaiting      = "foreign", "late", "reply_timeout", "waiting"
	peakAhead                                          = "clocks_apart_ns"
)

// Account accounts for every task, in the manner of Jepsen's total-queue checker: what
// was confirmed must have been processed, nothing more often than it was published, and
// nothing that was not. Where the agents of one shard process the tasks of another, each
// shard gives its ledger, and the whole is counted from all of them.
func (s *scenario) Account(ctx context.Context) (*scenarios.Account, error) {
	a := scenarios.NewAccount()
	if s.ledger.shared {
		part, err := s.ledger.pack()
		if err != nil {
			return nil, err
		}
		a.Parts = [][]byte{part}
		a.Sums[sumUnexpected] = s.ledger.unexpected.Load()
		a.Peaks[peakAhead] = s.ahead.Load()
	} else {
		l := s.ledger.account()
		l.sumUp(a)
	}
	if s.outside != nil {
		s.outside.sumUp(a)
		if w := s.outside.watch; w != "" && s.control != nil && s.plan.First() {
			if ready, err := s.control.Length(ctx, w); err == nil {
				a.Facts[factWaiting] = fmt.Sprintf("; %d messages wait in queue %s", ready, w)
			}
		}
		return a, nil
	}
	if s.control == nil {
		return a, nil
	}
	a.Sums[sumHeld] = s.held()
	if !s.plan.First() {
		return a, nil
	}
	ready, err := s.control.Length(ctx, s.queue)
	if err != nil {
		return a, fmt.Errorf("read the length of queue %s: %w", s.queue, err)
	}
	a.Sums[sumReady], a.Facts[factReady] = int64(ready), "yes"
	return a, nil
}

// sumUp puts the figures of a ledger into an account.
func (l *account) sumUp(a *scenarios.Account) {
	for name, n := range map[string]int64{
		sumAttempted: l.attempted, sumConfirmed: l.confirmed, sumNacked: l.nacked, sumReturned: l.returned, sumUnknown: l.unknown,
		sumProcessed: l.processed, sumLost: l.lost, sumRecovered: l.recovered, sumExplained: l.explained, sumDuplicated: l.duplicated,
		sumUnexpected: l.unexpected,
	} {
		a.Sums[name] += n
	}
	for name, all := range map[string]examples.Numbers{sumLost: l.lostOnes, sumDuplicated: l.duplicatedOnes} {
		a.Named[name] = append(a.Named[name], all.Names()...)
	}
}

// sumUp puts what came of external agents' replies into an account.
func (o *outside) sumUp(a *scenarios.Account) {
	a.Sums[sumForeign], a.Sums[sumLate] = o.foreign.Load(), o.late.Load()
	a.Facts[factTimeout] = o.timeout.String()
}

// weighTasks makes the checks of the account.
func weighTasks(a *scenarios.Account) (out scenarios.Weighed, err error) {
	if len(a.Parts) > 0 {
		if err := putTogether(a); err != nil {
			return out, err
		}
	}
	if _, replies := a.Facts[factTimeout]; replies {
		out.Checks = weighReplies(a)
		return out, nil
	}
	n := a.Sums
	out.Checks = []scenarios.Check{
		{Name: "tasks_lost", Passed: n[sumLost] == 0, Detail: fmt.Sprintf(
			"%d of %d confirmed tasks were never processed%s (%d attempted, %d refused, %d returned; %d of unknown outcome, of which %d were processed)",
			n[sumLost], n[sumConfirmed], a.Who(sumLost, ": number "), n[sumAttempted], n[sumNacked], n[sumReturned], n[sumUnknown], n[sumRecovered]),
			Balance: balance(n)},
		{Name: "tasks_duplicated", Passed: n[sumDuplicated] == 0, Detail: fmt.Sprintf(
			"%d of %d processed tasks were delivered more often than they were published%s; %d more were processed again after a redelivery, which at-least-once delivery allows",
			n[sumDuplicated], n[sumProcessed], a.Who(sumDuplicated, ": number "), n[sumExplained])},
		{Name: "tasks_unexpected", Passed: n[sumUnexpected] == 0, Detail: fmt.Sprintf(
			"%d messages came that this run never published", n[sumUnexpected])},
	}
	if _, read := a.Facts[factReady]; read {
		out.Checks = append(out.Checks, scenarios.Check{Name: "queue_empty", Passed: n[sumReady] == 0 && n[sumHeld] == 0, Detail: fmt.Sprintf(
			"%d tasks are left in the queue and %d in the hands of agents", n[sumReady], n[sumHeld])})
	}
	if apart := time.Duration(a.Peaks[peakAhead]); apart > 0 {
		out.Checks = append(out.Checks, scenarios.Check{Name: "tasks_clocks_agree", Passed: apart <= clocksApart, Detail: fmt.Sprintf(
			"tasks came up to %v before they were sent: the clocks of the shards are apart by as much at least, and rabbitmq_consume_latency and agent_task_latency are wrong by it", apart)})
	}
	return out, nil
}

// balance is what the account comes to.
func balance(n map[string]int64) *scenarios.Balance {
	return &scenarios.Balance{Kept: n[sumConfirmed], Lost: n[sumLost], Duplicated: n[sumDuplicated], Unknown: n[sumUnknown]}
}

// clocksApart is by how much the clocks of shards may be seen to differ until latencies
// between them are worth nothing.
const clocksApart = time.Millisecond

// weighReplies makes the checks of the replies of external agents.
func weighReplies(a *scenarios.Account) []scenarios.Check {
	n := a.Sums
	return []scenarios.Check{
		{Name: "tasks_lost", Passed: n[sumLost] == 0, Detail: fmt.Sprintf(
			"%d of %d confirmed tasks have no reply%s (%d attempted, %d refused, %d returned; %d of unknown outcome, of which %d were replied to)%s",
			n[sumLost], n[sumConfirmed], a.Who(sumLost, ": number "), n[sumAttempted], n[sumNacked], n[sumReturned], n[sumUnknown], n[sumRecovered], a.Facts[factWaiting]),
			Balance: balance(n)},
		{Name: "tasks_duplicated", Passed: n[sumDuplicated] == 0, Detail: fmt.Sprintf(
			"%d of %d tasks have more than one reply%s; %d more have replies that the broker delivered again",
			n[sumDuplicated], n[sumProcessed], a.Who(sumDuplicated, ": number "), n[sumExplained])},
		{Name: "tasks_unexpected", Passed: n[sumUnexpected] == 0, Detail: fmt.Sprintf(
			"%d replies to tasks that this run never published; %d messages that are no reply to this run", n[sumUnexpected], n[sumForeign])},
		{Name: "replies_late", Passed: n[sumLate] == 0, Detail: fmt.Sprintf(
			"%d of %d replies came later than %s after their task was due", n[sumLate], n[sumProcessed], a.Facts[factTimeout])},
	}
}

// putTogether counts the ledgers of all shards as one. Where a shard's is missing, what
// it may have published or processed is no fault.
func putTogether(a *scenarios.Account) error {
	whole := newLedger(0)
	for _, part := range a.Parts {
		if err := whole.unpack(part); err != nil {
			return fmt.Errorf("the ledger of a shard: %w", err)
		}
	}
	l := whole.account()
	if a.Missing > 0 {
		l.lost, l.lostOnes, l.unexpected = 0, nil, 0
	}
	l.sumUp(a)
	return nil
}

// pack writes the ledger for another process: of each task its distance from the one
// before and its word, deflated.
func (l *ledger) pack() ([]byte, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	last := int64(-1)
	var text []byte
	for page, p := range *l.dir.Load() {
		if p == nil {
			continue
		}
		text = text[:0]
		for i := range p {
			if word := p[i].Load(); word != 0 {
				n := int64(page)*ledgerPageLen + int64(i)
				text = binary.AppendUvarint(text, uint64(n-last))
				text = append(text, byte(word), byte(word>>firstShift), byte(word>>againShift))
				last = n
			}
		}
		if _, err := w.Write(text); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}

// unpack adds a ledger that pack wrote.
func (l *ledger) unpack(part []byte) error {
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(part)))
	if err != nil {
		return err
	}
	n := int64(-1)
	for len(text) > 0 {
		step, used := binary.Uvarint(text)
		if used <= 0 || len(text) < used+3 || step == 0 || int64(step) < 0 || n+int64(step) >= mostShared {
			return io.ErrUnexpectedEOF
		}
		n += int64(step)
		l.merge(n, uint32(text[used]), uint32(text[used+1]), uint32(text[used+2]))
		text = text[used+3:]
	}
	return nil
}

// merge adds what another ledger knows of task n.
func (l *ledger) merge(n int64, flags, first, again uint32) {
	w := l.word(n)
	if w == nil {
		w = l.extend(n)
	}
	old := w.Load()
	first = min(first+old>>firstShift&countMask, countMask)
	again = min(again+old>>againShift&countMask, countMask)
	w.Store(old&(1<<firstShift-1) | flags | first<<firstShift | again<<againShift)
}
