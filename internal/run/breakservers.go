package run

import (
	"context"
	"fmt"
	"sync"

	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/lab"
)

// serverBreaker does faults to the servers of the session's lab. What takes a server
// time, as starting again does, goes on beside the timetable, one thing after the other
// for each server.
type serverBreaker struct {
	lab  *lab.Lab
	warn func(string)
	all  sync.WaitGroup
	// last is closed, for each target, when what was begun last with it is done.
	last map[string]chan struct{}
}

func newServerBreaker(s *Session) *serverBreaker {
	return &serverBreaker{lab: s.lab, warn: func(text string) { s.Observer.Warn(text) }, last: map[string]chan struct{}{}}
}

// do begins a fault or ends it. One goroutine calls it.
func (b *serverBreaker) do(f *faults.Timed, begin bool) {
	before, done := b.last[f.Target], make(chan struct{})
	b.last[f.Target] = done
	b.all.Go(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		if err := b.act(f.Kind, f.Target, begin); err != nil {
			b.warn(fmt.Sprintf("warning: the fault %s: %v", f.Name, err))
		}
	})
}

func (b *serverBreaker) act(kind faults.Kind, target string, begin bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), labStopTimeout)
	defer cancel()
	switch {
	case kind == faults.Pause && begin:
		return b.lab.Pause(target)
	case kind == faults.Pause:
		return b.lab.Resume(target)
	case !begin:
		return b.lab.Revive(context.Background(), target) // which bounds it itself
	case kind == faults.Kill:
		return b.lab.Kill(ctx, target)
	}
	return b.lab.End(ctx, target)
}

// wait returns when every server is what it was.
func (b *serverBreaker) wait() { b.all.Wait() }
