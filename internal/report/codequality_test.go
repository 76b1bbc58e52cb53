package report_test

import (
	"encoding/json"
	"testing"

	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// GitLab refuses a report that lacks any of these, and tells issues apart by their
// fingerprints: that of a rule stays while its figure changes.
func TestCodeQualityIsWhatGitLabReads(t *testing.T) {
	issues := func(actual string) (out []struct {
		Description, Fingerprint, Severity string
		CheckName                          string `json:"check_name"`
		Location                           struct {
			Path  string
			Lines struct{ Begin int }
		}
	}) {
		t.Helper()
		s := &summary.Summary{Verdict: summary.VerdictFail, SLA: []sla.Result{
			{Rule: "P95", Metric: "response_time", Status: sla.Failed, Severity: sla.Fail, Actual: actual, Target: "P95 < 1s"},
			{Rule: "P50", Metric: "response_time", Status: sla.Warned, Severity: sla.Warn, Actual: actual, Target: "P50 < 1s"},
		}, Checks: []summary.Check{{Name: "tasks_lost", Detail: "2"}, {Name: "tasks_lost", Detail: "3"}}}
		s.Run.Profile = "load"
		if err := json.Unmarshal([]byte(viewed(t, report.CodeQuality, s)), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	first, second := issues("2s"), issues("3s")
	seen := map[string]bool{}
	severities := map[string]int{}
	for i, x := range first {
		if x.Description == "" || x.CheckName == "" || x.Location.Path != "load" || x.Location.Lines.Begin != 1 || seen[x.Fingerprint] || x.Fingerprint != second[i].Fingerprint {
			t.Errorf("%+v", x)
		}
		seen[x.Fingerprint] = true
		severities[x.Severity]++
	}
	if len(first) != 4 || severities["critical"] != 3 || severities["minor"] != 1 {
		t.Errorf("issues: %v", severities)
	}
	if got := viewed(t, report.CodeQuality, &summary.Summary{Verdict: summary.VerdictPass}); got != "[]\n" {
		t.Errorf("a run that passed has %s", got)
	}
}
