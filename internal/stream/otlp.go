package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/perfctl/perfctl/internal/metrics"
)

// OTLPEnv in place of a URL leaves the endpoint to OTEL_EXPORTER_OTLP_ENDPOINT.
const OTLPEnv = "env"

// DefaultOTLPInterval is how often sums are exported where nobody says.
const DefaultOTLPInterval = 10 * time.Second

// openTimeout bounds how long a receiver may take to answer the first, empty export.
const openTimeout = 5 * time.Second

// ErrReceiver says that a receiver cannot be reached, or does not take what it is
// sent.
var ErrReceiver = errors.New("the receiver does not take an export")

// OTLP exports a run's sums to an OpenTelemetry receiver, over HTTP with protobuf.
// An export that fails loses nothing as long as a later one arrives.
type OTLP struct {
	account  *account
	run      Run
	exporter *otlpmetrichttp.Exporter
	resource *resource.Resource
	delta    bool
	stop     chan struct{}
	done     chan struct{}
	cancel   context.CancelFunc
	// since is where the next delta begins, delivered how many seconds arrived, err
	// why the last export did not; the exporting goroutine's, then Close's.
	since     time.Time
	delivered int64
	err       error
}

// NewOTLP reaches the receiver at a URL, or the one that the environment names for
// OTLPEnv, and exports to it every interval. The exporter reads the
// OTEL_EXPORTER_OTLP_* variables itself. A receiver that does not take an empty
// export is an ErrReceiver. log gets what the exporter has to say. client is nil for the
// exporter's own.
func NewOTLP(ctx context.Context, where string, run Run, interval time.Duration, client *http.Client, log *slog.Logger) (*OTLP, error) {
	// A failed export is repeated with the next one, which holds it: no need to retry.
	opts := []otlpmetrichttp.Option{otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: false})}
	if client != nil {
		opts = append(opts, otlpmetrichttp.WithHTTPClient(client))
	}
	if where != OTLPEnv {
		endpoint, err := endpointOf(where)
		if err != nil {
			return nil, err
		}
		opts = append(opts, otlpmetrichttp.WithEndpointURL(endpoint))
	}
	otel.SetLogger(logr.FromSlogHandler(log.Handler()))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("OpenTelemetry", "error", err) }))
	exporter, err := otlpmetrichttp.New(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("set up the OTLP exporter: %w", err)
	}
	// What the environment says comes last and wins.
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "perfctl"), attribute.String("service.version", run.Version),
		attribute.String("perfctl.run.id", run.ID), attribute.String("perfctl.profile", run.Profile),
	), resource.WithFromEnv())
	if err != nil && about == nil {
		return nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	o := &OTLP{
		account: newAccount(), run: run, exporter: exporter, resource: about, since: run.Started,
		delta: exporter.Temporality(metric.InstrumentKindHistogram) == metricdata.DeltaTemporality,
		stop:  make(chan struct{}), done: make(chan struct{}),
	}
	first, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err := exporter.Export(first, &metricdata.ResourceMetrics{Resource: about}); err != nil {
		_ = exporter.Shutdown(ctx) // it holds nothing yet
		return nil, fmt.Errorf("%w: %w", ErrReceiver, err)
	}
	exporting, stopExports := context.WithCancel(context.WithoutCancel(ctx))
	o.cancel = stopExports
	go o.exports(exporting, interval)
	return o, nil
}

// endpointOf checks a URL; one without a path gets that of the specification.
func endpointOf(where string) (string, error) {
	u, err := url.Parse(where)
	if err != nil {
		return "", fmt.Errorf("want a URL as in http://127.0.0.1:4318: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("want a URL as in http://127.0.0.1:4318, or %s to read OTEL_EXPORTER_OTLP_ENDPOINT", OTLPEnv)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/metrics"
	}
	return u.String(), nil
}

// Snapshot adds a second up.
func (o *OTLP) Snapshot(s *metrics.Snapshot) { o.account.add(s) }

func (o *OTLP) exports(ctx context.Context, interval time.Duration) {
	defer close(o.done)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-o.stop:
			return
		case <-tick.C:
			o.export(ctx)
		}
	}
}

// export sends what there is. Sums that did not arrive stay.
func (o *OTLP) export(ctx context.Context) {
	data, upTo, undo := o.take()
	if upTo.seconds == o.delivered {
		return // nothing new
	}
	if o.err = o.exporter.Export(ctx, data); o.err != nil {
		undo()
		return
	}
	o.delivered, o.since = upTo.seconds, upTo.at
}

// Close exports what is left and says what did not arrive.
func (o *OTLP) Close(ctx context.Context) error {
	close(o.stop)
	select {
	case <-o.done:
	case <-ctx.Done():
		o.cancel() // an export that hangs
		<-o.done
	}
	defer o.cancel()
	o.export(ctx)
	missed := o.account.seconds - o.delivered
	err := o.err
	if e := o.exporter.Shutdown(ctx); err == nil && missed > 0 {
		err = e
	}
	if missed == 0 {
		return nil
	}
	return fmt.Errorf("the last %d of %d seconds did not arrive: %w", missed, o.account.seconds, err)
}
