package api

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/data"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// streamRequest is the random stream that chooses a request.
const streamRequest = 0x61706901

type scenario struct {
	env     scenarios.Env
	client  *httpapi.Client
	origins *request.Origins
	// calls are the requests of a file, stages those of the stages where there is
	// no file.
	calls, stages []*call
	// upTo are the sums of the weights of the calls.
	upTo    []int64
	workers []worker
	rows    *data.Rows
	traffic *httpapi.Traffic
	// current is the stage of the latest arrival, for bytes, which no arrival
	// owns.
	current atomic.Int64
}

type worker struct {
	sender  request.Sender
	scope   template.Scope
	row     *data.Cursor
	answers answer.State
}

func newScenario(e scenarios.Env) (*scenario, error) {
	s := &scenario{env: e, workers: make([]worker, e.Plan.Workers), traffic: httpapi.NewTraffic(e.Metrics, e.Tags(""))}
	var err error
	if s.client, s.origins, err = request.Client(&s.env, httpapi.Options{
		Connections: e.Plan.Workers, Timeout: e.Values.Duration(0, keyTimeout),
		HTTP2: e.Values.Text(0, keyHTTPVersion) == "2", Fresh: !e.Values.Bool(0, keyReuse),
	}); err != nil {
		return nil, err
	}
	for i := range s.workers {
		s.workers[i].sender = request.Sender{Exchange: httpapi.NewExchange(s.client, e.Clock), Redirects: request.Redirects(e.Values)}
	}
	if s.rows, err = data.Named(e.Values.Text(0, keyData), e.Values.Text(0, keyDataOrder)); err != nil {
		return nil, err
	}
	fields := &template.Fields{Names: &template.Names{},
		Arrivals: &template.Arrivals{Run: e.RunID, Clock: e.Clock, Stages: e.Plan.Stages, Setting: e.Targets.Setting}}
	s.rows.Into(fields)
	if file := e.Values.Text(0, keyRequests); file != "" {
		if err := s.fromFile(file, fields); err != nil {
			return nil, err
		}
		return s, s.readyRows()
	}
	for i := range e.Plan.Stages {
		c, err := ofStage(e.Values, i, fields)
		if err != nil {
			return nil, err
		}
		s.declare(c, "")
		s.stages = append(s.stages, c)
	}
	return s, s.readyRows()
}

// readyRows sees that there are rows enough, and gives each worker a cursor.
func (s *scenario) readyRows() error {
	for i := range s.workers {
		s.workers[i].row = s.rows.Cursor()
	}
	return s.rows.Enough(s.env.Plan.Arrivals, s.env.Plan.OpenEnded)
}

// Spent says that the rows of data that are to be used once each are used up.
func (s *scenario) Spent(a *work.Arrival) string { return s.rows.Spent(a) }

func (s *scenario) fromFile(file string, fields *template.Fields) error {
	var err error
	if s.calls, err = load(file, fields, s.rows); err != nil {
		return err
	}
	sum := int64(0)
	for _, c := range s.calls {
		sum += c.weight
		s.upTo = append(s.upTo, sum)
		s.declare(c, c.name)
	}
	return nil
}

// ofStage returns the request that the settings of a stage describe.
func ofStage(v *scenarios.Values, stage int, fields *template.Fields) (*call, error) {
	headers, err := parseHeaders(v.Text(0, keyHeaders))
	if err != nil {
		return nil, err
	}
	c := &call{}
	if c.request, err = request.New(fields, v.Text(stage, keyMethod), v.Text(stage, keyPath), headers, v.Text(stage, keyBody)); err != nil {
		return nil, err
	}
	if err := c.request.SampleJSON(&template.Scope{Arrival: &work.Arrival{}}); err != nil {
		return nil, fmt.Errorf("api.%s: %w", keyBody, err)
	}
	if c.statuses, err = answer.ParseStatuses(v.Text(stage, keyStatus)); err != nil {
		return nil, err
	}
	c.checks, err = parseChecks(v.Text(stage, keyChecks), fields)
	c.complete()
	return c, err
}

