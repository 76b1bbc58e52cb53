package cli

import (
	"context"
	"fmt"

	"github.com/perfctl/perfctl/internal/cli/flags"
	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/outputs"
	"github.com/perfctl/perfctl/internal/report/document"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/series"
	"github.com/perfctl/perfctl/internal/summary"
)

// repeat executes a run several times, shows the runs side by side and compares them,
// together, with the baseline. SLA rules are judged by the mean over the runs; its
// exit code is that of the worst run in all else, or of the comparison.
//
// views are of all runs together. open returns what executes the runs, and is called once the folder is there.
func (a *app) repeat(ctx context.Context, p *run.Plan, base string, f *flags.Run, views []outputs.Output, open func() (execute series.Execute, closing func(), err error)) error {
	if err := series.CheckBase(base); err != nil {
		return err
	}
	gate, err := f.Options()
	if err != nil {
		return err
	}
	var baseline []*rundir.Run
	if f.Baseline != "" {
		if baseline, err = flags.OpenBaseline(f.Baseline); err != nil {
			return err
		}
		if err := p.CheckBaseline(baseline, gate); err != nil {
			return err
		}
	}
	place, err := run.Reserve(base)
	if err != nil {
		return err
	}
	defer place.Release()
	if err := outputs.Check(views); err != nil {
		return err
	}
	execute, closing, err := open()
	if err != nil {
		return err
	}
	defer closing()
	lost := exitcode.Pass
	all, err := series.Repeat(ctx, execute, p, base, f.Repeat, a.progress.Say, func(dir string, s *summary.Summary) {
		lost = exitcode.Worst(lost, a.writer().Views(outputs.WithPage(nil, dir), dir, s, a.progress))
	})
	if err != nil {
		return err
	}
	a.progress.Done()
	if err := all.Conclude(baseline, gate); err != nil {
		return err
	}
	for _, o := range views {
		if err := a.writer().Repeated(o, &all.Repeated); err != nil {
			a.warn(err.Error())
			lost = exitcode.Unexpected
		}
	}
	if !outputs.HaveStdout(views) {
		if err := a.showRepeated(&all.Repeated, f.JSON); err != nil {
			return exitcode.With(exitcode.Worst(all.ExitCode, exitcode.Unexpected), err)
		}
	}
	if all.ExitCode != exitcode.Pass {
		return verdict(all.ExitCode)
	}
	return verdict(lost)
}

// repeatHere is repeat in this process.
func (a *app) repeatHere(ctx context.Context, env run.Environment, p *run.Plan, base string, f *flags.Run, views []outputs.Output) error {
	return a.repeat(ctx, p, base, f, views, func() (series.Execute, func(), error) {
		end, err := a.sender(p).Beside(ctx, f.LogFailures, &env)
		if err != nil {
			return nil, nil, err
		}
		session, err := run.Open(ctx, env, p)
		if err != nil {
			end()
			return nil, nil, err
		}
		return func(ctx context.Context, p *run.Plan, dir string) (*summary.Summary, error) {
			result, err := session.Execute(ctx, p, dir, nil)
			if err != nil {
				return nil, err
			}
			return result.Summary, nil
		}, func() { session.Close(); end() }, nil
	})
}

// showRepeated shows runs side by side, what they come to together, and how they
// differ from the baseline.
func (a *app) showRepeated(all *summary.Repeated, asJSON bool) error {
	if asJSON {
		return outputs.WriteJSON(a.Stdout, all)
	}
	if a.OutWidth() > 0 { // it fits a terminal
		return a.writer().Document(a.Stdout, "text", document.Repeated(all, ""))
	}
	for _, h := range all.Histories {
		if err := compare.HistoryText(a.Stdout, h, true); err != nil {
			return err
		}
	}
	if all.Mean != nil {
		fmt.Fprintln(a.Stdout)
		if err := compare.RepeatedText(a.Stdout, all.Mean); err != nil {
			return err
		}
	}
	if all.Comparison != nil {
		fmt.Fprintln(a.Stdout)
		return a.writer().Comparison(all.Comparison)
	}
	return nil
}
