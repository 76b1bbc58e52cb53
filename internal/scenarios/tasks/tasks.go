package tasks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// queuePrefix begins the name of every queue of the scenario.
const queuePrefix = rabbitmq.QueuePrefix + "tasks."

// scenario is the tasks of one run.
type scenario struct {
	cfg     config
	address targets.Address
	options rabbitmq.Options
	// queue is the run's queue, of tasks or of replies, which with external
	// agents may be the user's; prefix begins the names that Reset removes:
	// those of every scenario, for all are recorded in one place.
	queue, prefix string
	run           uint64
	seed          uint64
	plan          scenarios.Plan
	// since1970 is the clock's origin, which the times in a task count from: an agent of
	// another shard has another clock.
	since1970 time.Duration
	// ahead is by how much at most a task seemed to come before it was sent.
	ahead   atomic.Int64
	clock   work.Clock
	log     *slog.Logger
	ledger  *ledger
	m       handles
	limiter *rate.Limiter

	// control declares, reads and deletes; recorded says that the queue may
	// exist. Both belong to Setup and Close.
	control  *rabbitmq.Control
	recorded bool

	publishers []*rabbitmq.Publisher
	buffers    []buffer // of every channel
	crews      []*rabbitmq.Link[crew]
	workers    []worker
	agents     []agent
	// background are the goroutines that live as long as their connections.
	background sync.WaitGroup
	// warmed counts warm-up messages that an agent received.
	warmed atomic.Int64
	// stage is the stage of the newest arrival, which reconnects count for.
	stage atomic.Int64
	// sampled is the time of the last reading, busied the agents' work up to it.
	sampled, busied time.Duration
	// outside is nil for built-in agents.
	outside *outside
	// asks says where tasks are published, as failures tell it.
	asks string
}

// handles are the scenario's metrics.
type handles struct {
	publish, consume, ack, task, wait, reconnectTime, blocked *metrics.Trend

	published, confirmed, nacked, returned, unknown           *metrics.Counter
	processed, duplicated, redelivered, unexpected, reconnect *metrics.Counter
	late                                                      *metrics.Counter

	queueLength, availability, busy, prefetch *metrics.Gauge
}

