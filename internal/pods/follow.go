package pods

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/secrets"
	"github.com/perfctl/perfctl/internal/summary"
)

// ShardsFolder is where the run directories of the shards are, in that of the run.
const ShardsFolder = "shards"

// Run is a run of pods that is followed from here.
type Run struct {
	Client *cluster.Client
	Show   run.Observer
	// View shows its seconds and judges them.
	View *run.Elsewhere
	// ID is the run's, Dir its run directory.
	ID, Dir string
	// Keep leaves the Job behind.
	Keep    bool
	Secrets *secrets.Redactor

	rebuild cluster.Rebuilder
	began   bool
	// broken is why something could not be kept.
	broken error
}

// Stops returns what ends a run of pods: the first signal in order, the second at once.
// Others may add to it why the run is to end.
func Stops(interrupts <-chan struct{}, show run.Observer) chan cluster.Stop {
	out := make(chan cluster.Stop, 8)
	go func() {
		first := true
		for range interrupts {
			if first {
				show.Say("interrupted: no more arrivals, finishing what is due (once more to end at once)")
			}
			select {
			case out <- cluster.Stop{Interrupted: true, Now: !first, Text: "interrupted by a signal"}:
			default: // enough of them wait
			}
			first = false
		}
	}()
	return out
}

// sink makes of a Run a cluster.Sink and a cluster.Voice.
type sink struct{ *Run }

// Part keeps a part and shows it.
func (c sink) Part(shard int, p *cluster.Part) {
	if err := c.rebuild.Write(shard, p); err != nil && c.broken == nil {
		c.broken = err
		c.Warn("warning: " + err.Error())
	}
	c.View.Take(shard, p.File, p.Data)
}

// Whole checks a shard's files.
func (c sink) Whole(shard int, f *cluster.Final) error { return c.rebuild.Check(shard, f) }

// Gone takes a shard out of what is waited for.
func (c sink) Gone(shard int) { c.View.Gone(shard) }

// Step shows what goes on.
func (c sink) Step(text string) { c.Show.Step(text, nil) }

// Say shows a line.
func (c sink) Say(text string) { c.Show.Say(text) }

// Warn shows a line, whatever was asked to be left out.
func (c sink) Warn(text string) { c.Show.Warn(text) }

// Started begins to show the run.
func (c sink) Started(at time.Time) {
	c.began = true
	c.Show.Idle()
	c.View.Begin(at)
}

// Conduct conducts the shards to the end of the run, and keeps what they record. Where
// there was no run, or it is to end at once, nothing of it stays in the cluster. The
// error carries its exit code.
func (c *Run) Conduct(ctx context.Context, k *cluster.Conductor) (*cluster.Outcome, error) {
	c.rebuild = cluster.Rebuilder{Dir: filepath.Join(c.Dir, ShardsFolder)}
	k.Client, k.Run, k.Sink, k.Voice = c.Client, c.ID, sink{c}, sink{c}
	o, err := k.Conduct(ctx)
	c.View.End()
	if e := c.rebuild.Close(); e != nil && c.broken == nil {
		c.broken = e
	}
	if err == nil {
		return o, nil
	}
	c.remove()
	c.Show.Idle()
	if c.began && errors.Is(err, cluster.ErrInterrupted) {
		return &cluster.Outcome{Stopped: &cluster.Stop{Interrupted: true, Now: true}}, nil
	}
	return nil, c.explain(err)
}

// explain gives an error of who conducts its exit code.
func (c *Run) explain(err error) error {
	switch failed, ok := errors.AsType[*cluster.FailedError](err); {
	case errors.Is(err, cluster.ErrInterrupted):
		return exitcode.With(exitcode.Interrupted, run.ErrInterrupted)
	case ok && failed.ExitCode != 0:
		return exitcode.With(failed.ExitCode, err)
	}
	return exitcode.With(exitcode.Unreachable, err)
}

// remove takes the run's objects out of the cluster.
func (c *Run) remove() {
	if c.Keep {
		return
	}
	if err := c.Client.Delete(context.Background(), c.ID); err != nil {
		c.Show.Warn(fmt.Sprintf("warning: %v\n  next: perfctl kubernetes clean %s removes what is left", err, c.ID))
	}
}

// Baseline is what a run is compared with.
type Baseline struct {
	Runs []*rundir.Run
	Gate compare.Options
}

// Conclude puts the shards together, removes them from the cluster and writes what it all
// came to into the run's directory. lost is what else was lost of the run.
func (c *Run) Conclude(o *cluster.Outcome, with Baseline, lost []string) (*summary.Summary, error) {
	dirs := c.rebuild.Dirs()
	if len(dirs) == 0 {
		c.remove()
		return nil, exitcode.With(exitcode.Invalid, errors.New("nothing was recorded by any shard: all of them are lost"))
	}
	s, err := c.View.Merge(dirs, c.Dir)
	if err != nil {
		return nil, err
	}
	c.remove()
	c.note(o, s)
	if len(with.Runs) > 0 {
		run.Against(with.Runs, c.Dir, s, with.Gate)
	}
	s.Notes = append(s.Notes, lost...)
	c.Secrets.Struct(s)
	if err := summary.Write(c.Dir, s); err != nil {
		c.Show.Warn(fmt.Sprintf("warning: %v", err))
	}
	return s, nil
}

// note adds to a summary what only who conducted the shards knows.
func (c *Run) note(o *cluster.Outcome, s *summary.Summary) {
	for _, shard := range slices.Sorted(maps.Keys(o.Lost)) {
		s.Lose(fmt.Sprintf("shard %d is lost: %s", shard, o.Lost[shard]))
	}
	for _, text := range o.Broken {
		s.Lose(text)
	}
	if s.Verdict == summary.VerdictInterrupted && (o.Stopped == nil || !o.Stopped.Interrupted) {
		// Nobody here ended it: all of its pods were taken away.
		s.Verdict, s.ExitCode = summary.VerdictIncomplete, exitcode.Invalid
		s.Lose("all pods were ended from outside before the end of the run")
	}
	if c.broken != nil {
		s.Lose(c.broken.Error())
	}
	for _, text := range o.Clocks {
		s.Notes = append(s.Notes, text+": latency does not depend on it, how the shards' loads add up does")
	}
	if o.ClockWithin > 0 && len(o.Clocks) == 0 {
		c.Show.Say(fmt.Sprintf("the clocks of the pods agree with this machine's, as far as can be told from here: within %s", figure.Duration(o.ClockWithin.Round(time.Millisecond))))
	}
}
