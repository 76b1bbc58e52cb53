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
)

// Elsewhere is a run whose shards go on elsewhere, as it is seen from here: what they
// record is added up second by second, shown, streamed, and judged as that of one
// process would be.
type Elsewhere struct {
	plan      *Plan
	judge     *sla.Judge
	show      Observer
	shards    int
	gather    *rundir.Gather
	collector *metrics.Collector
	// early are parts that came before the start was known.
	early []earlyPart
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
	e := &Elsewhere{plan: p, judge: x.judge, show: show, shards: shards, collector: metrics.NewReplay(), abort: abort}
	e.collector.Subscribe(func(s *metrics.Snapshot) { show.Second(s, e.collector) })
	e.collector.Subscribe(x.judge.Second)
	if sinks != nil {
		for _, f := range sinks.Subscribers() {
			e.collector.Subscribe(f)
		}
	}
	e.collector.Subscribe(e.look)
	return e, nil
}

// Begin says when the first arrival is due.
func (e *Elsewhere) Begin(at time.Time) {
	p := e.plan
	e.gather = rundir.NewGather(e.shards, p.stageNames(), at)
	e.show.Begin(View{
		Profile: p.request.Profile.Name, Schedule: p.schedule, Stages: p.request.Profile.Stages, Share: 1, Faults: p.Faults(),
		SoFar: func(t *metrics.Totals) ([]sla.Result, Health) { return e.judge.SoFar(t), p.healthSoFar(t) },
	})
	for _, x := range e.early {
		e.gather.Take(x.shard, x.file, x.data)
	}
	e.early = nil
	e.gather.Deliver(false, e.collector.Deliver)
}

// Take takes what was added to a file of a shard's run directory.
func (e *Elsewhere) Take(shard int, file string, data []byte) {
	if e.gather == nil {
		e.early = append(e.early, earlyPart{shard, file, data})
		return
	}
	e.gather.Take(shard, file, data)
	if file == rundir.SeriesFile {
		e.gather.Deliver(false, e.collector.Deliver)
	}
}

// Gone says that nothing more comes of a shard.
func (e *Elsewhere) Gone(shard int) {
	if e.gather != nil {
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

// Baseline returns the runs that this one is to be compared with, and by what.
func (p *Plan) Baseline() ([]*rundir.Run, compare.Options) { return p.request.Baseline, p.request.Gate }
