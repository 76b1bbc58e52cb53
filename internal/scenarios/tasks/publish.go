package tasks

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// The failures of an arrival, made once.
var (
	errDown     = work.Fail(work.KindClosed, rabbitmq.ErrNoConnection)
	errUnsent   = work.Fail(work.KindClosed, errors.New("the channel was closed before the task was sent"))
	errStalled  = work.Fail(work.KindTimeout, errors.New("the broker stopped reading: the task could not be written"))
	errCut      = work.Fail(rabbitmq.KindUnknown, errors.New("the connection was lost while the task was written"))
	errLost     = work.Fail(rabbitmq.KindUnknown, errors.New("the connection was lost before the confirm"))
	errLate     = work.Fail(work.KindTimeout, errors.New("no confirm in time"))
	errNacked   = work.Fail(rabbitmq.KindNacked, errors.New("the broker refused the task"))
	errReturned = work.Fail(rabbitmq.KindReturned, errors.New("the broker returned the task: no queue took it"))
)

// worker is what a worker keeps between arrivals. Workers are spread over
// connections first and channels second.
type worker struct {
	link  *rabbitmq.Link[publisher]
	lane  int
	timer *time.Timer
	_     [40]byte // a cache line of its own
}

// publisher is what stands on one connection that publishes.
type publisher struct{ lanes []lane }

// lane is a channel in confirm mode and the buffer that bodies are made in.
// The driver has written a body when the call returns, and channels are not
// for concurrent use: one buffer for each channel is enough.
type lane struct {
	mu     sync.Mutex
	ch     *amqp.Channel
	number uint32 // from 1, over all connections
	body   []byte
	values bodyValues // with external agents
}

func (s *scenario) openPublishers(ctx context.Context) error {
	for range s.cfg.connections {
		l, err := rabbitmq.OpenLink(ctx, rabbitmq.LinkConfig[publisher]{
			Address: s.address, Options: s.named("publisher"), Limiter: s.limiter, Log: s.log,
			Prepare: s.preparePublisher, Reconnected: s.restored,
		})
		if err != nil {
			return err
		}
		s.publishers = append(s.publishers, l)
	}
	for i := range s.workers {
		timer := time.NewTimer(time.Hour)
		timer.Stop()
		s.workers[i] = worker{
			link:  s.publishers[i%len(s.publishers)],
			lane:  i / len(s.publishers) % s.cfg.channels,
			timer: timer,
		}
	}
	return nil
}

// declare declares the queue; where it stands already, nothing happens.
func (s *scenario) declare(ch *amqp.Channel) error {
	o := s.outside
	if o != nil && o.replyQueue != "" {
		return nil // the user's
	}
	if _, err := ch.QueueDeclare(s.queue, true, false, false, false, s.cfg.queueArgs); err != nil || o == nil || o.replyExchange == "" {
		return err
	}
	return ch.QueueBind(s.queue, o.replyKey, o.replyExchange, false, nil)
}

func (s *scenario) preparePublisher(_ context.Context, c *amqp.Connection, lost func()) (*publisher, error) {
	p := &publisher{lanes: make([]lane, s.cfg.channels)}
	for i := range p.lanes {
		ch, err := c.Channel()
		if err != nil {
			return nil, err
		}
		if i == 0 {
			if err := s.declare(ch); err != nil {
				return nil, err
			}
		}
		if err := ch.Confirm(false); err != nil {
			return nil, err
		}
		p.lanes[i].ch, p.lanes[i].body = ch, make([]byte, s.cfg.maxBody)
		p.lanes[i].number = s.channels.Add(1)
		first, then := ch.NotifyReturn(make(chan amqp.Return)), ch.NotifyReturn(make(chan amqp.Return))
		s.background.Go(func() { s.returns(first, then, lost) })
	}
	return p, nil
}

// returns marks returned tasks until their channel closes. The driver hands a
// return to both listeners, one after the other, before it reads the ack that
// follows on the same channel. The second listener is received from only when
// the return is in the ledger: so whoever sees the ack sees the return too.
func (s *scenario) returns(first, then <-chan amqp.Return, lost func()) {
	defer lost()
	for r := range first {
		if n, ours := s.taskOf(&r); ours {
			if w := s.ledger.word(n); w != nil {
				w.Or(returned)
			}
		}
		if _, open := <-then; !open {
			return
		}
	}
}

// taskOf returns the number of the task that was returned.
func (s *scenario) taskOf(r *amqp.Return) (n int64, ours bool) {
	if s.outside != nil {
		return parseID(r.MessageId, s.run)
	}
	t, err := decode(r.Body)
	return t.n, err == nil && t.run == s.run && !t.warm
}

