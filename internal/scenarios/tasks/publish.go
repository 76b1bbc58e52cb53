package tasks

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// worker is what a worker keeps between arrivals. Workers are spread over
// connections first and channels second.
type worker struct {
	publisher *rabbitmq.Publisher
	lane      int
	buffer    *buffer
	timer     *time.Timer
	_         [32]byte // a cache line of its own
}

// buffer is where bodies are made. The driver has written a body when the call returns,
// and channels are not for concurrent use: one buffer for each channel is enough.
type buffer struct {
	mu     sync.Mutex
	body   []byte
	values bodyValues // with external agents
}

func (s *scenario) openPublishers(ctx context.Context) error {
	for i := range s.cfg.connections {
		p, err := rabbitmq.OpenPublisher(ctx, rabbitmq.PublisherConfig{
			Address: s.address, Options: s.named("publisher"), Channels: s.cfg.channels, Limiter: s.limiter, Log: s.log,
			Declare: s.declare, Returned: s.returned, Reconnected: s.restored, Blocked: s.blocked, Numbered: uint32(i * s.cfg.channels),
		})
		if err != nil {
			return err
		}
		s.publishers = append(s.publishers, p)
	}
	s.buffers = make([]buffer, len(s.publishers)*s.cfg.channels)
	for i := range s.buffers {
		s.buffers[i].body = make([]byte, s.cfg.maxBody)
	}
	for i := range s.workers {
		timer := time.NewTimer(time.Hour)
		timer.Stop()
		s.workers[i] = s.workerOf(i)
		s.workers[i].timer = timer
	}
	return nil
}

// workerOf says which channel and buffer worker i uses.
func (s *scenario) workerOf(i int) worker {
	lane := i / len(s.publishers) % s.cfg.channels
	return worker{publisher: s.publishers[i%len(s.publishers)], lane: lane, buffer: &s.buffers[i%len(s.publishers)*s.cfg.channels+lane]}
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

// returned marks a task that the broker returned.
func (s *scenario) returned(r *amqp.Return) {
	if n, ours := s.taskOf(r); ours {
		if w := s.ledger.word(n); w != nil {
			w.Or(returned)
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
	l := w.publisher.Lane(w.lane)
	if l == nil {
		return w.publisher.Down()
	}
	word := s.ledger.attempt(a.N)
	note := a.Begin(string(targets.RabbitMQ), "publish", a.Started)
	note.Asks("publish", s.queue)
	confirm, err := s.publish(l, w.buffer, a)
	if err != nil {
		a.End(s.clock, err)
		if rabbitmq.MayHave(err) {
			s.unknown(word, a.Stage)
		}
		return work.Asked(s.asks, err)
	}
	if note != nil {
		defer a.End(s.clock, nil)
	}
	s.m.published.Add(a.Stage, 1)
	return work.Asked(s.asks, s.settle(l.Await(ctx, confirm, "", w.timer, s.cfg.timeout), word, a))
}

// publishesTo says where tasks go, as failures tell it.
func (s *scenario) publishesTo() string {
	switch o := s.outside; {
	case o == nil:
		return "publish to the queue " + s.queue
	case o.exchange == "":
		return "publish to the queue " + o.key
	default:
		return "publish to the exchange " + o.exchange + " by " + o.key
	}
}

// publish writes the task to a channel.
func (s *scenario) publish(l *rabbitmq.Lane, b *buffer, a *work.Arrival) (*amqp.DeferredConfirmation, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.outside != nil {
		return s.publishOutside(l, b, a)
	}
	body := b.body[:s.cfg.bodySize[min(a.Stage, len(s.cfg.bodySize)-1)]]
	t := task{run: s.run, n: a.N, k: a.K, stage: a.Stage, due: s.since1970 + a.Due, sent: s.since1970 + s.clock.Now()}
	t.encode(body)
	m := amqp.Publishing{DeliveryMode: s.cfg.mode, Priority: s.cfg.priorityOf(a), Body: body}
	return l.Write("", s.queue, true, &m, a.Last(), s.clock)
}

// settle accounts for what became of a task that was written.
func (s *scenario) settle(err error, word *atomic.Uint32, a *work.Arrival) error {
	switch {
	case err == nil && !s.ledger.confirm(word):
		s.m.returned.Add(a.Stage, 1)
		return rabbitmq.ErrReturned
	case err == nil:
		s.m.publish.Record(a.Stage, s.clock.Now()-a.Due)
		s.m.confirmed.Add(a.Stage, 1)
	case rabbitmq.MayHave(err):
		s.unknown(word, a.Stage)
	default:
		word.Or(nacked)
		s.m.nacked.Add(a.Stage, 1)
	}
	return err
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
		w := s.workerOf(i)
		l := w.publisher.Lane(w.lane)
		if l == nil {
			return rabbitmq.ErrNoConnection
		}
		body := w.buffer.body[:s.cfg.bodySize[0]]
		t := task{run: s.run, n: int64(i), warm: true, sent: s.since1970 + s.clock.Now()}
		t.encode(body)
		dc, err := l.Write("", s.queue, true, &amqp.Publishing{DeliveryMode: s.cfg.mode, Body: body}, nil, s.clock)
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
