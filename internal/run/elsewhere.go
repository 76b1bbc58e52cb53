package run

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// Elsewhere is a run whose shards go on elsewhere, as it is seen from here: what they
// record is added up second by second, shown, streamed, and judged as that of one
// process would be.
type Elsewhere struct {
	plan *Plan
	// prepared are the plan's scenarios, made here and never set up; nil where only a
	// shard knows them.
	prepared  *Prepared
	judge     *sla.Judge // nil until the plan is known
	show      Observer
	shards    int
	at        time.Time // zero until the start is known
	gather    *rundir.Gather
	collector *metrics.Collector
	// early are parts that came before the start and the plan were known; told is what
	// has come of the run.json of the shards, where the plan is read there.
	early []earlyPart
	told  map[int][]byte
	// blind says that what comes cannot be shown.
	blind bool
	abort func(reason string)
	// Breach is the rule that ended the run, nil where none did.
	Breach *sla.Breach
}

type earlyPart struct {
	shard int
	file  string
	data  []byte
}

// Elsewhere returns the view from here of a plan that so many shards execute elsewhere.
// Sinks receive its seconds. abort, where a rule may end the run, is called once.
func (p *Plan) Elsewhere(shards int, show Observer, sinks Sinks, abort func(reason string)) (*Elsewhere, error) {
	offline, cancel := context.WithCancel(context.Background())
	cancel() // what would be reached is not
	s := &Session{Environment: Environment{Observer: silent{}, Log: slog.New(slog.DiscardHandler)}}
	dry := *p
	rules := *p.request.Rules
	rules.Table, rules.Own = p.ownRules(rules.Table), p.ownRules(rules.Own)
	dry.request.Rules = &rules
	x, err := s.assemble(offline, &dry)
	if err != nil {
		return nil, err
	}
	e := newElsewhere(p, shards, show, sinks, abort)
	e.prepared, e.judge = x, x.judge
	return e, nil
}

func newElsewhere(p *Plan, shards int, show Observer, sinks Sinks, abort func(reason string)) *Elsewhere {
	e := &Elsewhere{plan: p, show: show, shards: shards, collector: metrics.NewReplay(), abort: abort, told: map[int][]byte{}}
	e.collector.Subscribe(func(s *metrics.Snapshot) { show.Second(s, e.collector) })
	e.collector.Subscribe(func(s *metrics.Snapshot) { e.judge.Second(s) })
	if sinks != nil {
		for _, f := range sinks.Subscribers() {
			e.collector.Subscribe(f)
		}
	}
	e.collector.Subscribe(e.look)
	return e
}

// Begin says when the first arrival is due.
func (e *Elsewhere) Begin(at time.Time) {
	e.at = at
	e.open()
}

// open begins to show the run, once its start and its plan are known.
func (e *Elsewhere) open() {
	if e.at.IsZero() || e.judge == nil || e.gather != nil {
		return
	}
	p := e.plan
	e.gather = rundir.NewGather(e.shards, p.stageNames(), e.at)
	e.show.Begin(View{
		Profile: p.request.Profile.Name, Schedule: p.schedule, Stages: p.request.Profile.Stages, Share: 1, Faults: p.Faults(),
		SoFar: func(t *metrics.Totals) ([]sla.Result, Health) { return e.judge.SoFar(t), p.healthSoFar(t) },
	})
	for _, x := range e.early {
		if x.data == nil {
			e.gather.Gone(x.shard)
			continue
		}
		e.gather.Take(x.shard, x.file, x.data)
	}
	e.early = nil
	e.gather.Deliver(false, e.collector.Deliver)
}

// Take takes what was added to a file of a shard's run directory.
func (e *Elsewhere) Take(shard int, file string, data []byte) {
	if e.blind {
		return
	}
	if e.gather == nil {
		e.early = append(e.early, earlyPart{shard, file, data})
		if e.judge == nil && file == rundir.InfoFile {
			e.learn(shard, data)
		}
		return
	}
	e.gather.Take(shard, file, data)
	if file == rundir.SeriesFile {
		e.gather.Deliver(false, e.collector.Deliver)
	}
}

// Gone says that nothing more comes of a shard.
func (e *Elsewhere) Gone(shard int) {
	switch {
	case e.blind:
	case e.gather == nil:
		e.early = append(e.early, earlyPart{shard: shard})
	default:
		e.gather.Gone(shard)
		e.gather.Deliver(false, e.collector.Deliver)
	}
}

// End delivers what is left.
func (e *Elsewhere) End() {
	if e.gather != nil {
		e.gather.Deliver(true, e.collector.Deliver)
	}
}

// look ends the run where a rule is missed whatever the rest of it brings.
func (e *Elsewhere) look(s *metrics.Snapshot) {
	if !e.plan.request.AbortOnFail || e.Breach != nil || s.Last {
		return
	}
	e.collector.Totals(func(t *metrics.Totals) {
		if b := e.judge.Breached(t, s.End); b != nil {
			e.Breach = b
			e.show.Note(fmt.Sprintf("stopping: %s", b))
			e.abort(b.String())
		}
	})
}

// Merge puts the run directories of the shards together and judges the whole: by the
// plan's rules, or where only the shards know it by those that they were given.
func (e *Elsewhere) Merge(dirs []string, out string) (*summary.Summary, error) {
	if e.prepared == nil {
		return Merge(dirs, out, e.show)
	}
	return merge(dirs, out, e.show, e.plan.request.Rules)
}

// OwnSummary lets the scenarios make something of the figures of the whole, whose run
// directory is dir: texts by the name of the file that each is for.
func (e *Elsewhere) OwnSummary(ctx context.Context, s *summary.Summary, dir string) map[string]string {
	if e.prepared == nil {
		return nil
	}
	whole, err := rundir.Open(dir)
	if err != nil {
		e.show.Warn("warning: the summary of the script: " + err.Error())
		return nil
	}
	e.prepared.session.Observer = e.show
	return e.prepared.ownSummary(ctx, s, whole.Totals)
}

// Baseline returns the runs that this one is to be compared with, and by what.
func (p *Plan) Baseline() ([]*rundir.Run, compare.Options) { return p.request.Baseline, p.request.Gate }

// Aborts says whether a rule may end the run, and from when on.
func (p *Plan) Aborts() (may bool, after time.Duration) {
	return p.request.AbortOnFail, p.request.Judging.AbortAfter
}
