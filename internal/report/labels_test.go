package report_test

import (
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/summary"
	"github.com/perfctl/perfctl/internal/summary/summarytest"
)

// The labels of a run are in both forms of its summary, in one order and harmless.
func TestLabelsAreShown(t *testing.T) {
	s := summarytest.Finished(t, t.TempDir(), summarytest.Inputs())
	s.Run.Tags = map[string]string{"env": "staging", "branch": "ma\x1b[31min"}
	for _, full := range []bool{false, true} {
		var b strings.Builder
		if err := report.Text(&b, s, report.Options{Full: full, Width: 100}); err != nil {
			t.Fatal(err)
		}
		want := report.Labels(&s.Run)
		if !strings.HasPrefix(want, "branch=ma") || !strings.HasSuffix(want, "in, env=staging") || strings.ContainsRune(want, '\x1b') || !strings.Contains(b.String(), want) {
			t.Errorf("full %t: %q is not in\n%s", full, want, b.String())
		}
	}
	if got := report.Labels(&summary.RunBlock{}); got != "" {
		t.Errorf("a run without labels has %q", got)
	}
}
