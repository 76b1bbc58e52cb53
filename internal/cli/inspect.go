package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/run"
)

const inspectExamples = `  perfctl inspect load
  perfctl inspect spike --peak 500 --time-scale 0.1
  perfctl inspect my-profile.yaml --env-file .env.test`

func (a *app) inspectCommand() *cobra.Command {
	f := &planFlags{}
	c := &cobra.Command{
		Use:     "inspect <profile>",
		Short:   "Show the plan of a run, without running it",
		Long:    "Inspect checks what run checks, and shows the stages, the number of arrivals, the\nrate over time, the rules that will be judged, and every setting with its origin.",
		Example: inspectExamples,
		Args:    oneArg("a profile's name or file"),
	}
	f.register(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.plan(c.Context(), args[0], f, c.Flags(), nil)
		if err != nil {
			return err
		}
		var b strings.Builder
		printPlan(&b, p)
		text := b.String()
		if width := a.OutWidth(); width > 0 {
			text = wrapText(text, max(width, leastHelp))
		}
		_, err = io.WriteString(a.Stdout, text)
		return err
	}
	c.ValidArgsFunction = completeProfiles
	return c
}

// number prints a number with three digits.
func number(v float64) string { return figure.Value(v, metrics.UnitCount) }

func printPlan(b *strings.Builder, p *run.Plan) {
	fmt.Fprintf(b, "profile %s: %s\n\n", figure.Line(p.Profile().Name), figure.Line(p.Profile().Description))
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "stage\tstarts\tlasts\trate/s\tclass\tjudged\tarrivals")
	for i, s := range p.Profile().Stages {
		rate := number(s.From)
		if s.From != s.To {
			rate += " → " + number(s.To)
		}
		if s.Burst > 0 {
			rate = fmt.Sprintf("%d at once", s.Burst)
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
		arrivals := fmt.Sprintf("%d arrivals", s.Arrivals)
		if s.OpenEnded {
			arrivals = "arrivals as they come"
		}
		fmt.Fprintf(tw, "  %s\tweight %d\t%s\tat most %d in flight\n", s.Name, s.Weight, arrivals, s.MaxInFlight)
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

const (
	sketchWidth  = 60
	sketchHeight = 8
)

// sketch draws the rate over time, and the users.
func sketch(p *run.Plan) string {
	s := p.Schedule()
	return sketchOf(s.Duration(), s.MaxRate(), "/s", s.RateAt) + sketchOf(s.Duration(), float64(s.MaxUsers()), " users", s.UsersAt)
}

// sketchOf draws a line over time with blocks, an eighth of a line exact.
func sketchOf(d time.Duration, top float64, unit string, of func(time.Duration) float64) string {
	if d <= 0 || top <= 0 {
		return ""
	}
	var b strings.Builder
	for row := sketchHeight - 1; row >= 0; row-- {
		label := ""
		switch row {
		case sketchHeight - 1:
			label = number(top) + unit
		case 0:
			label = "0"
		}
		fmt.Fprintf(&b, "%9s │", label)
		for x := range sketchWidth {
			at := time.Duration((float64(x) + 0.5) / sketchWidth * float64(d))
			filled := of(at)/top*sketchHeight - float64(row)
			b.WriteRune(figure.Block(filled))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%9s └%s\n", "", strings.Repeat("─", sketchWidth))
	end := figure.Duration(d.Round(time.Millisecond))
	fmt.Fprintf(&b, "%10s0%*s\n", "", sketchWidth, end)
	return b.String()
}
