package summary_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
	"github.com/perfctl/perfctl/internal/summary"
	"github.com/perfctl/perfctl/internal/summary/summarytest"
)

func TestASummaryReadsBackAsItWasWritten(t *testing.T) {
	for name, change := range map[string]func(*summary.Summary){
		"without answers": func(*summary.Summary) {},
		"with answers": func(s *summary.Summary) {
			s.Analysis = &analysis.Analysis{Sentences: []string{"it held"}, Findings: []analysis.Finding{{ID: "a", Severity: analysis.Critical}}}
			s.Comparison = &compare.Comparison{Base: []string{"before"}, Word: compare.OK}
		},
	} {
		dir := t.TempDir()
		s := summarytest.Finished(t, dir, summarytest.Inputs())
		change(s)
		if err := summary.Write(dir, s); err != nil {
			t.Fatal(err)
		}
		run, err := rundir.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(s, summary.Read(run), cmpopts.IgnoreUnexported(analysis.Analysis{})); d != "" || run.Incomplete {
			t.Errorf("%s: incomplete %v, notes %q (-want +got):\n%s", name, run.Incomplete, run.Notes, d)
		}
	}
}

// "analysis" is an object in every summary.json, whoever reads it.
func TestWithoutAnAnalysisItsKeyHoldsAnEmptyObject(t *testing.T) {
	text, err := summarytest.Finished(t, t.TempDir(), summarytest.Inputs()).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(text, []byte("\"analysis\": {}\n}\n")) {
		t.Errorf("it ends with %s", text[max(0, len(text)-200):])
	}
}

// A later version may say more, or otherwise; the figures are not lost for it.
func TestAnAnalysisOfAnotherFormIsLeftOutAndTheRestStands(t *testing.T) {
	dir := t.TempDir()
	want := summarytest.Finished(t, dir, summarytest.Inputs())
	path := filepath.Join(dir, rundir.SummaryFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rundirtest.Write(t, path, bytes.Replace(text, []byte("\"analysis\": {}"), []byte("\"analysis\": {\"findings\": 7}"), 1))
	run, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := summary.Read(run)
	if d := cmp.Diff(want, got); d != "" || run.Incomplete {
		t.Errorf("incomplete %v (-want +got):\n%s", run.Incomplete, d)
	}
	if all := strings.Join(run.Notes, "\n"); !strings.Contains(all, "its analysis is of a form that this perfctl does not know") {
		t.Errorf("notes: %s", all)
	}
}

func TestADamagedSummaryIsNone(t *testing.T) {
	dir := t.TempDir()
	summarytest.Finished(t, dir, summarytest.Inputs())
	rundirtest.Write(t, filepath.Join(dir, rundir.SummaryFile), []byte(`{"schema": 1, "verdict": "pass", "stages": 7}`))
	run, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s := summary.Read(run); s != nil || !run.Incomplete || !run.Killed || !strings.Contains(strings.Join(run.Notes, "\n"), "summary.json: damaged") {
		t.Errorf("summary %v, incomplete %v, killed %v, notes %q", s, run.Incomplete, run.Killed, run.Notes)
	}
}
