package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/engine"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/secrets"
	"github.com/perfctl/perfctl/internal/targets"
)

const inspectExamples = `  perfctl inspect load
  perfctl inspect spike --peak 500 --time-scale 0.1
  perfctl inspect my-profile.yaml --env-file .env.test`

func (w *world) inspectCommand() *cobra.Command {
	f := &planFlags{}
	c := &cobra.Command{
		Use:     "inspect <profile>",
		Short:   "Show the plan of a run, without running it",
		Long:    "Inspect shows the stages, the number of arrivals, the rate over time, and every setting with its origin.",
		Example: inspectExamples,
		Args:    oneArg("a profile's name or file"),
	}
	f.register(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := makePlan(args[0], f, c.Flags())
		if err != nil {
			return err
		}
		ls, err := w.loadLayers(&f.settingFlags, p.config, nil)
		if err != nil {
			return err
		}
		s, err := resolveTargets(ls)
		if err != nil {
			return err
		}
		return printPlan(w.stdout, p, p.allSettings(c.Flags(), s))
	}
	c.ValidArgsFunction = completeProfiles
	return c
}

// setting is one line of what inspect lists and run.json holds.
type setting struct{ name, value, origin string }

// allSettings lists every setting of the plan with its origin: flags, targets,
// scenarios. Secrets are redacted.
func (p *plan) allSettings(fs *pflag.FlagSet, s *targets.Settings) []setting {
	var out []setting
	fs.VisitAll(func(f *pflag.Flag) {
		switch f.Name {
		case "help", "env", "set", "config", "json", "quiet":
			return
		}
		out = append(out, setting{"--" + f.Name, secrets.Shown(f.Name, f.Value.String()), p.origins[f.Name]})
	})
	kinds := p.targetKinds()
	for _, x := range s.List {
		if slices.ContainsFunc(kinds, func(k targets.Kind) bool { return targets.Owns(k, x.Name) }) {
			out = append(out, setting{x.Name, x.Value, x.Origin})
		}
	}
	for i, d := range p.defs {
		for _, o := range d.Settings {
			value, origin := p.stageValues(i, o.Key), "default"
			if value != o.Default {
				origin = "profile, file or --set"
			}
			out = append(out, setting{d.Name + "." + o.Key, p.shownValues(i, o.Key), origin})
			if _, file := o.Type.(scenarios.File); file && value != "" {
				out = append(out, setting{d.Name + "." + o.Key + " sha256", fingerprint(value), origin})
			}
		}
	}
	return out
}

// fingerprint tells the contents of a file from others: two runs with files of one
// name need not be of one load.
func fingerprint(path string) string {
	data, err := scenarios.ReadFile(path)
	if err != nil {
		return "unreadable"
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

// shownValues is stageValues without secrets.
func (p *plan) shownValues(i int, key string) string {
	var all []string
	for s := range p.profile.Stages {
		all = append(all, secrets.Shown(key, p.values[i].Text(s, key)))
	}
	if len(slices.Compact(slices.Clone(all))) == 1 {
		return all[0]
	}
	return strings.Join(all, " | ")
}

// stageValues shows a scenario's setting: one value, or one for each stage
// where they differ.
func (p *plan) stageValues(i int, key string) string {
	var all []string
	for s := range p.profile.Stages {
		all = append(all, p.values[i].Text(s, key))
	}
	if len(slices.Compact(slices.Clone(all))) == 1 {
		return all[0]
	}
	return strings.Join(all, " | ")
}

func printPlan(out io.Writer, p *plan, settings []setting) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "profile %s: %s\n\n", figure.Line(p.profile.Name), figure.Line(p.profile.Description))
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "stage\tstarts\tlasts\trate/s\tclass\tjudged\tarrivals")
	for i, s := range p.profile.Stages {
		rate := compact(s.From)
		if s.From != s.To {
			rate += " → " + compact(s.To)
		}
		if s.Burst > 0 {
			rate = fmt.Sprintf("%d at once", s.Burst)
			if s.From > 0 || s.To > 0 {
				rate += ", then " + compact(s.From) + " → " + compact(s.To)
			}
		}
		judged := "yes"
		if !s.Judged {
			judged = "no"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", figure.Line(s.Name), shortDuration(p.schedule.StageStart(i).Round(time.Millisecond)),
			shortDuration(s.Duration.Round(time.Millisecond)), rate, s.Class, judged, p.schedule.StageTotal(i))
	}
	_ = tw.Flush() // a strings.Builder takes everything
	fmt.Fprintf(b, "\ntotal: %d arrivals in %s", p.schedule.Total(), shortDuration(p.schedule.Duration().Round(time.Millisecond)))
	if p.shards > 1 {
		fmt.Fprintf(b, ", of which this shard (%d of %d) offers every %dth", p.shard, p.shards, p.shards)
	}
	fmt.Fprint(b, "\n\n", sketch(p))
	fmt.Fprintln(b, "\nscenarios:")
	tw = tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	shares := engine.Split(p.flags.vus, p.shares())
	for i, d := range p.defs {
		fmt.Fprintf(tw, "  %s\tweight %d\t%d arrivals\tat most %d in flight\n", d.Name, p.weights[i].Weight,
			p.mix.Count(i, p.schedule.Total()), shares[i])
	}
	_ = tw.Flush()
	fmt.Fprintln(b, "\nsettings:")
	tw = tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, s := range settings {
		fmt.Fprintf(tw, "  %s\t%s\t%s\n", figure.Line(s.name), figure.Line(s.value), figure.Line(s.origin))
	}
	_ = tw.Flush()
	_, err := io.WriteString(out, b.String())
	return err
}

const (
	sketchWidth  = 60
	sketchHeight = 8
)

// sketch draws the rate over time with blocks, an eighth of a line exact.
func sketch(p *plan) string {
	d, top := p.schedule.Duration(), p.schedule.MaxRate()
	if d <= 0 || top <= 0 {
		return ""
	}
	blocks := []rune(" ▁▂▃▄▅▆▇█")
	var b strings.Builder
	for row := sketchHeight - 1; row >= 0; row-- {
		label := ""
		switch row {
		case sketchHeight - 1:
			label = compact(top) + "/s"
		case 0:
			label = "0"
		}
		fmt.Fprintf(&b, "%9s │", label)
		for x := range sketchWidth {
			at := time.Duration((float64(x) + 0.5) / sketchWidth * float64(d))
			filled := p.schedule.RateAt(at)/top*sketchHeight - float64(row)
			b.WriteRune(blocks[int(math.Round(min(max(filled, 0), 1)*8))])
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%9s └%s\n", "", strings.Repeat("─", sketchWidth))
	end := shortDuration(d.Round(time.Millisecond))
	fmt.Fprintf(&b, "%10s0%*s\n", "", sketchWidth, end)
	return b.String()
}
