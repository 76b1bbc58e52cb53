// Package plan shows what would be run, without running it: a plan, and what scenarios
// are and take. It decides nothing, and knows no run that was made.
package plan

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/run"
)

// number prints a number with three digits.
func number(v float64) string { return figure.Value(v, metrics.UnitCount) }

// Text writes what would be run: the stages, the number of arrivals, the rate over time,
// the scenarios, the rules, and every setting with its origin.
func Text(b *strings.Builder, p *run.Plan) {
	fmt.Fprintf(b, "profile %s: %s\n\n", figure.Line(p.Profile().Name), figure.Line(p.Profile().Description))
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "stage\tstarts\tlasts\trate/s\tclass\tjudged\tarrivals")
	for i, s := range p.Profile().Stages {
		rate := number(s.From)
		if s.From != s.To {
			rate += " → " + number(s.To)
		}
		if s.Burst > 0 {
			rate = figure.Count(s.Burst) + " at once"
			if s.From > 0 || s.To > 0 {
				rate += ", then " + number(s.From) + " → " + number(s.To)
			}
		}
		if s.Users != nil {
			rate = usersText(s.Users)
		}
		judged := "yes"
		if !s.Judged {
			judged = "no"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", figure.Line(s.Name), figure.Duration(p.Schedule().StageStart(i).Round(time.Millisecond)),
			figure.Duration(s.Duration.Round(time.Millisecond)), rate, s.Class, judged, arrivalsText(p, i))
	}
	_ = tw.Flush() // a strings.Builder takes everything
	fmt.Fprintf(b, "\ntotal: %s in %s", totalText(p), figure.Duration(p.Schedule().Duration().Round(time.Millisecond)))
	if shard, shards := p.Shard(); shards > 1 {
		fmt.Fprintf(b, ", of which this shard (%d of %d) offers every %dth", shard, shards, shards)
	}
	fmt.Fprint(b, "\n\n", sketch(p))
	fmt.Fprint(b, timetable(p))
	fmt.Fprintln(b, "\nscenarios:")
	tw = tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, s := range p.Shares() {
		arrivals := figure.Count(s.Arrivals) + " arrivals"
		if s.OpenEnded {
			arrivals = "arrivals as they come"
		}
		fmt.Fprintf(tw, "  %s\tweight %d\t%s\tat most %s in flight\n", s.Name, s.Weight, arrivals, figure.Count(int64(s.MaxInFlight)))
	}
	_ = tw.Flush()
	fmt.Fprintln(b, "\nrules:")
	tw = tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, r := range p.Rules() {
		text := figure.Line(r.Text)
		if r.Name == r.Text || r.Plain() == r.Name {
			text = "" // a threshold's name is all that it says
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\n", r.Severity, figure.Line(r.Name), text)
	}
	_ = tw.Flush()
	fmt.Fprintln(b, "\nsettings:")
	tw = tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, s := range p.Settings() {
		fmt.Fprintf(tw, "  %s\t%s\t%s\n", figure.Line(s.Name), figure.Line(s.Value), figure.Line(s.Origin))
	}
	_ = tw.Flush()
}
