package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ErrInterrupted says that the user ended a run that had not begun, or ended one at
// once.
var ErrInterrupted = errors.New("interrupted by a signal")

// The words of noteStop.
const (
	stopAbort     = "abort"
	stopInterrupt = "interrupt"
	stopOff       = "off"
)

// stop takes the wish that the run end.
func (c *Conductor) stop(ctx context.Context, s Stop) error {
	if c.phase != running || s.Now {
		return ErrInterrupted
	}
	if c.stopped != nil {
		return nil
	}
	c.stopped = &s
	word := stopAbort
	if s.Interrupted {
		word = stopInterrupt
	}
	c.tellAll(ctx, map[string]string{noteStop: word + " " + s.Text}, time.Time{})
	return nil
}

// callOff tells the shards not to begin. Their objects are removed by who called.
func (c *Conductor) callOff(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	c.tell(ctx, map[string]string{noteStop: stopOff}, func(f *follow) bool { return f.final == nil })
}

// tell tells some shards something and waits until they were told, or ctx ends.
func (c *Conductor) tell(ctx context.Context, notes map[string]string, which func(*follow) bool) {
	c.tellPods(ctx, notes, c.names(which))
}

// names returns the pods of some shards that can still be told something.
func (c *Conductor) names(which func(*follow) bool) (out []string) {
	for _, f := range c.shards {
		if f.pod.name != "" && !f.pod.gone && !f.pod.over && which(f) {
			out = append(out, f.pod.name)
		}
	}
	return out
}

func (c *Conductor) tellPods(ctx context.Context, notes map[string]string, pods []string) {
	var all sync.WaitGroup
	for _, name := range pods {
		all.Go(func() {
			_ = persist(ctx, func(ctx context.Context) error { return c.Client.annotate(ctx, name, notes) }) // one that is gone need not know
		})
	}
	all.Wait()
}

// meetAtEnd tells the shards to what point all have come that are still there.
func (c *Conductor) meetAtEnd(ctx context.Context) {
	least := len(points) - 1
	var gone []string
	for i, f := range c.shards {
		switch {
		case f.lost != "":
			gone = append(gone, strconv.Itoa(i))
		case f.final == nil:
			least = min(least, f.reached)
		}
	}
	if least <= c.met || len(gone) == c.Shards {
		return
	}
	c.met = least
	c.tellAll(ctx, map[string]string{noteReached: string(points[least]) + " " + strings.Join(gone, ",")}, time.Time{})
}

// After a run's planned end, a shard has so long for its last words.
const lastWords = 90 * time.Second

// hush is after what silence of a running shard something is said.
const hush = 5 * time.Second

// lookAtRunning looks for shards that say nothing.
func (c *Conductor) lookAtRunning(now time.Time) {
	for i, f := range c.shards {
		if f.done() || f.lost != "" {
			continue
		}
		if since := now.Sub(f.heard); now.After(c.startAt.Add(2*time.Second)) && since > hush && !f.hushed {
			f.hushed = true
			c.Voice.Say(fmt.Sprintf("nothing was heard of shard %d for %s", i, since.Round(time.Second)))
		}
		if c.Planned > 0 && now.After(c.startAt.Add(c.Planned+lastWords)) && now.Sub(f.heard) > lastWords {
			f.lost, f.drained = "it said nothing any more", true
			c.tellLost(f)
		}
	}
}

// finish checks what was collected and lets the shards go.
func (c *Conductor) finish(ctx context.Context) *Outcome {
	o := &Outcome{StartAt: c.startAt, Lost: map[int]string{}, Stopped: c.stopped}
	for i, f := range c.shards {
		if f.lost != "" {
			o.Lost[i] = f.lost
		}
		if f.final != nil {
			if err := c.Sink.Whole(i, f.final); err != nil {
				o.Broken = append(o.Broken, err.Error())
			}
		}
		o.clock(i, f)
	}
	c.release(ctx)
	return o
}

// clock takes what is known of a shard's clock.
func (o *Outcome) clock(shard int, f *follow) {
	if f.told.IsZero() || f.armed == nil {
		return
	}
	o.ClockWithin = max(o.ClockWithin, f.to-f.from)
	switch {
	case f.from > 0:
		o.Clocks = append(o.Clocks, fmt.Sprintf("the clock of shard %d is %s to %s ahead of this machine's", shard, milli(f.from), milli(f.to)))
	case f.to < 0:
		o.Clocks = append(o.Clocks, fmt.Sprintf("the clock of shard %d is %s to %s behind this machine's", shard, milli(-f.to), milli(-f.from)))
	}
}

func milli(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// leave is how long shards that were let go have to take down what they set up.
const leave = 30 * time.Second

// release lets the shards go and waits until they went.
func (c *Conductor) release(ctx context.Context) {
	c.Voice.Step("taking down …")
	ctx, cancel := context.WithTimeout(ctx, leave)
	defer cancel()
	told := make(chan struct{})
	pods := c.names(func(f *follow) bool { return f.final != nil })
	go func() {
		defer close(told)
		c.tellPods(ctx, map[string]string{noteCollected: "true"}, pods)
	}()
	again := time.NewTicker(remindAfter)
	defer again.Stop()
	gone := func() bool { return c.all(func(f *follow) bool { return f.final == nil || f.pod.over || f.pod.gone }) }
	for !gone() {
		select {
		case e := <-c.events:
			if e.pod != nil && e.shard < c.Shards && c.shards[e.shard].pod.uid == e.pod.uid {
				c.shards[e.shard].pod = *e.pod
			}
		case <-again.C:
			c.notes[noteCollected] = "true"
			notes, late := c.reminder(), c.names(func(f *follow) bool { return f.final != nil })
			go c.tellPods(ctx, notes, late)
		case <-c.Stop:
			cancel() // who has waited long enough
		case <-ctx.Done():
			<-told
			return
		}
	}
	<-told
}
