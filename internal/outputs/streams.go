package outputs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/stream"
	"github.com/perfctl/perfctl/internal/traces"
)

// Sender opens what is sent while a run goes on.
type Sender struct {
	Plan *run.Plan
	// Version is perfctl's.
	Version   string
	Stdout    io.Writer
	LookupEnv func(name string) (string, bool)
	Log       *slog.Logger
	// Interrupts end the opening.
	Interrupts <-chan struct{}
}

// Streams opens the streams of the run, each if it may be sent to where it goes. The
// error carries its exit code.
func (s *Sender) Streams(ctx context.Context, all []Output) (*stream.Set, error) {
	ctx, stop := run.Interruptible(ctx, s.Interrupts)
	defer stop()
	if err := s.guard(ctx, all); err != nil {
		return nil, err
	}
	p := s.Plan
	o := stream.Opener{
		Dial:   p.Dial,
		Run:    stream.Run{ID: p.ID(), Profile: p.Profile().Name, Version: s.Version, Started: time.Now()},
		Stdout: s.Stdout, LookupEnv: s.LookupEnv, Log: s.Log,
	}
	set, err := o.Open(ctx, all)
	if err != nil {
		return nil, run.InterruptedOr(ctx, err)
	}
	return set, nil
}

// guard refuses to send figures to a machine that was not allowed.
func (s *Sender) guard(ctx context.Context, all []Output) error {
	var errs []error
	for _, o := range all {
		if u := stream.Receiver(o, s.LookupEnv); u != nil {
			errs = append(errs, s.Plan.CheckReceiver(ctx, u))
		}
	}
	return exitcode.ConfigError(errors.Join(errs...))
}

// Traces makes what sends spans to where the environment says, if that may be.
func (s *Sender) Traces(ctx context.Context) (*traces.Exporter, error) {
	u, err := traces.Endpoint(s.LookupEnv)
	if err != nil {
		return nil, exitcode.ConfigError(err)
	}
	if err := s.Plan.CheckReceiver(ctx, u); err != nil {
		return nil, err
	}
	o := traces.Options{Endpoint: u, Service: "perfctl", Run: s.Plan.ID(), Version: s.Version}
	if name, ok := s.LookupEnv("OTEL_SERVICE_NAME"); ok && name != "" {
		o.Service = name
	}
	o.Headers, _ = s.LookupEnv("OTEL_EXPORTER_OTLP_HEADERS")
	if own, ok := s.LookupEnv("OTEL_EXPORTER_OTLP_TRACES_HEADERS"); ok {
		o.Headers = own
	}
	e, err := traces.New(o)
	return e, exitcode.ConfigError(err)
}

// tracesEnd is how long spans may take to be sent after a run.
const tracesEnd = 10 * time.Second

// CloseTraces sends what is left and says what did not arrive.
func CloseTraces(e *traces.Exporter, show interface{ Warn(text string) }) {
	ctx, cancel := context.WithTimeout(context.Background(), tracesEnd)
	defer cancel()
	if lost := e.Close(ctx); lost != "" {
		show.Warn("warning: " + lost)
	}
}

// OpenFailures opens the file that --log-failures names, to add to it.
func OpenFailures(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, exitcode.ConfigError(fmt.Errorf("--log-failures: %w", err))
	}
	return f, nil
}
