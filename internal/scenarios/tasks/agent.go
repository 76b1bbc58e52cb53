package tasks

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// agent is one consumer on one channel that works on one task at a time. What
// is here outlives its connections and is read by the sampler.
type agent struct {
	// since is when the task at work began, plus one, 0 for none; worked is the
	// time spent on all tasks that are finished.
	since, worked atomic.Int64
	// held is how many tasks it received and did not finish yet.
	held atomic.Int64
	up   atomic.Bool
	_    [32]byte // a cache line of its own
}

// crew stands for the agents of one connection.
type crew struct{}

// delivered is a task in an agent's hands.
type delivered struct {
	amqp.Delivery
	task
	at time.Duration
	ok bool
}

func (s *scenario) openCrews(ctx context.Context) error {
	count := min(s.cfg.connections, s.cfg.agents)
	for i := range count {
		// The agents of a lost connection are gone before new ones start.
		running := new(sync.WaitGroup)
		l, err := rabbitmq.OpenLink(ctx, rabbitmq.LinkConfig[crew]{
			Address: s.address, Options: s.named("agents"), Limiter: s.limiter, Log: s.log,
			Prepare: func(_ context.Context, c *amqp.Connection, lost func()) (*crew, error) {
				running.Wait()
				return &crew{}, s.prepareCrew(c, i, count, running, lost)
			},
			Reconnected: s.restored,
		})
		if err != nil {
			return err
		}
		s.crews = append(s.crews, l)
	}
	return nil
}

// prepareCrew starts the agents i, i+step, i+2·step … on a connection.
func (s *scenario) prepareCrew(c *amqp.Connection, i, step int, running *sync.WaitGroup, lost func()) error {
	for j := i; j < len(s.agents); j += step {
		ch, err := c.Channel()
		if err != nil {
			return err
		}
		if j == i {
			if err := s.declare(ch); err != nil {
				return err
			}
		}
		if err := ch.Qos(s.cfg.prefetch, 0, false); err != nil {
			return err
		}
		tasks, err := ch.Consume(s.queue, "", false, false, false, false, nil)
		if err != nil {
			return err
		}
		running.Add(1)
		s.background.Go(func() {
			defer running.Done()
			defer lost()
			if s.outside != nil {
				s.listen(&s.agents[j], tasks)
				return
			}
			s.attend(&s.agents[j], tasks)
		})
	}
	return nil
}

// awaitBackground waits until no goroutine of the scenario is left, which is
// soon after the end of the connections.
func (s *scenario) awaitBackground(ctx context.Context) error {
	gone := make(chan struct{})
	go func() {
		s.background.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attend is an agent's life on one connection. It receives at once, to know
// when a task arrived, and works on one after the other. Work is a wait. When
// the connection is lost it drops everything, because the broker will deliver
// it again.
func (s *scenario) attend(a *agent, tasks <-chan amqp.Delivery) {
	a.up.Store(true)
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	queue := newRing(s.cfg.prefetch)
	defer func() {
		timer.Stop()
		a.finish(s.clock.Now())
		a.held.Store(0)
		a.up.Store(false)
	}()
	for {
		select {
		case d, open := <-tasks:
			if !open {
				return
			}
			queue.push(s.receive(a, d))
			if queue.len() == 1 {
				s.begin(a, queue, timer)
			}
		case <-timer.C:
			s.finish(a, queue.pop())
			s.begin(a, queue, timer)
		}
	}
}

// receive takes note of a delivery.
func (s *scenario) receive(a *agent, d amqp.Delivery) delivered {
	x := delivered{Delivery: d, at: s.clock.Now()}
	a.held.Add(1)
	t, err := decode(d.Body)
	if x.ok = err == nil && t.run == s.run; !x.ok {
		return x
	}
	t.due, t.sent = t.due-s.since1970, t.sent-s.since1970
	x.task = t
	switch {
	case t.warm:
	case d.Redelivered:
		s.m.redelivered.Add(t.stage, 1)
	default:
		if x.at < t.sent { // by the clock of another machine
			raise(&s.ahead, int64(t.sent-x.at))
		}
		s.m.consume.Record(t.stage, max(x.at-t.sent, 0))
	}
	return x
}

// begin starts the work on the next task; tasks that ask for no work are
// finished on the spot.
func (s *scenario) begin(a *agent, queue *ring, timer *time.Timer) {
	for queue.len() > 0 {
		x := queue.head()
		if x.ok && !x.warm {
			now := s.clock.Now()
			if !x.Redelivered {
				s.m.wait.Record(x.stage, now-x.at)
			}
			if d := s.cfg.workOf(s.seed, x.k, x.stage); d > 0 {
				a.since.Store(int64(now) + 1)
				timer.Reset(d)
				return
			}
		}
		s.finish(a, queue.pop())
	}
}

// finish acknowledges a task that was worked on and accounts for it. Where the
// acknowledgement cannot be written, the broker will deliver the task again:
// it does not count as processed.
func (s *scenario) finish(a *agent, x delivered) {
	a.finish(s.clock.Now())
	defer a.held.Add(-1)
	if x.Ack(false) != nil {
		return
	}
	now := s.clock.Now()
	switch {
	case !x.ok:
		s.ledger.moves.Add(1)
		s.ledger.unexpected.Add(1)
		s.m.unexpected.Add(int(s.stage.Load()), 1)
		return
	case x.warm:
		s.warmed.Add(1)
		return
	}
	first, expected := s.ledger.processed(x.n, x.Redelivered)
	switch {
	case !expected:
		s.m.unexpected.Add(x.stage, 1)
	case first:
		s.m.processed.Add(x.stage, 1)
		s.m.ack.Record(x.stage, now-x.at)
		s.m.task.Record(x.stage, max(now-x.due, 0))
	default:
		s.m.duplicated.Add(x.stage, 1)
	}
}

// raise stores v where it is higher.
func raise(to *atomic.Int64, v int64) {
	for o := to.Load(); v > o && !to.CompareAndSwap(o, v); o = to.Load() {
	}
}

// finish ends the work at hand, if any.
func (a *agent) finish(now time.Duration) {
	if began := a.since.Load(); began != 0 {
		a.since.Store(0)
		a.worked.Add(int64(now) - (began - 1))
	}
}

// ring is a queue of deliveries that does not grow: the prefetch bounds it.
type ring struct {
	items       []delivered
	first, used int
}

func newRing(n int) *ring { return &ring{items: make([]delivered, n)} }

func (r *ring) len() int         { return r.used }
func (r *ring) head() *delivered { return &r.items[r.first] }

// push adds at the end. A broker that hands out more than the prefetch makes
// the ring grow.
func (r *ring) push(d delivered) {
	if r.used == len(r.items) {
		more := make([]delivered, 2*len(r.items))
		n := copy(more, r.items[r.first:])
		copy(more[n:], r.items[:r.first])
		r.items, r.first = more, 0
	}
	r.items[(r.first+r.used)%len(r.items)] = d
	r.used++
}

func (r *ring) pop() delivered {
	d := r.items[r.first]
	r.items[r.first] = delivered{}
	r.first = (r.first + 1) % len(r.items)
	r.used--
	return d
}
