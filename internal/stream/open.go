package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
)

// Kind is one way to send a run's seconds somewhere while it goes on.
type Kind struct {
	// Name is the word of run --out.
	Name string
	// About says in a few words what it is for, with what WHERE is.
	About string
	open  func(ctx context.Context, o Opener, where string) (Stream, error)
}

// Kinds returns every kind of stream, in the order in which help lists them.
func Kinds() []Kind {
	return []Kind{
		{"json", "a JSON line for each series and second, to a FILE", lineStream(NewJSON)},
		{"csv", "the same as comma-separated values", lineStream(NewCSV)},
		{"prometheus", "a listener with /metrics on [HOST:]PORT, the loopback interface where there is no HOST", openPrometheus},
		{"otlp", "OpenTelemetry over HTTP to a URL, or to that of OTEL_EXPORTER_OTLP_ENDPOINT for " + OTLPEnv, openOTLP},
	}
}

// Find returns the kind of that name.
func Find(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// Destination is where one stream goes: --out FORMAT=WHERE, WHERE "-" being stdout.
type Destination struct{ Format, Where string }

func (d Destination) String() string { return d.Format + "=" + d.Where }

// Opener is what streams are opened with.
type Opener struct {
	Run       Run
	Stdout    io.Writer
	LookupEnv func(name string) (string, bool)
	// Dial opens the connections to receivers; nil for the system's way.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Log  *slog.Logger
}

// Set holds the open streams of a run.
type Set struct{ open []member }

type member struct {
	Destination
	to Stream
}

// Open opens streams. One that cannot be opened is an error now, before anything was
// started; it carries its exit code, and the others are closed.
func (o Opener) Open(ctx context.Context, all []Destination) (*Set, error) {
	s := &Set{}
	var errs []error
	for _, d := range all {
		kind, ok := Find(d.Format)
		if !ok {
			errs = append(errs, fmt.Errorf("--out %s: there is no such stream", d))
			continue
		}
		to, err := kind.open(ctx, o, d.Where)
		if err != nil {
			errs = append(errs, fmt.Errorf("--out %s: %w", d, err))
			continue
		}
		s.open = append(s.open, member{d, to})
	}
	if err := errors.Join(errs...); err != nil {
		_, _ = s.Close() // nothing was written yet
		return nil, err
	}
	return s, nil
}

// Listening returns the addresses that are listened on for Prometheus.
func (s *Set) Listening() (out []string) {
	for _, m := range s.open {
		if l, ok := m.to.(*Prometheus); ok {
			out = append(out, l.Address())
		}
	}
	return out
}

// Subscribers returns what takes the run's seconds.
func (s *Set) Subscribers() (out []func(*metrics.Snapshot)) {
	for _, m := range s.open {
		out = append(out, m.to.Snapshot)
	}
	return out
}

// patience is how long the streams may take, together, to deliver what they still
// hold when a run is over.
const patience = 5 * time.Second

// Close closes the streams, side by side, and says what each one lost. kept says that
// a file is among them: those who listen meanwhile may come and go, but what is in a
// file is relied on. A second call does nothing.
func (s *Set) Close() (notes []string, kept bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	lost := make([]chan error, len(s.open))
	for i, m := range s.open {
		lost[i] = make(chan error, 1)
		go func() { lost[i] <- m.to.Close(ctx) }()
	}
	for i, m := range s.open {
		if err := <-lost[i]; err != nil {
			notes = append(notes, fmt.Sprintf("--out %s: %v", m.Destination, err))
			_, lines := m.to.(*Lines)
			kept = kept || lines && !errors.Is(err, syscall.EPIPE)
		}
	}
	s.open = nil
	return notes, kept
}

// lineStream opens a stream of lines to a file.
func lineStream(start func(io.WriteCloser) *Lines) func(context.Context, Opener, string) (Stream, error) {
	return func(_ context.Context, o Opener, where string) (Stream, error) {
		if where == "-" {
			return start(keepOpen{o.Stdout}), nil
		}
		f, err := openLate(where)
		if errors.Is(err, syscall.ENXIO) {
			err = fmt.Errorf("%w: nobody reads this pipe", err)
		}
		if err != nil {
			return nil, exitcode.ConfigError(err)
		}
		return start(f), nil
	}
}

func openPrometheus(ctx context.Context, o Opener, where string) (Stream, error) {
	s, err := NewPrometheus(ctx, where, o.Run)
	if err != nil {
		return nil, exitcode.ConfigError(err)
	}
	return s, nil
}

// intervalVariable is how often OpenTelemetry's exporters export, in milliseconds.
const intervalVariable = "OTEL_METRIC_EXPORT_INTERVAL"

func openOTLP(ctx context.Context, o Opener, where string) (Stream, error) {
	interval := DefaultOTLPInterval
	if v, ok := o.LookupEnv(intervalVariable); ok && v != "" {
		ms, err := strconv.ParseUint(v, 10, 31)
		if err != nil || ms == 0 {
			return nil, exitcode.ConfigError(fmt.Errorf("%s=%q: want milliseconds, as in 10000", intervalVariable, v))
		}
		interval = time.Duration(ms) * time.Millisecond
	}
	client, err := o.receiverClient()
	if err != nil {
		return nil, exitcode.ConfigError(err)
	}
	o.tellOfProxy(where)
	s, err := NewOTLP(ctx, where, o.Run, interval, client, o.Log)
	switch {
	case errors.Is(err, ErrReceiver):
		return nil, exitcode.With(exitcode.Unreachable, err)
	case err != nil:
		return nil, exitcode.ConfigError(err)
	}
	return s, nil
}

// keepOpen is a stream's end that others write to as well.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }
