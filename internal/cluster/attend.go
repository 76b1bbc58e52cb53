package cluster

import (
	"context"
	"encoding/base64"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/meeting"
)

// What follows makes a Shard a meeting.Meeting.
var _ meeting.Meeting = (*Shard)(nil)

// Greet says what the shard is. The first one waits until all are of one mind; the
// others have that one's set-up to wait for.
func (s *Shard) Greet(ctx context.Context, h meeting.Hello) error {
	hello := Hello{Hello: h, Plan: s.plan, Arch: runtime.GOARCH, Processors: runtime.GOMAXPROCS(0), Clock: time.Now()}
	if err := s.Spool.PrintJSON(KindHello, hello); err != nil {
		return err
	}
	if s.Index != 0 {
		return nil
	}
	_, err := s.unlessOff(ctx, noteAgreed)
	return err
}

// unlessOff waits for an annotation of a run that was not called off.
func (s *Shard) unlessOff(ctx context.Context, name string) (string, error) {
	found, v, err := s.note(ctx, s.Manifest.Barrier, noteStop, name)
	switch {
	case err != nil:
		return "", err
	case found == noteStop:
		return "", calledOff(v)
	}
	return v, nil
}

// calledOff is the error of a run that was called off.
func calledOff(note string) error {
	_, why, _ := strings.Cut(note, " ")
	if why == "" {
		why = "the command ended it before its start"
	}
	return &meeting.OffError{Reason: why}
}

// HandOver gives what the first shard made to whoever conducts the shards, in a form
// that only they can read: logs and annotations are seen by many.
func (s *Shard) HandOver(_ context.Context, made []byte) error {
	sealed, err := seal(s.private.Key, made)
	if err != nil {
		return err
	}
	return s.Spool.Print(KindMade, sealed)
}

// Inherit waits for what the first shard made.
func (s *Shard) Inherit(ctx context.Context) ([]byte, error) {
	text, err := s.unlessOff(ctx, noteHandover)
	if err != nil {
		return nil, err
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("what the first shard made: %w", err)
	}
	return unseal(s.private.Key, sealed)
}

// goBy is how long before T0 a shard must know that all others are armed, too. One that
// does not sends nothing.
const goBy = 50 * time.Millisecond

// Start says that all is set up, waits for the instant of the first arrival, says that it
// waits for it, and returns once all do.
func (s *Shard) Start(ctx context.Context, _ time.Time) (at time.Time, err error) {
	if err := s.Spool.PrintJSON(KindReady, Ready{Clock: time.Now()}); err != nil {
		return at, err
	}
	text, err := s.unlessOff(ctx, noteStartAt)
	if err != nil {
		return at, err
	}
	if at, err = time.Parse(time.RFC3339Nano, text); err != nil {
		return at, fmt.Errorf("the instant of the first arrival: %w", err)
	}
	if err := s.Spool.PrintJSON(KindArmed, Armed{StartAt: at, Clock: time.Now()}); err != nil {
		return at, err
	}
	found, v, err := s.note(ctx, max(time.Until(at)-goBy, time.Millisecond), noteStop, noteGo)
	switch {
	case err != nil && ctx.Err() == nil:
		return at, &meeting.OffError{Reason: fmt.Sprintf("shard %d did not hear before the start that all others are there", s.Index)}
	case err != nil:
		return at, err
	case found == noteStop:
		return at, calledOff(v)
	}
	return at, nil
}

// Aborted says whether the run is to end early, and why.
func (s *Shard) Aborted() (reason string, aborted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	word, reason, _ := strings.Cut(s.notes[noteStop], " ")
	return reason, word == stopAbort
}

// points are those of a run's end, in their order.
var points = []meeting.Point{meeting.Ended, meeting.Drained, meeting.Counted, meeting.Left}

// Reach says that the shard has come to a point, and waits until all others have that
// are still there.
func (s *Shard) Reach(ctx context.Context, p meeting.Point) (gone []int, err error) {
	if err := s.Spool.PrintJSON(KindReached, p); err != nil {
		return nil, err
	}
	at := rank(p)
	for {
		s.mu.Lock()
		notes, changed := s.notes, s.changed
		s.mu.Unlock()
		word, lost, _ := strings.Cut(notes[noteReached], " ")
		if rank(meeting.Point(word)) >= at {
			for n := range strings.SplitSeq(lost, ",") {
				if i, err := strconv.Atoi(n); err == nil {
					gone = append(gone, i)
				}
			}
			return gone, nil
		}
		if strings.HasPrefix(notes[noteStop], stopOff) {
			return nil, nil // nobody waits for a run that was called off
		}
		again := time.NewTimer(repeats)
		select {
		case <-changed:
		case <-again.C:
			_ = s.Spool.AgainLast() // what does not come is repeated
		case <-ctx.Done():
			again.Stop()
			return nil, context.Cause(ctx)
		}
		again.Stop()
	}
}

// rank returns which of the points one is; -1 for none.
func rank(p meeting.Point) int {
	for i, x := range points {
		if x == p {
			return i
		}
	}
	return -1
}

// CallOff says why there will be no run.
func (s *Shard) CallOff(reason string) {
	_ = s.Spool.PrintJSON(KindFailed, Failed{Error: reason}) // the pod's end says the same
}

// Abort says why the arrivals of all shards are to end.
func (s *Shard) Abort(reason string) { _ = s.Spool.Print(KindAbort, []byte(reason)) } // as above

// Close leaves the meeting; Leave ends the shard.
func (s *Shard) Close() error { return nil }
