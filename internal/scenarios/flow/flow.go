package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/expr-lang/expr/vm"
	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"
	"golang.org/x/time/rate"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/data"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
	"github.com/perfctl/perfctl/internal/targets/postgres"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// scenario is a file's steps in one run.
type scenario struct {
	env     scenarios.Env
	program *program
	inboxes []*inboxSpec
	workers []worker
	log     *slog.Logger
	// stage is the stage of the newest arrival, which what no arrival owns counts
	// for.
	stage atomic.Int64
	m     handles
	// lasting are the variables that the set-up captured.
	lasting []template.Value
	// prepared says that the set-up's steps were executed, so that those of the
	// teardown are due.
	prepared bool

	client     *httpapi.Client
	origins    *request.Origins
	cookies    *request.Cookies // those of the set-up; nil where none are kept
	traffic    *httpapi.Traffic
	conn       *pgx.Conn // for the set-up and the teardown
	pool       *postgres.Pool
	gauges     postgres.Gauges
	statements []*postgres.Statement
	redis      *redis.Client
	control    *rabbitmq.Control
	limiter    *rate.Limiter
	publisher  *rabbitmq.Publisher
	consumers  []*rabbitmq.Consumer
	recorded   []string
}

type handles struct {
	held                                   *metrics.Gauge
	unclaimed, amqpReconnect, dbReconnects *metrics.Counter
	dbReconnectTime, amqpBlock             *metrics.Trend
}

// worker is what a worker keeps between arrivals.
type worker struct {
	s         *scenario
	number    int
	scope     template.Scope
	data      *data.Cursor
	answers   answer.State
	sender    request.Sender
	rows      rows
	timer     *time.Timer
	message   chan *amqp.Delivery
	text      []byte
	params    [][]byte
	tx        postgres.Conn // of the transaction that the worker is in
	inTx      bool
	words     []any
	note      *work.Op // of the step
	env       map[string]any
	vm        vm.VM
	published int64
	// failed is the first failure of a step after which the arrival went on.
	failed error
}