// Do publishes one task and waits for its confirm.
func (s *scenario) Do(ctx context.Context, a *work.Arrival) error {
	if int64(a.Stage) != s.stage.Load() {
		s.stage.Store(int64(a.Stage))
	}
	w := &s.workers[a.Worker]
	p := w.link.Session()
	if p == nil {
		return errDown
	}
	l := &p.lanes[w.lane]
	word := s.ledger.attempt(a.N)
	note := a.Begin(string(targets.RabbitMQ), "publish", a.Started)
	note.Asks("publish", s.queue)
	dc, err := s.publish(l, a)
	if err != nil {
		a.End(s.clock, err)
		return s.unwritten(word, a.Stage, err)
	}
	if note != nil {
		note.Wrote(s.clock.Now())
		defer a.End(s.clock, nil)
	}
	s.m.published.Add(a.Stage, 1)
	w.timer.Reset(s.cfg.timeout)
	select {
	case <-dc.Done():
		w.timer.Stop()
	case <-w.timer.C:
		s.unknown(word, a.Stage)
		return errLate
	case <-ctx.Done():
		w.timer.Stop()
		s.unknown(word, a.Stage)
		return ctx.Err()
	}
	return s.settle(dc, l, word, a)
}

// publish writes the task to the lane.
func (s *scenario) publish(l *lane, a *work.Arrival) (*amqp.DeferredConfirmation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if note := a.Last(); note != nil {
		note.On(s.clock.Now(), l.number, 0)
	}
	if s.outside != nil {
		return s.publishOutside(l, a)
	}
	body := l.body[:s.cfg.bodySize[min(a.Stage, len(s.cfg.bodySize)-1)]]
	t := task{run: s.run, n: a.N, k: a.K, stage: a.Stage, due: s.since1970 + a.Due, sent: s.since1970 + s.clock.Now()}
	t.encode(body)
	return l.ch.PublishWithDeferredConfirm("", s.queue, true, false,
		amqp.Publishing{DeliveryMode: s.cfg.mode, Priority: s.cfg.priorityOf(a), Body: body})
}

// unwritten judges a publish that the driver could not carry out.
func (s *scenario) unwritten(word *atomic.Uint32, stage int, err error) error {
	if errors.Is(err, amqp.ErrClosed) {
		return errUnsent // refused before the last frame, so the broker has no task
	}
	s.unknown(word, stage)
	if work.KindOf(err) == work.KindTimeout {
		return errStalled
	}
	return errCut
}

// settle judges a confirm. The driver answers for a lost connection as it does
// for a refusal; the channel, which is closed first, tells them apart.
func (s *scenario) settle(dc *amqp.DeferredConfirmation, l *lane, word *atomic.Uint32, a *work.Arrival) error {
	switch {
	case dc.Acked():
		if !s.ledger.confirm(word) {
			s.m.returned.Add(a.Stage, 1)
			return errReturned
		}
		s.m.publish.Record(a.Stage, s.clock.Now()-a.Due)
		s.m.confirmed.Add(a.Stage, 1)
		return nil
	case l.ch.IsClosed():
		s.unknown(word, a.Stage)
		return errLost
	}
	word.Or(nacked)
	s.m.nacked.Add(a.Stage, 1)
	return errNacked
}

func (s *scenario) unknown(word *atomic.Uint32, stage int) {
	word.Or(unknown)
	s.m.unknown.Add(stage, 1)
}

// warmUp sends a marked message through every channel, and as many as there
// are agents at least, and waits until all of them arrived.
func (s *scenario) warmUp(ctx context.Context) error {
	if s.outside != nil {
		return s.warmOutside(ctx)
	}
	var confirms []*amqp.DeferredConfirmation
	lanes := len(s.publishers) * s.cfg.channels
	count := (max(lanes, s.cfg.agents) + lanes - 1) / lanes * lanes
	for i := range count {
		p := s.publishers[i%len(s.publishers)].Session()
		if p == nil {
			return rabbitmq.ErrNoConnection
		}
		l := &p.lanes[i/len(s.publishers)%s.cfg.channels]
		body := l.body[:s.cfg.bodySize[0]]
		t := task{run: s.run, n: int64(i), warm: true, sent: s.since1970 + s.clock.Now()}
		t.encode(body)
		dc, err := l.ch.PublishWithDeferredConfirm("", s.queue, true, false, amqp.Publishing{DeliveryMode: s.cfg.mode, Body: body})
		if err != nil {
			return err
		}
		confirms = append(confirms, dc)
	}
	for _, dc := range confirms {
		acked, err := dc.WaitContext(ctx)
		if err != nil {
			return err
		}
		if !acked {
			return fmt.Errorf("the broker did not confirm a warm-up message")
		}
	}
	if s.ledger.shared {
		return nil // agents of other shards take some of them
	}
	return s.awaitWarmed(ctx, int64(count))
}

// awaitWarmed waits until that many warm-up messages were received.
func (s *scenario) awaitWarmed(ctx context.Context, count int64) error {
	for s.warmed.Load() < count {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d warm-up messages arrived: %w", s.warmed.Load(), count, ctx.Err())
		case <-time.After(pollEvery):
		}
	}
	return nil
}
