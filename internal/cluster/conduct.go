package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/meeting"
	"github.com/perfctl/perfctl/internal/states"
)

// Sink takes what the shards record. Its methods are called by one goroutine.
type Sink interface {
	// Part takes a part of a file, in the order in which the shard printed them.
	Part(shard int, p *Part)
	// Whole says whether a shard's files are what it says they come to.
	Whole(shard int, f *Final) error
	// Gone says that no more comes of a shard, which is lost.
	Gone(shard int)
}

// Voice tells the user how it goes.
type Voice interface {
	// Step says what goes on, Say what may be of interest, Warn what must be known.
	Step(text string)
	Say(text string)
	Warn(text string)
	// Started says that the first arrival is due at an instant.
	Started(at time.Time)
}

// Conductor conducts the shards of one run, from their first word to the last byte.
type Conductor struct {
	Client *Client
	Run    string
	Shards int
	// Want is what every shard must be: the version of perfctl and the hash of the plan,
	// each where it is not empty.
	Want  Want
	Sink  Sink
	Voice Voice
	// Stop delivers why the run is to end before its time.
	Stop <-chan Stop
	// Planned is how long the run takes from T0 to the end of what is due.
	Planned time.Duration
	// Patience is how long pods may take to run before it is said why they do not; 0 is
	// DefaultPatience.
	Patience time.Duration
	// Lead is the time from when all are ready to the first arrival; 0 for one that
	// suits the number of pods.
	Lead time.Duration

	events chan event
	shards []*follow
	phase  phase
	// startAt is T0, began when the conductor did.
	startAt, began time.Time
	// asked is when one asked why pods are not made.
	asked time.Time
	// handedOver says that the others have what the first shard made, letGo that all
	// were told that all are armed, met is the last point at which all met.
	handedOver bool
	handedAt   time.Time
	letGo      bool
	met        int
	// notes are all that the shards were told, toldAt when that was, reminders counts how
	// often some were told again.
	notes     map[string]string
	toldAt    time.Time
	reminders int
	wentAgain int
	// heard are the words of shards that were passed on.
	heard   map[string]bool
	stopped *Stop
	// measured is what a pod said that measures itself.
	measured  []byte
	cancel    context.CancelFunc
	listeners sync.WaitGroup
}

// Want is what every shard must be.
type Want struct{ Version, Plan string }

// DefaultPatience is within what time pods must run.
const DefaultPatience = 25 * time.Second

// Stop says that a run is to end before its time.
type Stop struct {
	// Interrupted says that the user asked for it; otherwise a rule did.
	Interrupted bool
	// Now ends the command at once; the shards are taken away.
	Now  bool
	Text string
}

// phase is how far a run has come.
type phase int

const (
	gathering phase = iota // until all said hello
	settingUp              // until all are ready
	starting               // until T0
	running
)

// follow is what is known of one shard.
type follow struct {
	pod      pod
	listener *listener
	hello    *Hello
	made     []byte
	ready    *Ready
	armed    *Armed
	// reached is the last point of the end that it has come to.
	reached int
	final   *Final
	failed  *Failed
	// lost says why the shard is lost, empty while it is not; drained that nothing more
	// comes of it.
	lost    string
	drained bool
	// left says that the user was told that it ends before its time.
	left bool
	// told is when it was told T0, from and to bound by how much its clock is ahead.
	told     time.Time
	from, to time.Duration
	heard    time.Time
	hushed   bool
	noise    []string
}

// done says that nothing more is to be waited for.
func (f *follow) done() bool { return f.final != nil || f.lost != "" && f.drained }

// event is something that happened.
type event struct {
	shard   int
	frame   *Frame
	at      time.Time
	pod     *pod
	drained bool
	noise   string
	// refused is an answer that no second try would change. early says that it ends only
	// a run that has not begun.
	refused error
	early   bool
}

// Outcome is what came of a run's shards.
type Outcome struct {
	StartAt time.Time
	// Lost says of each shard that is lost why.
	Lost map[int]string
	// Broken says of shards whose files are not what they should be.
	Broken []string
	// Clocks says of the shards' clocks which are known to differ from this one's.
	// ClockWithin is the width within which the others may; 0 where nothing was measured.
	Clocks      []string
	ClockWithin time.Duration
	// Stopped is why the run ended before its time, nil where it did not.
	Stopped *Stop
}

// Conduct conducts the run. An error means that no load was sent, or that the user ended
// it at once; then the shards' objects are to be removed.
func (c *Conductor) Conduct(ctx context.Context) (*Outcome, error) {
	return c.conduct(ctx, func() bool { return c.phase == running && c.allDone() })
}

