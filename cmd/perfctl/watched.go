package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/perfctl/perfctl/internal/lab"
	"github.com/perfctl/perfctl/internal/targets/process"
)

// parseWatches reads the processes that --watch names.
func parseWatches(list []string) (out []process.Watch, err error) {
	var errs []error
	for _, s := range list {
		watch, err := process.Parse(s)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("--watch %w", err))
		case slices.ContainsFunc(out, func(o process.Watch) bool { return o.Name == watch.Name }):
			errs = append(errs, fmt.Errorf("--watch %q: %s is watched twice; call one of them otherwise, as in NAME=PID", s, watch.Name))
		default:
			out = append(out, watch)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, usageError("%w", err)
	}
	return out, nil
}

// watchLab watches the lab's servers as well, unless a watch has their name.
func (p *plan) watchLab(l *lab.Lab) {
	pids := l.Pids()
	for _, name := range []string{lab.RabbitMQ, lab.Postgres, lab.Redis} {
		if pid, runs := pids[name]; runs && !slices.ContainsFunc(p.watches, func(o process.Watch) bool { return o.Name == name }) {
			p.watches = append(p.watches, process.Watch{Name: name, PID: pid})
		}
	}
}
