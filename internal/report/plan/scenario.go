package plan

import (
	"cmp"
	"fmt"
	"io"

	"github.com/perfctl/perfctl/internal/run"
)

// Scenario describes a scenario, with its metrics where they are asked for. Its columns
// are set apart by tabs.
func Scenario(w io.Writer, d run.Description, withMetrics bool) {
	fmt.Fprintf(w, "%s: %s\n", d.Name, d.Summary)
	for _, o := range d.Settings {
		stage := ""
		if o.PerStage {
			stage = " (may change in a stage)"
		}
		fmt.Fprintf(w, "  %s.%s\t%s\t%s%s\n", d.Name, o.Key, cmp.Or(o.Default, "–"), o.Help, stage)
	}
	for _, f := range d.Fields {
		fmt.Fprintf(w, "  {{%s}}\t\t%s\n", f[0], f[1])
	}
	if withMetrics {
		for _, m := range d.Metrics {
			fmt.Fprintf(w, "  metric %s\t%s, %s\t%s\n", m.Name, m.Kind, m.Unit, m.Help)
		}
	}
	fmt.Fprintln(w)
}