// conduct conducts the pods until all is done.
func (c *Conductor) conduct(ctx context.Context, done func() bool) (*Outcome, error) {
	ctx, c.cancel = context.WithCancel(ctx)
	defer c.listeners.Wait()
	defer c.cancel()
	c.events = make(chan event, 1024)
	c.began, c.met, c.heard, c.notes = time.Now(), -1, map[string]bool{}, map[string]string{}
	for range c.Shards {
		c.shards = append(c.shards, &follow{reached: -1})
	}
	c.listeners.Go(func() {
		c.Client.watchShards(ctx, c.Run, func(p pod) { c.send(ctx, event{shard: p.index, pod: &p}) },
			func(err error) { c.send(ctx, event{refused: err}) })
	})
	if c.Shards == 1 {
		c.Voice.Step("waiting for 1 pod …")
	} else {
		c.Voice.Step(fmt.Sprintf("waiting for %d pods …", c.Shards))
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var err error
		select {
		case e := <-c.events:
			err = c.take(ctx, &e)
		case s := <-c.Stop:
			err = c.stop(ctx, s)
		case <-tick.C:
			err = c.look(ctx)
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		if err != nil {
			if ctx.Err() == nil { // who is killed calls nothing off
				c.callOff(ctx)
			}
			return nil, err
		}
		if done() {
			return c.finish(ctx), nil
		}
	}
}

func (c *Conductor) send(ctx context.Context, e event) {
	select {
	case c.events <- e:
	case <-ctx.Done():
	}
}

func (c *Conductor) allDone() bool {
	for _, f := range c.shards {
		if !f.done() {
			return false
		}
	}
	return true
}

// take takes what happened.
func (c *Conductor) take(ctx context.Context, e *event) error {
	switch {
	case e.refused != nil && e.early && c.phase == running:
		return nil // right or wrong, the shards go on, and another command may collect them
	case e.refused != nil:
		return e.refused
	case e.shard >= c.Shards:
		return nil
	}
	f := c.shards[e.shard]
	switch {
	case e.pod != nil:
		return c.takePod(ctx, f, *e.pod)
	case e.drained:
		f.drained = true
		if err := c.lose(f); err != nil {
			return err
		}
		return c.lostBefore(e.shard, f)
	case e.noise != "":
		if f.noise = append(f.noise, e.noise); len(f.noise) > 20 {
			f.noise = f.noise[1:]
		}
	case e.frame != nil:
		f.heard, f.hushed = e.at, false
		return c.takeFrame(ctx, e.shard, f, e.frame, e.at)
	}
	return nil
}

// takePod takes news of a pod.
func (c *Conductor) takePod(ctx context.Context, f *follow, p pod) error {
	if f.pod.uid != "" && f.pod.uid != p.uid {
		return nil // another one of the same number: a shard is never run twice
	}
	f.pod = p
	if f.listener == nil && (p.running || p.over && !p.gone) {
		c.listen(ctx, f)
	}
	if p.gone && !p.over && f.final == nil && c.phase == running {
		c.tellLeft(f)
	}
	if !p.over || f.final != nil {
		return nil
	}
	if f.listener == nil {
		f.drained = true
	} else {
		f.listener.over.Store(true)
	}
	if p.exit == 0 && !p.gone && f.listener != nil {
		return nil // it came to its end; its last words are on their way
	}
	return c.lose(f)
}

// lose notes that a shard is lost, and says so.
func (c *Conductor) lose(f *follow) error {
	if f.lost != "" || f.final != nil {
		return nil
	}
	if f.lost = f.pod.ended; f.lost == "" {
		f.lost = "its pod is gone"
	}
	if c.phase == running {
		c.tellLost(f)
	}
	return c.lostBefore(f.pod.index, f)
}

// tellLeft says that a shard ends before its time, and does so in order.
func (c *Conductor) tellLeft(f *follow) {
	if f.left {
		return
	}
	f.left = true
	why := f.pod.ended
	if why == "" {
		why = "something ends it"
	}
	c.Voice.Warn(fmt.Sprintf("INCOMPLETE: shard %d ends before its time (pod %s): %s", f.pod.index, f.pod.name, why))
}

// tellLost says that a shard of a running run is lost.
func (c *Conductor) tellLost(f *follow) {
	c.Voice.Warn(fmt.Sprintf("INCOMPLETE: shard %d is lost (pod %s): %s", f.pod.index, f.pod.name, f.lost))
	c.Sink.Gone(f.pod.index)
}

// lostBefore ends a run that has not begun where a shard of it is lost and everything
// that it said was read.
func (c *Conductor) lostBefore(shard int, f *follow) error {
	if c.phase == running || f.lost == "" || !f.drained || f.failed != nil {
		return nil
	}
	what := fmt.Sprintf("shard %d ended before the run began (pod %s): %s", shard, f.pod.name, f.lost)
	for _, n := range f.noise {
		what += "\n  " + n
	}
	return &UnreachableError{what, "look at the image, which must hold this version of perfctl, and at the limits of the pods", nil}
}

// listen begins to follow a shard's log.
func (c *Conductor) listen(ctx context.Context, f *follow) {
	i := f.pod.index
	f.listener = &listener{
		client: c.Client, shard: i, pod: f.pod.name,
		deliver: func(fr Frame, at time.Time) { c.send(ctx, event{shard: i, frame: &fr, at: at}) },
		other:   func(line string) { c.send(ctx, event{shard: i, noise: line}) },
		refused: func(err error) { c.send(ctx, event{shard: i, refused: err, early: true}) },
	}
	if f.pod.over {
		f.listener.over.Store(true)
	}
	c.listeners.Go(func() {
		f.listener.listen(ctx)
		c.send(ctx, event{shard: i, drained: true})
	})
}

// takeFrame takes what a shard said.
func (c *Conductor) takeFrame(ctx context.Context, shard int, f *follow, fr *Frame, at time.Time) error {
	switch fr.Kind {
	case KindHello:
		f.hello = new(Hello)
		if err := json.Unmarshal(fr.Body, f.hello); err != nil {
			return damaged(shard, fr, err)
		}
		return c.takeHello(shard, f, at)
	case KindMade:
		f.made = fr.Body
	case KindReached:
		var p meeting.Point
		if err := json.Unmarshal(fr.Body, &p); err != nil {
			return damaged(shard, fr, err)
		}
		f.reached = max(f.reached, rank(p))
	case KindAbort:
		switch {
		case f.pod.gone: // its own end is no reason for the others'
			return nil
		case c.phase != running:
			return &UnreachableError{fmt.Sprintf("called off before any load was sent: %s", fr.Body), "run it again", nil}
		}
		return c.stop(ctx, Stop{Text: string(fr.Body)})
	case KindReady:
		f.ready = new(Ready)
		if err := json.Unmarshal(fr.Body, f.ready); err != nil {
			return damaged(shard, fr, err)
		}
		return c.aheadOfTime(shard, f, f.ready.Clock.Sub(at))
	case KindArmed:
		f.armed = new(Armed)
		if err := json.Unmarshal(fr.Body, f.armed); err != nil {
			return damaged(shard, fr, err)
		}
		return c.takeArmed(shard, f, at)
	case KindData:
		p, err := decodePart(fr.Body)
		if err != nil {
			return damaged(shard, fr, err)
		}
		c.Sink.Part(shard, &p)
	case KindFinal:
		f.final = new(Final)
		if err := json.Unmarshal(fr.Body, f.final); err != nil {
			return damaged(shard, fr, err)
		}
		f.lost = ""
		c.Sink.Gone(shard)
		if f.final.Verdict == states.Interrupted && c.stopped == nil {
			c.tellLeft(f)
		}
	case KindFailed:
		f.failed = new(Failed)
		if err := json.Unmarshal(fr.Body, f.failed); err != nil {
			return damaged(shard, fr, err)
		}
		if c.phase != running {
			return &FailedError{Shard: shard, Failed: *f.failed}
		}
		c.Voice.Warn(fmt.Sprintf("shard %d: %s", shard, f.failed.Error))
	case KindMeasured:
		c.measured = fr.Body
	case KindSay:
		if text := string(fr.Body); !c.heard[text] { // others may say the same
			c.heard[text] = true
			c.Voice.Say(fmt.Sprintf("shard %d: %s", shard, text))
		}
	case KindStep:
		if c.phase == settingUp && shard == 0 { // which sets up what all use
			c.Voice.Step("shard 0: " + string(fr.Body))
		}
	}
	return nil
}

// damaged is the error of a frame that is whole and cannot be read: another program
// printed it.
func damaged(shard int, f *Frame, err error) error {
	return &UnreachableError{fmt.Sprintf("shard %d said something (%s) that cannot be read", shard, f.Kind), "give the pods the image of this version of perfctl", err}
}

// FailedError is the error of a run that a shard could not begin.
type FailedError struct {
	Shard int
	Failed
}

// Error says which shard and why.
func (e *FailedError) Error() string {
	own := fmt.Sprintf("shard %d: ", e.Shard)
	return "called off before any load was sent: " + own + strings.TrimPrefix(e.Failed.Error, own)
}