// declare declares the metrics of a request.
func (s *scenario) declare(c *call, operation string) {
	c.phases = httpapi.NewPhases(s.env.Metrics, s.env.Tags(operation))
	if len(c.checks) > 0 {
		c.held = s.env.Metrics.Rate(answer.Checks, s.env.Tags(operation))
	}
}

// Setup reaches the API.
func (s *scenario) Setup(ctx context.Context) error {
	addr := s.env.Targets.API
	for _, list := range [][]*call{s.calls, s.stages} {
		for _, c := range list {
			if err := c.request.Bind(ctx, s.origins); err != nil {
				return fmt.Errorf("make the request: %w", err)
			}
		}
	}
	if err := request.Check(ctx, &s.env, s.origins); err != nil {
		return err
	}
	if err := s.client.Reach(ctx, addr); err != nil {
		return err
	}
	s.client.Bytes() // what came before the first arrival is not the run's
	return nil
}

// pick returns the request of an arrival.
func (s *scenario) pick(a *work.Arrival) *call {
	if s.calls == nil {
		return s.stages[a.Stage]
	}
	if len(s.calls) == 1 {
		return s.calls[0]
	}
	at := int64(a.Uniform(streamRequest) * float64(s.upTo[len(s.upTo)-1]))
	for i, sum := range s.upTo {
		if at < sum {
			return s.calls[i]
		}
	}
	return s.calls[len(s.calls)-1]
}

// Do sends the arrival's request, reads the answer to its end and looks at it.
func (s *scenario) Do(ctx context.Context, a *work.Arrival) error {
	if s.current.Load() != int64(a.Stage) {
		s.current.Store(int64(a.Stage))
	}
	c, w := s.pick(a), &s.workers[a.Worker]
	var err error
	if w.scope.Row, err = s.rows.Of(w.row, a); err != nil {
		return err
	}
	if err := s.send(ctx, c, w, a); err != nil {
		return s.rows.Hide(c.named(err), w.scope.Row)
	}
	return nil
}

func (s *scenario) send(ctx context.Context, c *call, w *worker, a *work.Arrival) error {
	w.scope.Arrival = a
	w.sender.Phases, w.sender.Stage = c.phases, a.Stage
	w.sender.Note = a.Begin(string(targets.API), c.label(), a.Started)
	got, err := c.request.Send(ctx, &w.sender, &w.scope, c.keep)
	a.End(s.env.Clock, err)
	if err != nil {
		c.phases.Resent(a.Stage, w.sender.Exchange)
		return err
	}
	c.phases.Count(a.Stage, w.sender.Exchange)
	if c.statuses != nil && !answer.Holds(c.statuses, got.Status) {
		return request.StatusFailure(&got)
	}
	for _, x := range c.checks {
		err := x.Test(&got, &w.scope, &w.answers)
		c.held.Add(a.Stage, err == nil)
		if err != nil {
			return err
		}
	}
	c.phases.Record(a.Stage, w.sender.Exchange)
	return nil
}

// named says of which request an error is, where there are several.
func (c *call) named(err error) error {
	if c.name == "" {
		return err
	}
	return &work.Failure{Kind: work.KindOf(err), Err: fmt.Errorf("%s: %w", c.name, err)}
}

// label is what a request is noted as.
func (c *call) label() string {
	if c.name == "" {
		return "request"
	}
	return c.name
}

// Sample counts bytes and connections.
func (s *scenario) Sample(context.Context) { s.traffic.Sample(int(s.current.Load()), s.client) }

// Drain counts the last bytes.
func (s *scenario) Drain(ctx context.Context) error {
	s.Sample(ctx)
	return nil
}

// Close closes the connections.
func (s *scenario) Close(context.Context) error {
	s.client.CloseIdleConnections()
	return nil
}
