package run

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/all"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
	"github.com/perfctl/perfctl/internal/targets/probe"
	"github.com/perfctl/perfctl/internal/targets/process"
)

// parseScrapes reads the programs that --scrape names.
func parseScrapes(list []string) (out []probe.Scrape, err error) {
	var errs []error
	for _, s := range list {
		x, err := probe.ParseScrape(s)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("--scrape %w", err))
		case slices.ContainsFunc(x.Also, isOwnMetric):
			errs = append(errs, fmt.Errorf("--scrape %s: %s is the name of a metric of perfctl's own", x.Name, x.Also[slices.IndexFunc(x.Also, isOwnMetric)]))
		case slices.ContainsFunc(out, func(o probe.Scrape) bool { return o.Name == x.Name }):
			errs = append(errs, fmt.Errorf("--scrape: %s is read twice; call one of them otherwise", x.Name))
		default:
			out = append(out, x)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	return out, nil
}

// parseReplicas reads the programs whose instances --replicas counts.
func parseReplicas(list []string) (out []probe.Replicas, err error) {
	var errs []error
	for _, s := range list {
		x, err := probe.ParseReplicas(s)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("--replicas %w", err))
		case slices.ContainsFunc(out, func(o probe.Replicas) bool { return o.Name == x.Name }):
			errs = append(errs, fmt.Errorf("--replicas: %s is counted twice; call one of them otherwise", x.Name))
		default:
			out = append(out, x)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	return out, nil
}

// isOwnMetric says whether perfctl gives a metric of that name.
func isOwnMetric(name string) bool { return slices.Contains(metricNames(), name) }

// metricNames lists every metric that perfctl can give.
func metricNames() (out []string) {
	own := slices.Concat(metrics.Standard(), probe.Metrics(), process.Metrics(), faultMetrics(), accountMetrics())
	for _, d := range all.Registry().Definitions() {
		own = append(own, d.Metrics...)
	}
	for _, d := range own {
		out = append(out, d.Name)
	}
	return out
}

// newProbes makes the readers of the targets that the run uses, and of the programs
// of --scrape.
func (s *Session) newProbes(ctx context.Context, x *Prepared, addresses *targets.Settings) (*probe.Set, error) {
	set := probe.NewSet(s.Log)
	p := x.plan
	if p.request.Shard > 0 {
		return set, nil // the first shard reads them for all
	}
	if !p.request.NoProbes {
		for _, k := range p.targetKinds() {
			t := probe.Target{Address: addresses.Address(k), Run: x.id, Metrics: x.registry}
			switch k {
			case targets.Postgres:
				set.Add(probe.NewPostgres(t))
			case targets.Redis:
				set.Add(probe.NewRedis(t))
			case targets.RabbitMQ:
				prometheus, err1 := urlSetting(addresses, config.PrometheusURL)
				management, err2 := urlSetting(addresses, config.ManagementURL)
				if err := errors.Join(err1, err2); err != nil {
					return nil, exitcode.ConfigError(err)
				}
				if r := probe.NewRabbitMQ(t, prometheus, management); r != nil {
					set.Add(r)
				}
			case targets.API: // what it publishes is what --scrape reads
			}
		}
	}
	scrapes := slices.Clone(p.scrapes)
	for i := range scrapes {
		scrapes[i].Reach = p.guarding().Reaches
		if proxy, err := httpapi.Proxies(addresses.Setting)(scrapes[i].URL); err == nil && proxy != nil {
			s.Log.Warn("HTTP_PROXY is ignored: figures are read from the program itself", "scrape", scrapes[i].Name)
		}
	}
	set.AddScrapes(ctx, scrapes, x.registry)
	for _, r := range p.replicas {
		r.Reach = p.guarding().Reaches
		set.Add(probe.NewReplicas(r, x.registry))
	}
	return set, nil
}

// urlSetting returns a setting that is a URL, nil where nobody set it.
func urlSetting(s *targets.Settings, name string) (*url.URL, error) {
	v, ok := s.Setting(name)
	if !ok || v == "" {
		return nil, nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s is not a URL of the form http://host:port", name)
	}
	return u, nil
}
