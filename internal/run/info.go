package run

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/rundir"
)

// info describes the run for its directory.
func (x *Prepared) info(settings []rundir.Setting) rundir.RunInfo {
	p, r := x.plan, &x.plan.request
	info := rundir.RunInfo{
		ID: x.id, Version: r.Version, Drivers: map[string]string{}, Machine: thisMachine(),
		Tags: r.Tags, Command: r.Command, Seed: r.Seed, Process: string(r.Process),
		Shard: r.Shard, Shards: r.Shards, MaxInFlight: p.bound(r.MaxInFlight), Tolerance: r.Tolerance.Seconds(),
		GracefulStop: r.GracefulStop.Seconds(), Started: time.Now(), Rules: r.Rules.Thresholds,
		Table: rundir.File{Name: r.Rules.Name, Text: r.Rules.Text}, Settings: settings,
		Judging:  rundir.Judging{Confidence: r.Judging.Confidence, AllowUndecided: r.Judging.AllowUndecided, OwnTable: r.Rules.Given},
		Schedule: p.Fingerprint(),
		Planned:  engine.ShardTotal(p.schedule.Total(), r.Shard, r.Shards),
	}
	for _, d := range Drivers() {
		info.Drivers[d.Module] = d.Version
	}
	p.load(&info)
	info.Programs = programsOf(p.watching(x.session.watches))
	info.Faults, info.FaultCost = p.faultsInfo(), x.breaker.costMicros()
	return info
}

// load describes the load that the run offers.
func (p *Plan) load(info *rundir.RunInfo) {
	info.Profile = p.request.Profile.Name
	for _, w := range p.weights {
		info.Scenarios = append(info.Scenarios, rundir.ScenarioShare{Name: w.Scenario, Weight: w.Weight})
	}
	for i, s := range p.request.Profile.Stages {
		planned, known := p.stagePlan(i)
		info.Stages = append(info.Stages, rundir.StageInfo{
			Name: s.Name, Class: string(s.Class), Judged: s.Judged, Start: p.schedule.StageStart(i).Seconds(),
			Duration: s.Duration.Seconds(), From: s.From, To: s.To, Burst: s.Burst, Planned: planned, OpenEnded: !known, Users: usersInfo(s.Users),
		})
	}
}

// CheckBaseline says why runs could not be compared with this one once it is over.
func (p *Plan) CheckBaseline(base []*rundir.Run, o compare.Options) error {
	var next rundir.RunInfo
	p.load(&next)
	err := compare.Comparable(base, next, o)
	switch {
	case errors.Is(err, compare.ErrInvalid):
		return exitcode.With(exitcode.Invalid, fmt.Errorf("--baseline: %w", err))
	case err != nil:
		return exitcode.UsageError("--baseline: %w", err)
	}
	return nil
}

// Driver is a library by which targets are spoken to.
type Driver struct{ Module, Version string }

// Drivers returns the versions of the drivers that this binary was built with:
// results of different ones are not the same.
func Drivers() []Driver {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var out []Driver
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/rabbitmq/amqp091-go", "github.com/jackc/pgx/v5", "github.com/redis/go-redis/v9":
			out = append(out, Driver{m.Path, m.Version})
		}
	}
	return out
}

// thisMachine describes where the generator runs, without naming it.
func thisMachine() rundir.Machine {
	m := rundir.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), GOMAXPROCS: runtime.GOMAXPROCS(0)}
	if data, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(data))
	}
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "MemTotal:" {
			kb, _ := strconv.ParseInt(f[1], 10, 64) // 0 where the kernel writes something else
			m.Memory = kb << 10
		}
	}
	return m
}