func newScenario(env scenarios.Env) (*scenario, error) {
	f := newParser(&template.Arrivals{Run: env.RunID, Clock: env.Clock, Stages: env.Plan.Stages, Setting: env.Targets.Setting})
	f.queues = queuesOf(&env)
	p, err := load(env.Values.Text(0, keyFile), f)
	if err != nil {
		return nil, err
	}
	if err := divisible(&env.Plan, f.inboxes); err != nil {
		return nil, err
	}
	if err := p.data.Enough(env.Plan.Arrivals, env.Plan.OpenEnded); err != nil {
		return nil, err
	}
	s := &scenario{env: env, program: p, inboxes: f.inboxes, workers: make([]worker, max(env.Plan.Workers, 1)), log: env.Log, limiter: rabbitmq.NewLimiter()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for i := range s.workers {
		s.workers[i].init(s, i)
	}
	if s.needs(targets.API) {
		if s.client, s.origins, err = request.Client(&s.env, httpapi.Options{
			Connections: len(s.workers), Timeout: env.Values.Duration(0, keyTimeout),
			HTTP2: env.Values.Text(0, keyHTTPVersion) == "2", Fresh: !env.Values.Bool(0, keyReuse),
		}); err != nil {
			return nil, err
		}
	}
	s.declareMetrics()
	return s, nil
}

func (w *worker) init(s *scenario, number int) {
	w.s, w.number = s, number
	w.scope.Vars = make([]template.Value, len(s.program.names.All()))
	w.data = s.program.data.Cursor()
	w.message = make(chan *amqp.Delivery, 1)
	w.env = map[string]any{}
	w.timer = time.NewTimer(time.Hour)
	w.timer.Stop()
}

func (s *scenario) declareMetrics() {
	tags := s.env.Tags("")
	for _, st := range s.program.all {
		if st.part != "steps" {
			continue
		}
		st.duration = s.env.Metrics.Trend(stepDuration, st.tags(&s.env))
		if len(st.checks) > 0 {
			st.held = s.env.Metrics.Rate(answer.Checks, st.tags(&s.env))
		}
	}
	if s.needs(targets.API) {
		s.traffic = httpapi.NewTraffic(s.env.Metrics, tags)
	}
	if s.needs(targets.Postgres) {
		s.gauges = postgres.NewGauges(s.env.Metrics, tags)
		s.m.dbReconnects = s.env.Metrics.Counter(postgres.Reconnects, tags)
		s.m.dbReconnectTime = s.env.Metrics.Trend(postgres.ReconnectDuration, tags)
	}
	if s.needs(targets.RabbitMQ) {
		s.m.amqpReconnect = s.env.Metrics.Counter(rabbitmq.Reconnects, tags)
		s.m.amqpBlock = s.env.Metrics.Trend(rabbitmq.BlockedTime, tags)
		s.m.held = s.env.Metrics.Gauge(heldMessages, tags)
		s.m.unclaimed = s.env.Metrics.Counter(unclaimed, tags)
	}
}

func (s *scenario) needs(k targets.Kind) bool {
	for _, x := range s.program.kinds {
		if x == k {
			return true
		}
	}
	return false
}

// Setup reaches the targets, executes the steps of the set-up, tries every
// statement and opens every connection.
func (s *scenario) Setup(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	w := &worker{}
	w.init(s, 0)
	s.equip(w)
	w.scope.Arrival = &work.Arrival{K: -1, N: -1, Seed: s.env.Seed}
	s.prepared = true
	if err := walk(ctx, w, s.program.setup); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	s.lasting, s.cookies = w.scope.Vars[:s.program.lasting], w.sender.Cookies
	return s.open(ctx)
}

// begin reaches the targets and ties the steps to them.
func (s *scenario) begin(ctx context.Context) error {
	if err := s.reach(ctx); err != nil {
		return err
	}
	return s.bind(ctx)
}

// open opens what only arrivals use.
func (s *scenario) open(ctx context.Context) error {
	if s.needs(targets.Postgres) {
		if err := s.openPostgres(ctx); err != nil {
			return err
		}
	}
	if s.client != nil {
		s.client.Bytes() // what came before the first arrival is not the run's
	}
	return nil
}

// reach opens what the set-up's steps need.
func (s *scenario) reach(ctx context.Context) error {
	v, at := s.env.Values, s.env.Targets
	var err error
	if s.needs(targets.API) {
		if err := request.Check(ctx, &s.env, s.origins); err != nil {
			return err
		}
		if err := s.client.Reach(ctx, at.API); err != nil {
			return err
		}
		for i := range s.workers {
			s.equip(&s.workers[i])
		}
	}
	if s.needs(targets.Postgres) {
		if s.conn, err = postgres.Connect(ctx, at.Postgres, postgres.Options{Run: s.env.RunID}); err != nil {
			return err
		}
	}
	if s.needs(targets.Redis) {
		if s.redis, err = redis.Open(ctx, at.Redis, redis.Options{
			Connections: min(s.env.Plan.Part(v.Int(0, keyRedisPool)), len(s.workers)), Timeout: v.Duration(0, keyTimeout), Name: "perfctl-" + s.env.RunID,
		}); err != nil {
			return err
		}
	}
	if s.needs(targets.RabbitMQ) {
		return s.reachRabbitMQ(ctx)
	}
	return nil
}

// equip gives a worker its way to send requests.
func (s *scenario) equip(w *worker) {
	if s.client == nil {
		return
	}
	w.sender.Exchange = httpapi.NewExchange(s.client, s.env.Clock)
	w.sender.Redirects = request.Redirects(s.env.Values)
	if s.env.Values.Text(0, keyCookies) == cookiesArrival {
		w.sender.Cookies = &request.Cookies{}
	}
}

func (s *scenario) reachRabbitMQ(ctx context.Context) error {
	var err error
	if s.control, err = rabbitmq.OpenControl(ctx, s.env.Targets.RabbitMQ, s.amqpOptions("control"), s.log); err != nil {
		return err
	}
	if err := s.openConsumers(ctx); err != nil {
		return err
	}
	for _, st := range s.program.all {
		if _, ok := st.action.(*publishAction); !ok {
			continue
		}
		s.publisher, err = rabbitmq.OpenPublisher(ctx, rabbitmq.PublisherConfig{
			Address: s.env.Targets.RabbitMQ, Options: s.amqpOptions("publisher"), Channels: s.env.Values.Int(0, keyChannels),
			Limiter: s.limiter, Reconnected: s.amqpRestored, Blocked: s.amqpBlocked, Log: s.log,
		})
		return err
	}
	return nil
}

func (s *scenario) amqpOptions(part string) rabbitmq.Options {
	return rabbitmq.Options{Name: "perfctl/" + s.env.RunID + " " + part}
}

func (s *scenario) amqpRestored(time.Duration) { s.m.amqpReconnect.Add(int(s.stage.Load()), 1) }

func (s *scenario) amqpBlocked(took time.Duration) { s.m.amqpBlock.Record(int(s.stage.Load()), took) }

// ownQueue is the name of a queue of the run's own.
func (s *scenario) ownQueue(name string) string { return queueName(queuesOf(&s.env), name) }

// isOwn says whether a queue is one that the run makes.
func (s *scenario) isOwn(queue string) bool {
	for _, sp := range s.inboxes {
		if sp.own != "" && s.ownQueue(sp.own) == queue {
			return true
		}
	}
	return false
}

func (s *scenario) bind(ctx context.Context) error {
	for _, t := range s.program.transactions {
		t.bind(s)
	}
	for _, st := range s.program.all {
		if a, ok := st.action.(*sqlAction); ok {
			a.conn = s.conn
		}
		if err := st.action.bind(ctx, s, st); err != nil {
			return err
		}
	}
	return nil
}

// Spent says that the rows of data that are to be used once each are used up.
func (s *scenario) Spent(a *work.Arrival) string { return s.program.data.Spent(a) }

// Do walks through the steps.
func (s *scenario) Do(ctx context.Context, a *work.Arrival) error {
	if s.stage.Load() != int64(a.Stage) {
		s.stage.Store(int64(a.Stage))
	}
	w := &s.workers[a.Worker]
	if err := w.begin(a); err != nil {
		return err
	}
	err := walk(ctx, w, s.program.steps)
	if err == nil {
		err = w.failed
	}
	return s.program.data.Hide(err, w.scope.Row)
}

// begin readies the worker for an arrival.
func (w *worker) begin(a *work.Arrival) error {
	w.scope.Arrival, w.scope.Turn, w.failed = a, 0, nil
	if w.sender.Cookies != nil {
		w.sender.Cookies.Begin(w.s.cookies)
	}
	row, err := w.s.program.data.Of(w.data, a)
	if err != nil {
		return err
	}
	w.scope.Row = row
	lasting := len(w.s.lasting)
	for i := range w.scope.Vars {
		if i < lasting {
			w.scope.Vars[i].Set(w.s.lasting[i].Sort, w.s.lasting[i].Text)
		} else {
			w.scope.Vars[i].Sort = template.Unset
		}
	}
	for i := range w.s.program.vars {
		x := &w.s.program.vars[i]
		v := &w.scope.Vars[x.slot]
		var err error
		if v.Text, err = x.text.Append(v.Text[:0], &w.scope); err != nil {
			return err
		}
		v.Sort = template.Plain
	}
	return nil
}

func (w *worker) now() time.Duration { return w.s.env.Clock.Now() }

func (w *worker) stageName(i int) string {
	if i < 0 || i >= len(w.s.env.Plan.Stages) {
		return ""
	}
	return w.s.env.Plan.Stages[i]
}

// pause waits, with ctx, as a user does who reads: it counts in no response time.
func (w *worker) pause(ctx context.Context, d time.Duration) error {
	return w.scope.Arrival.Pause(ctx, w.s.env.Clock, w.timer, d)
}

// wait waits, with ctx, for something that the target does: that counts.
func (w *worker) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	w.timer.Reset(d)
	select {
	case <-w.timer.C:
		return nil
	case <-ctx.Done():
		w.timer.Stop()
		return ctx.Err()
	}
}

