package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	outputs "github.com/perfctl/perfctl/internal/output"
	"github.com/perfctl/perfctl/internal/targets"
)

// guarding is the guard that the flags and the configuration file make.
func (p *plan) guarding() targets.Guard {
	g := targets.Guard{AllowTargets: p.flags.allowTargets, AllowDatabases: p.flags.allowDatabases}
	if p.config != nil {
		g.AllowTargets = slices.Concat(g.AllowTargets, p.config.AllowTargets)
		g.AllowDatabases = slices.Concat(g.AllowDatabases, p.config.AllowDatabases)
	}
	return g
}

// guard refuses targets that must not be loaded, and what would be read of other
// machines.
func (p *plan) guard(ctx context.Context, addresses *targets.Settings) error {
	g := p.guarding()
	var errs []error
	for _, k := range p.targetKinds() {
		errs = append(errs, g.Check(ctx, addresses.Address(k)))
	}
	if slices.Contains(p.targetKinds(), targets.RabbitMQ) && !p.flags.noProbes {
		errs = append(errs, guardBroker(ctx, g, addresses))
	}
	for _, x := range p.scrapes {
		errs = append(errs, g.CheckURL(ctx, "read figures of", x.URL))
	}
	return invalidConfig(errors.Join(errs...))
}

// guardBroker refuses to read a broker's figures from elsewhere.
func guardBroker(ctx context.Context, g targets.Guard, addresses *targets.Settings) error {
	var errs []error
	for _, name := range []string{prometheusURL, managementURL} {
		u, err := urlSetting(addresses, name)
		switch {
		case err != nil:
			errs = append(errs, err)
		case u == nil:
		case name == managementURL && u.User == nil && !targets.SameHost(u.Hostname(), addresses.RabbitMQ.Host()):
			errs = append(errs, fmt.Errorf("%s is on another host than the broker, which is not sent the broker's password\n  next: put a user and password of its own into it, as in http://user:password@%s", name, u.Host))
		default:
			errs = append(errs, g.CheckURL(ctx, "read figures of", u))
		}
	}
	return errors.Join(errs...)
}

// The variables by which OpenTelemetry's exporters are told where to send figures,
// the stronger one first.
const (
	metricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
	otlpEndpoint    = "OTEL_EXPORTER_OTLP_ENDPOINT"
)

// guardOutputs refuses to send figures to a machine that was not allowed.
func (w *world) guardOutputs(ctx context.Context, p *plan, outs []output) error {
	var errs []error
	for _, o := range outs {
		if o.format != "otlp" {
			continue
		}
		where := o.where
		if where == outputs.OTLPEnv {
			general, _ := w.lookupEnv(otlpEndpoint)
			special, _ := w.lookupEnv(metricsEndpoint)
			where = cmp.Or(special, general, "http://localhost:4318")
		}
		u, err := url.Parse(where)
		if err != nil || u.Host == "" {
			continue // opening it says what is wrong
		}
		errs = append(errs, p.guarding().CheckURL(ctx, "send figures to", u))
	}
	return invalidConfig(errors.Join(errs...))
}
