package run

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/lab"
	"github.com/perfctl/perfctl/internal/meeting"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/process"
	"github.com/perfctl/perfctl/internal/traces"
)

// Environment is what a run is given of the process that it runs in.
type Environment struct {
	// Observer is told how it goes.
	Observer Observer
	// Log receives what the rooms below log.
	Log *slog.Logger
	// LookupEnv reads the environment.
	LookupEnv func(name string) (string, bool)
	// Failures, where it is not nil, receives a line of JSON for each arrival that
	// failed, as many as its bound allows.
	Failures io.Writer
	// Traces, where it is not nil, receives the spans of a share of the arrivals.
	Traces *traces.Exporter
	// Interrupts delivers a value for each signal to end.
	Interrupts <-chan struct{}
	// Meeting is where the shards of a run meet; nil for a run of one process, and for
	// shards that share nothing.
	Meeting meeting.Meeting
}

// Session is where plans are executed, one at a time: it holds what several runs of
// one command share, a lab above all.
type Session struct {
	Environment
	lab *lab.Lab
	// watches are the lab's servers.
	watches []process.Watch
	// overrides are the lab's settings, nil without a lab.
	overrides map[string]string
}

// Open makes a session for a plan and those made of it, and starts the lab that
// the plan asks for. Close gives it back.
func Open(ctx context.Context, env Environment, p *Plan) (*Session, error) {
	s := &Session{Environment: env}
	s.warnOfFaults()
	if !p.request.Lab {
		return s, nil
	}
	ctx, stop := s.interruptible(ctx)
	defer stop()
	s.Observer.Step("starting throwaway servers …", nil)
	l, err := lab.Start(ctx, lab.Options{
		Services: p.labServices(), Bounded: p.boundedServices(),
		Progress: func(service, step string) { s.Observer.Step(fmt.Sprintf("lab: %s %s", service, step), nil) },
	})
	s.Observer.Idle()
	if err != nil {
		return nil, InterruptedOr(ctx, exitcode.With(exitcode.Unreachable, err))
	}
	s.lab, s.overrides = l, map[string]string{}
	for _, x := range l.Settings() {
		s.overrides[x.Name] = x.Value
	}
	pids := l.Pids()
	for _, name := range lab.Services() {
		if pid, runs := pids[name]; runs {
			s.watches = append(s.watches, process.Watch{Name: name, PID: pid})
		}
	}
	return s, nil
}

// labStopTimeout bounds how long taking the servers down may take.
const labStopTimeout = 30 * time.Second

// Close stops the lab.
func (s *Session) Close() {
	if s.lab == nil {
		return
	}
	s.Observer.Step("stopping the throwaway servers …", nil)
	defer s.Observer.Idle()
	ctx, cancel := context.WithTimeout(context.Background(), labStopTimeout)
	defer cancel()
	if err := s.lab.Stop(ctx); err != nil {
		s.Observer.Warn(fmt.Sprintf("warning: stop the lab: %v", err))
	}
}

// addresses returns where the targets of a plan are in this session.
func (s *Session) addresses(ctx context.Context, p *Plan) (*targets.Settings, error) {
	if s.overrides == nil {
		return p.addresses, nil
	}
	layers := p.request.Settings.Above("lab", s.overrides)
	a, err := targets.Resolve(layers.Lookup, p.targetKinds()...)
	if err != nil {
		return nil, exitcode.ConfigError(err)
	}
	a.Allowed, a.Names = p.guarding().AllowTargets, layers.Names
	p.remember(a)
	return a, p.guard(ctx, a)
}

// labServices returns the services that the plan's scenarios need.
func (p *Plan) labServices() []string {
	var out []string
	for _, k := range p.targetKinds() {
		switch k {
		case targets.RabbitMQ:
			out = append(out, lab.RabbitMQ)
		case targets.Postgres:
			out = append(out, lab.Postgres)
		case targets.Redis:
			out = append(out, lab.Redis)
		case targets.API: // the user's own
		}
	}
	return out
}

// NewID returns an identity for a run: random, fit for names of queues, tables and
// keys.
func NewID() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return hex.EncodeToString(b[:])
}

// ErrInterrupted is the cause of a context that a signal ended.
var ErrInterrupted = errors.New("interrupted by a signal")

// InterruptedOr returns an interruption where one is why the context ended.
func InterruptedOr(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), ErrInterrupted) {
		return exitcode.With(exitcode.Interrupted, ErrInterrupted)
	}
	return err
}

// labStandIns stand for the addresses of a lab's servers while a plan is made.
var labStandIns = map[string]string{
	"RABBITMQ_URL": "amqp://guest:guest@127.0.0.1:5672/",
	"DATABASE_URL": "postgres://postgres@127.0.0.1:5432/orchestrator_test",
	"REDIS_URL":    "redis://127.0.0.1:6379/0",
}