func newScenario(env scenarios.Env) (*scenario, error) {
	cfg, err := readConfig(env.Values, len(env.Plan.Stages))
	if err != nil {
		return nil, err
	}
	cfg.divide(&env.Plan)
	queue := queueName(&env, cfg.external != nil)
	s := &scenario{
		cfg:     cfg,
		address: env.Targets.RabbitMQ,
		options: rabbitmq.Options{
			Name:       "perfctl/" + env.RunID,
			WriteStall: min(cfg.timeout, rabbitmq.DefaultWriteStall),
		},
		queue: queue, prefix: rabbitmq.QueuePrefix, run: runHash(queue), seed: env.Seed, clock: env.Clock, log: env.Log,
		plan: env.Plan, since1970: time.Duration(env.Clock.Time(0).UnixNano()),
		ledger:  newLedger(env.Plan.Arrivals),
		limiter: rabbitmq.NewLimiter(),
		workers: make([]worker, max(env.Plan.Workers, 1)),
		agents:  make([]agent, cfg.agents),
	}
	s.ledger.shared = s.sharesQueue()
	if cfg.external != nil {
		if env.Plan.Sharded() && cfg.external.replyQueue != "" {
			return nil, fmt.Errorf("tasks.%s: replies in %s may reach another shard than the one whose tasks they answer; leave it out, and each shard has a queue of its own that its tasks name in reply_to", keyReplyQueue, cfg.external.replyQueue)
		}
		if cfg.external.replyQueue != "" {
			s.queue = cfg.external.replyQueue
		}
		if s.outside, err = newOutside(&s.cfg, &env, s.queue); err != nil {
			return nil, err
		}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.asks = s.publishesTo()
	s.declareMetrics(env)
	return s, nil
}

func (s *scenario) declareMetrics(env scenarios.Env) {
	trend := func(d metrics.Desc, operation string) *metrics.Trend {
		return env.Metrics.Trend(d, env.Tags(operation))
	}
	count := func(d metrics.Desc, operation string) *metrics.Counter {
		return env.Metrics.Counter(d, env.Tags(operation))
	}
	gauge := func(d metrics.Desc) *metrics.Gauge { return env.Metrics.Gauge(d, env.Tags("")) }
	s.m = handles{
		publish: trend(publishLatency, "publish"), consume: trend(consumeLatency, "consume"),
		ack: trend(ackLatency, "ack"), task: trend(taskLatency, "process"),
		wait: trend(waitTime, "process"), reconnectTime: trend(reconnectTime, "reconnect"),
		blocked:   trend(rabbitmq.BlockedTime, "publish"),
		published: count(published, "publish"), confirmed: count(confirmedCount, "publish"),
		nacked: count(nackedCount, "publish"), returned: count(returnedCount, "publish"),
		unknown: count(unknownCount, "publish"), processed: count(processedCount, "process"),
		duplicated: count(duplicatedCount, "process"), redelivered: count(redeliveredCount, "consume"),
		unexpected: count(unexpectedCount, "consume"), reconnect: count(rabbitmq.Reconnects, "reconnect"),
		late:        count(lateCount, "process"),
		queueLength: gauge(queueLength), availability: gauge(availability),
		busy: gauge(busyAgents), prefetch: gauge(prefetchGauge),
	}
	s.m.prefetch.Set(float64(s.cfg.prefetch))
}

// Setup declares the queue, opens every connection and channel, starts the
// agents and sends warm-up messages through all of them.
func (s *scenario) Setup(ctx context.Context) error {
	var err error
	if s.control, err = rabbitmq.OpenControl(ctx, s.address, s.named("control"), s.log); err != nil {
		return err
	}
	if s.outside != nil {
		if err := s.prepareOutside(ctx); err != nil {
			return err
		}
	}
	if s.recorded = s.outside == nil || s.outside.replyQueue == ""; s.recorded {
		if err := s.control.Record(ctx, s.queue); err != nil {
			return rabbitmq.Explain(s.address, "record the queue "+s.queue, err)
		}
		if err := s.control.Do(ctx, s.declare); err != nil {
			return rabbitmq.Explain(s.address, "declare the queue "+s.queue, err)
		}
	}
	return s.open(ctx)
}

// Shares says that the queue is the whole run's.
func (s *scenario) Shares() string {
	if s.sharesQueue() {
		return "its queue"
	}
	return ""
}

// sharesQueue says whether tasks of one shard may reach the agents of another.
func (s *scenario) sharesQueue() bool { return s.plan.Sharded() && s.cfg.external == nil }

// HandOver has nothing to tell: the run's identity names the queue.
func (s *scenario) HandOver() ([]byte, error) { return nil, nil }

// Join opens every connection to the queue that the first shard made.
func (s *scenario) Join(ctx context.Context, _ []byte) (err error) {
	if s.control, err = rabbitmq.OpenControl(ctx, s.address, s.named("control"), s.log); err != nil {
		return err
	}
	return s.open(ctx)
}

// open opens every connection and channel, starts the agents and sends warm-up
// messages.
func (s *scenario) open(ctx context.Context) error {
	if err := s.openCrews(ctx); err != nil {
		return err
	}
	if err := s.openPublishers(ctx); err != nil {
		return err
	}
	if err := s.warmUp(ctx); err != nil {
		return rabbitmq.Explain(s.address, "send warm-up messages through "+s.queue, err)
	}
	s.sampled, s.busied = s.clock.Now(), s.worked(s.clock.Now())
	return nil
}

// named returns the options of a connection with its part in the scenario.
func (s *scenario) named(part string) rabbitmq.Options {
	o := s.options
	o.Name += " " + part
	return o
}

// restored counts a reconnect.
func (s *scenario) restored(took time.Duration) {
	stage := int(s.stage.Load())
	s.m.reconnect.Add(stage, 1)
	s.m.reconnectTime.Record(stage, took)
}

// blocked notes how long the broker held a connection's publishers back.
func (s *scenario) blocked(took time.Duration) { s.m.blocked.Record(int(s.stage.Load()), took) }

// Close ends every connection and deletes the queue. Publishers and agents go
// first, because they would declare the queue again.
func (s *scenario) Close(ctx context.Context) error {
	errs := append(s.closeLinks(ctx), s.awaitBackground(ctx))
	if s.control != nil {
		if s.recorded {
			errs = append(errs, s.removeQueue(ctx))
		}
		errs = append(errs, s.control.Close(ctx))
	}
	return errors.Join(errs...)
}

// closeLinks ends all connections at the same time.
func (s *scenario) closeLinks(ctx context.Context) []error {
	errs := make([]error, len(s.publishers)+len(s.crews))
	var all sync.WaitGroup
	for i, l := range s.publishers {
		all.Go(func() { errs[i] = l.Close(ctx) })
	}
	for i, l := range s.crews {
		all.Go(func() { errs[len(s.publishers)+i] = l.Close(ctx) })
	}
	all.Wait()
	return errs
}

// removeQueue deletes the queue and its record. Where the connection is being
// restored, it waits for it within ctx, less what closing the connection takes.
func (s *scenario) removeQueue(ctx context.Context) error {
	if until, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, until.Add(-min(time.Until(until)/2, 3*time.Second)))
		defer cancel()
	}
	for {
		err := s.control.Delete(ctx, s.queue)
		if err == nil {
			err = s.control.Forget(ctx, s.queue)
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("queue %s is left in %s, perfctl reset removes it: %w", s.queue, s.address, err)
		case <-time.After(pollEvery):
		}
	}
}

// Reset deletes the queues that killed runs left behind.
func (s *scenario) Reset(ctx context.Context) ([]string, error) {
	c, err := rabbitmq.OpenControl(ctx, s.address, s.named("control"), s.log)
	if err != nil {
		return nil, err
	}
	removed, err := c.Reset(ctx, s.prefix)
	return removed, errors.Join(err, c.Close(ctx))
}
