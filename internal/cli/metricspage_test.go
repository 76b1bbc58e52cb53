package cli

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/run"
)

var update = flag.Bool("update", false, "write the page of metrics")

const metricsFile = "../../docs/metrics.md"

// metricsPage is docs/metrics.md as the program knows its metrics.
func metricsPage() string {
	var b strings.Builder
	b.WriteString(`# Metrics

The metrics that a run can record, and that rules, thresholds and outputs may name, but
for the generator's own gauges (` + "`generator_…`" + `, see [measuring.md](measuring.md)):
[judging.md](judging.md) says how a rule is written, [outputs.md](outputs.md) how the
names look elsewhere. A trend is a histogram of times, a counter is added up, a gauge is
read each second, a rate is a share. Times are in milliseconds in reports and JSON.

This page is made of the program:
` + "`go test ./internal/cli -run TestTheMetricsPage -update`" + ` writes it anew.
`)
	for _, g := range run.MetricGroups() {
		if len(g.Metrics) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n| metric | kind | unit | what it is |\n|---|---|---|---|\n", g.Title)
		for _, m := range g.Metrics {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Kind, unitWords[m.Unit], cmp.Or(strings.ReplaceAll(m.Help, "|", "\\|"), "–"))
		}
	}
	return b.String()
}

var unitWords = map[metrics.Unit]string{metrics.UnitTime: "time", metrics.UnitSeconds: "seconds", metrics.UnitBytes: "bytes", metrics.UnitCount: "number",
	metrics.UnitRatio: "share", metrics.UnitPercent: "percent", metrics.UnitPerSec: "per second"}

func TestTheMetricsPageIsWhatTheProgramKnows(t *testing.T) {
	if *update {
		if err := os.WriteFile(metricsFile, []byte(metricsPage()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(metricsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != metricsPage() {
		t.Error("docs/metrics.md is not what the program knows; run: go test ./internal/cli -run TestTheMetricsPage -update")
	}
}

// A metric that says nothing of itself helps nobody.
func TestEveryMetricSaysWhatItIs(t *testing.T) {
	for _, g := range run.MetricGroups() {
		for _, m := range g.Metrics {
			if m.Help == "" || unitWords[m.Unit] == "" {
				t.Errorf("%s: %s has the unit %q and says %q", g.Title, m.Name, m.Unit, m.Help)
			}
		}
	}
}
