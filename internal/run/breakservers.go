package run

import (
	"context"
	"fmt"
	"sync"

	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/faults/commands"
	"github.com/perfctl/perfctl/internal/lab"
)

// serverBreaker does faults to servers: those of the session's lab, and the user's own
// by the user's commands. What takes a server time, as starting again does, goes on
// beside the timetable, one thing after the other for each target.
type serverBreaker struct {
	lab  *lab.Lab
	run  string
	idle bool // another shard runs the commands
	warn func(string)
	all  sync.WaitGroup
	// last is closed, for each target, when what was begun last with it is done.
	last map[string]chan struct{}
	// mends end the faults that are in force, by their names.
	lock  sync.Mutex
	mends map[string]lab.Mend
}

func newServerBreaker(x *Prepared) *serverBreaker {
	return &serverBreaker{
		lab: x.session.lab, run: x.id, idle: x.plan.request.Shard > 0, warn: func(text string) { x.session.Observer.Warn(text) },
		last: map[string]chan struct{}{}, mends: map[string]lab.Mend{},
	}
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
		var err error
		if begin {
			err = b.begin(f)
		} else {
			err = b.end(f.Name)
		}
		if err != nil {
			b.warn(fmt.Sprintf("warning: the fault %s: %v", f.Name, err))
		}
	})
}

// begin begins a fault, and keeps what ends it.
func (b *serverBreaker) begin(f *faults.Timed) error {
	ctx, cancel := context.WithTimeout(context.Background(), max(labStopTimeout, commands.Timeout))
	defer cancel()
	mend, err := b.act(ctx, f)
	if mend != nil {
		b.lock.Lock()
		b.mends[f.Name] = mend
		b.lock.Unlock()
	}
	return err
}

// end ends a fault, unless it did not begin or was ended already.
func (b *serverBreaker) end(name string) error {
	b.lock.Lock()
	mend := b.mends[name]
	delete(b.mends, name)
	b.lock.Unlock()
	if mend == nil {
		return nil
	}
	return mend(context.Background()) // which bounds itself
}

func (b *serverBreaker) act(ctx context.Context, f *faults.Timed) (lab.Mend, error) {
	revive := func(ctx context.Context) error { return b.lab.Revive(ctx, f.Target) }
	switch f.Kind {
	case faults.Command:
		return b.command(ctx, f)
	case faults.Pause:
		return func(context.Context) error { return b.lab.Resume(f.Target) }, b.lab.Pause(f.Target)
	case faults.Kill:
		return revive, b.lab.Kill(ctx, f.Target)
	case faults.Stop:
		return revive, b.lab.End(ctx, f.Target)
	default:
		return b.lab.Trouble(ctx, f.Target, troubles[f.Kind], f.Limit)
	}
}

// troubles are what a lab calls the kinds of faults.
var troubles = map[faults.Kind]lab.Trouble{
	faults.DiskFull: lab.DiskFull, faults.MemoryAlarm: lab.MemoryAlarm, faults.ConnectionLimit: lab.ConnectionLimit,
	faults.FlushAll: lab.FlushAll, faults.ReadOnly: lab.ReadOnly,
}

// command has the user's command break a server of the user's own.
func (b *serverBreaker) command(ctx context.Context, f *faults.Timed) (lab.Mend, error) {
	if b.idle {
		return nil, nil //nolint:nilnil // the first shard does it for all
	}
	dir, err := commands.Folder()
	if err != nil {
		return nil, err
	}
	broken, err := commands.Break(ctx, dir, b.run, &f.Fault)
	if err != nil {
		return nil, err
	}
	return broken.Mend, nil
}

// wait returns when every server is what it was.
func (b *serverBreaker) wait() { b.all.Wait() }

// endAll ends what is in force at once: the program is about to end.
func (b *serverBreaker) endAll() {
	b.lock.Lock()
	var names []string
	for name := range b.mends {
		names = append(names, name)
	}
	b.lock.Unlock()
	for _, name := range names {
		if err := b.end(name); err != nil {
			b.warn(fmt.Sprintf("warning: the fault %s: %v", name, err))
		}
	}
}
