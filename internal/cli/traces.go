package cli

import (
	"context"
	"time"

	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/traces"
)

// openTraces makes what sends spans to where the environment says, if that may be.
func (a *app) openTraces(ctx context.Context, p *run.Plan) (*traces.Exporter, error) {
	u, err := traces.Endpoint(a.LookupEnv)
	if err != nil {
		return nil, exitcode.ConfigError(err)
	}
	if err := p.CheckReceiver(ctx, u); err != nil {
		return nil, err
	}
	o := traces.Options{Endpoint: u, Service: "perfctl", Run: p.ID(), Version: a.version}
	if name, ok := a.LookupEnv("OTEL_SERVICE_NAME"); ok && name != "" {
		o.Service = name
	}
	o.Headers, _ = a.LookupEnv("OTEL_EXPORTER_OTLP_HEADERS")
	if own, ok := a.LookupEnv("OTEL_EXPORTER_OTLP_TRACES_HEADERS"); ok {
		o.Headers = own
	}
	e, err := traces.New(o)
	return e, exitcode.ConfigError(err)
}

// tracesEnd is how long spans may take to be sent after a run.
const tracesEnd = 10 * time.Second

// closeTraces sends what is left and says what did not arrive.
func (a *app) closeTraces(e *traces.Exporter, show *terminal.Progress) {
	ctx, cancel := context.WithTimeout(context.Background(), tracesEnd)
	defer cancel()
	if lost := e.Close(ctx); lost != "" {
		show.Warn("warning: " + lost)
	}
}