// Sample takes the readings.
func (s *scenario) Sample(context.Context) {
	if s.client != nil {
		s.traffic.Sample(int(s.stage.Load()), s.client)
	}
	if s.pool != nil {
		s.gauges.Read(s.pool)
	}
	if s.m.held != nil {
		n := 0
		for _, sp := range s.inboxes {
			n += sp.inbox.len()
		}
		s.m.held.Set(float64(n))
	}
}

// Drain takes the last readings.
func (s *scenario) Drain(ctx context.Context) error {
	s.Sample(ctx)
	return nil
}

// Close executes the steps of the teardown, closes every connection and deletes
// the queues of the run's own.
func (s *scenario) Close(ctx context.Context) error {
	var errs []error
	if s.prepared {
		w := &worker{}
		w.init(s, 0)
		s.equip(w)
		if s.cookies != nil {
			w.sender.Cookies.Begin(s.cookies)
		}
		w.scope.Arrival = &work.Arrival{K: -2, N: -2, Seed: s.env.Seed}
		copy(w.scope.Vars, s.lasting)
		if err := walk(ctx, w, s.program.teardown); err != nil {
			errs = append(errs, fmt.Errorf("teardown: %w", err))
		}
	}
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	if s.pool != nil {
		errs = append(errs, s.pool.Close(ctx))
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close(ctx))
	}
	if s.redis != nil {
		errs = append(errs, s.redis.Close())
	}
	return errors.Join(append(errs, s.closeRabbitMQ(ctx)...)...)
}

func (s *scenario) closeRabbitMQ(ctx context.Context) []error {
	var errs []error
	for _, c := range s.consumers {
		errs = append(errs, c.Close(ctx))
	}
	if s.publisher != nil {
		errs = append(errs, s.publisher.Close(ctx))
	}
	if s.control == nil {
		return errs
	}
	for _, queue := range s.recorded {
		if err := errors.Join(s.control.Delete(ctx, queue), s.control.Forget(ctx, queue)); err != nil {
			errs = append(errs, fmt.Errorf("queue %s is left at %s, perfctl reset removes it: %w", queue, s.env.Targets.RabbitMQ, err))
		}
	}
	return append(errs, s.control.Close(ctx))
}
