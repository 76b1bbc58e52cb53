package lab

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Trouble is what a running server can be brought into.
type Trouble string

// The troubles. Which server can have which is in Troubles.
const (
	// DiskFull leaves no room on the server's disk; the service must be Bounded.
	DiskFull Trouble = "disk-full"
	// MemoryAlarm has the server hold that its memory is used up: RabbitMQ holds
	// publishers back, Redis refuses to write.
	MemoryAlarm Trouble = "memory-alarm"
	// ConnectionLimit leaves so many connections, ends those above, the newest first,
	// and refuses new ones.
	ConnectionLimit Trouble = "connection-limit"
	// FlushAll removes everything that the server holds. It cannot be mended.
	FlushAll Trouble = "flushall"
	// ReadOnly makes the server refuse to write, as a replica does.
	ReadOnly Trouble = "read-only"
)

// Mend ends a trouble.
type Mend func(context.Context) error

// trouble adds a trouble that the server can be brought into.
func (s *server) trouble(t Trouble, begin func(ctx context.Context, n int) (Mend, error)) {
	if s.troubles == nil {
		s.troubles = map[Trouble]func(context.Context, int) (Mend, error){}
	}
	s.troubles[t] = begin
}

// Trouble brings a service into trouble, n being the number of connections of a
// ConnectionLimit. What it returns ends the trouble, and starts the server again where
// it did not survive it.
func (l *Lab) Trouble(ctx context.Context, service string, t Trouble, n int) (Mend, error) {
	s, err := l.server(service)
	if err != nil {
		return nil, err
	}
	begin := s.troubles[t]
	if begin == nil {
		return nil, fmt.Errorf("%s cannot be brought into %s", service, t)
	}
	mend, err := begin(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("bring %s into %s: %w", service, t, err)
	}
	return func(ctx context.Context) error {
		if err := mend(ctx); err != nil && s.running() {
			return fmt.Errorf("end %s of %s: %w", t, service, err)
		}
		return l.upAgain(ctx, s)
	}, nil
}

// upAgain waits until a server answers, and starts it where it has ended.
func (l *Lab) upAgain(ctx context.Context, s *server) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err := s.await(ctx)
	if err == nil {
		return nil
	}
	if s.running() {
		return fmt.Errorf("%s does not answer: %w%s", s.Name, err, s.logTail(defaultLogTail))
	}
	// What is left of it goes first.
	if err := l.Kill(ctx, s.Name); err != nil {
		return err
	}
	return l.Revive(ctx, s.Name)
}

// connectionTries bounds how often connections above a limit are ended: clients open
// new ones at once.
const (
	connectionTries = 50
	connectionAgain = 20 * time.Millisecond
)

var errStillMore = errors.New("clients open connections faster than they can be ended")

// untilFew ends connections until no more than the limit are there. few says whether
// that is so, and ends those above.
func untilFew(ctx context.Context, few func() (bool, error)) error {
	for range connectionTries {
		done, err := few()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(connectionAgain):
		}
	}
	return errStillMore
}
