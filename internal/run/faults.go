package run

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/targets"
)

// faultTarget is what faults call a kind of target.
func faultTarget(k targets.Kind) string {
	if k == targets.API {
		return "http"
	}
	return string(k)
}

// chooseFaults makes the timetable of what is broken on purpose. A fault of the profile
// on a target that no scenario of the run has is left out; one that was asked for
// besides is an error.
func (p *Plan) chooseFaults() error {
	list, err := p.request.Profile.Timetable(p.request.Faults)
	if err != nil {
		return exitcode.ConfigError(err)
	}
	var used []string
	for _, k := range p.targetKinds() {
		used = append(used, faultTarget(k))
	}
	for _, d := range p.defs {
		for _, k := range d.Reaches {
			if t := faultTarget(k); !slices.Contains(used, t) {
				used = append(used, t)
			}
		}
	}
	var errs []error
	for _, f := range list {
		if !slices.Contains(used, f.Target) {
			if p.asked(f.Fault) {
				errs = append(errs, fmt.Errorf("%s: the run has nothing to do with %s: its scenarios use %s", f.Place, f.Target, strings.Join(used, ", ")))
			}
			continue
		}
		if err := p.mayBreak(&f.Fault); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.Place, err))
		}
		if err := p.endpoint(&f.Fault); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.Place, err))
		}
		p.faults = append(p.faults, f)
	}
	if err := errors.Join(errs...); err != nil {
		return exitcode.ConfigError(err)
	}
	return nil
}

// mayBreak refuses what is done to servers that nobody allowed.
func (p *Plan) mayBreak(f *faults.Fault) error {
	switch {
	case f.Kind.OnLab() && !p.request.Lab:
		return fmt.Errorf("%s is done to servers of --lab only: yours are nobody's to end; refuse and blackhole do the like to the connections of this run, and a profile may give a command of yours, as run and undo", f.Kind)
	case f.Kind == faults.Command && !p.request.AllowFaults:
		return fmt.Errorf("the fault %s runs a command of its own: %s\n  next: where that may be done, allow it with --allow-faults", f.Name, f.Run)
	}
	return nil
}

// boundedServices are the servers of the lab whose disks the plan fills.
func (p *Plan) boundedServices() (out []string) {
	for _, f := range p.faults {
		if f.Kind == faults.DiskFull && !slices.Contains(out, f.Target) {
			out = append(out, f.Target)
		}
	}
	return out
}

// asked says whether a fault was asked for besides those of the profile.
func (p *Plan) asked(f faults.Fault) bool {
	return slices.ContainsFunc(p.request.Faults, func(g faults.Fault) bool { return g.Place == f.Place })
}

// endpoint gives a fault that names an endpoint of a scenario its host and port.
func (p *Plan) endpoint(f *faults.Fault) error {
	if f.Endpoint == "" || strings.Contains(f.Endpoint, ":") {
		return nil
	}
	var names []string
	for i, d := range p.defs {
		for _, o := range d.Settings {
			if o.Key != "endpoints" {
				continue
			}
			named, err := request.ParseEndpoints(p.values[i].Text(0, o.Key))
			if err != nil {
				return err
			}
			for name, u := range named {
				if name == f.Endpoint {
					f.Endpoint = targets.Address{Kind: targets.API, URL: u}.HostPort()
					return nil
				}
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return fmt.Errorf("no endpoint is named %s: name it as host:port, or in the setting endpoints of a scenario", f.Endpoint)
	}
	return fmt.Errorf("no endpoint is named %s: there are %s", f.Endpoint, strings.Join(names, ", "))
}

// Faults returns what will be broken on purpose, in the order of the beginnings.
func (p *Plan) Faults() []faults.Timed { return slices.Clone(p.faults) }

// HastyFaults counts the faults after which the run goes on for less than it takes to
// tell a recovery, or that end inside another one.
func (p *Plan) HastyFaults() (n int, needs time.Duration) {
	for i, f := range p.faults {
		until, inside := p.schedule.Duration(), false
		for k, o := range p.faults {
			switch {
			case k == i:
			case o.Start >= f.End:
				until = min(until, o.Start)
			case o.Start < f.End && o.End > f.End:
				inside = true
			}
		}
		if inside || until-f.End < analysis.RecoveryWatch {
			n++
		}
	}
	return n, analysis.RecoveryWatch
}

// faultsInfo describes the faults for the run directory.
func (p *Plan) faultsInfo() (out []rundir.FaultInfo) {
	for _, f := range p.faults {
		out = append(out, rundir.FaultInfo{
			Name: f.Name, Target: f.Target, Endpoint: f.Endpoint, Kind: string(f.Kind), Text: f.String(),
			Start: f.Start.Seconds(), End: f.End.Seconds(), Share: f.Share, Hits: hits(f.Kind, f.Target),
		})
	}
	return out
}

// hits is which watched process a fault may end.
func hits(k faults.Kind, target string) string {
	switch {
	case k.OnLab():
		return target
	case k == faults.Command:
		return rundir.AnyProcess
	}
	return ""
}

// The metrics of faults. The operation is the fault's name, or the target's.
var (
	faultActive = metrics.Desc{Name: "fault_active", Kind: metrics.KindGauge, Unit: metrics.UnitCount,
		Help: "1 while a fault is in force; the operation is its name"}
	faultConnections = metrics.Desc{Name: "fault_proxy_connections", Kind: metrics.KindGauge, Unit: metrics.UnitCount,
		Help: "connections opened through the proxy of the faults since the start; the operation is the target's name"}
)

func faultMetrics() []metrics.Desc {
	return []metrics.Desc{faultActive, metrics.FaultFirstError, faultConnections}
}
