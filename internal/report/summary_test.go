package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
	"github.com/perfctl/perfctl/internal/summary/summarytest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func text(t *testing.T, s *summary.Summary, o report.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Text(&b, s, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextView(t *testing.T) {
	s := summarytest.Finished(t, t.TempDir(), summarytest.Inputs())
	for name, o := range map[string]report.Options{
		"text-120.golden":  {Width: 120, Dir: "runs/r-4711", Full: true},
		"text-80.golden":   {Width: 80, Dir: "runs/r-4711", Full: true},
		"brief-80.golden":  {Width: 80, Dir: "runs/r-4711", Page: "runs/r-4711/report.html"},
		"brief-120.golden": {Width: 120, Dir: "runs/r-4711", Page: "runs/r-4711/report.html"},
	} {
		golden(t, name, text(t, s, o))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", name, d)
	}
}

func TestReportPrintsWhatTheRunPrinted(t *testing.T) {
	dir := t.TempDir()
	s := summarytest.Finished(t, dir, summarytest.Inputs())
	run, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if run.Incomplete || len(run.Notes) > 0 || run.Outcome == nil {
		t.Fatalf("incomplete %v, notes %q", run.Incomplete, run.Notes)
	}
	for _, o := range []report.Options{{}, {Width: 80}, {Width: 120, Color: true}, {Full: true}, {Width: 80, Full: true}} {
		if d := cmp.Diff(text(t, s, o), text(t, summary.Read(run), o)); d != "" {
			t.Errorf("printed at the end of the run and later (-run +report):\n%s", d)
		}
	}
	again := summary.Summarise(run, summarytest.Inputs())
	if d := cmp.Diff(s, again); d != "" {
		t.Errorf("summarised from memory and from the directory:\n%s", d)
	}
}

func TestAKilledRunIsSummarisedAsIncomplete(t *testing.T) {
	dir := t.TempDir()
	rundirtest.Record(t, dir, 1)
	run, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := summary.Summarise(run, summary.Inputs{})
	if s.Verdict != summary.VerdictIncomplete || s.ExitCode != 111 || !s.Run.Incomplete || s.Arrivals.Succeeded == 0 {
		t.Errorf("verdict %s, exit code %d, incomplete %v, %+v", s.Verdict, s.ExitCode, s.Run.Incomplete, s.Arrivals)
	}
	if len(s.Failures) != 2 || s.Failures[0].Kind != "timeout" || s.Failures[0].Count != 32 {
		t.Errorf("failures from the counters: %+v", s.Failures)
	}
	if out := text(t, s, report.Options{}); !strings.Contains(out, "INCOMPLETE: data is missing: ") || !strings.Contains(out, "summary.json: missing") {
		t.Errorf("printed:\n%s", out)
	}
}

func TestVerdicts(t *testing.T) {
	fail := []sla.Result{{Rule: "a", Status: "fail", Severity: "fail"}, {Rule: "b", Status: "pass"}}
	for name, c := range map[string]struct {
		in         summary.Inputs
		incomplete bool
		verdict    summary.Verdict
		code       int
		line       string
	}{
		"pass":        {in: summary.Inputs{SLA: fail[1:]}, verdict: "pass", code: 0, line: "PASS: 1 of 1 rule held"},
		"no rules":    {verdict: "pass", code: 0, line: "PASS: there was no rule to hold"},
		"warning":     {in: summary.Inputs{SLA: []sla.Result{{Rule: "a", Status: "warn", Severity: "warn"}}}, verdict: "pass", line: "PASS: no rule broken, 1 of 1 warning"},
		"rule missed": {in: summary.Inputs{SLA: fail}, verdict: "fail", code: 99, line: "FAIL: 1 of 2 rules missed: a"},
		"no data": {in: summary.Inputs{SLA: []sla.Result{{Rule: "a", Status: "no_data", Severity: "fail"}}},
			verdict: "fail", code: 99, line: "FAIL: 1 of 1 rule without data: a"},
		"undecided": {in: summary.Inputs{SLA: append([]sla.Result{{Rule: "c", Status: "undecided", Severity: "fail", Strict: true}}, fail...)},
			verdict: "fail", code: 99, line: "FAIL: 1 of 3 rules missed: a; 1 undecided: c"},
		"check failed": {in: summary.Inputs{Checks: []summary.Check{{Name: "c"}}}, verdict: "fail", code: 99, line: "FAIL: 1 of 1 check failed: c"},
		"bottleneck": {in: summary.Inputs{SLA: fail, Generator: &summary.GeneratorHealth{Status: "invalid", Reasons: []string{"arrivals were released late"}}},
			verdict: "invalid", code: 111, line: "INVALID: arrivals were released late"},
		"incomplete":  {in: summary.Inputs{SLA: fail}, incomplete: true, verdict: "incomplete", code: 111, line: "INCOMPLETE: data is missing: disk full; missed all the same: a"},
		"interrupted": {in: summary.Inputs{SLA: fail, Interrupted: true}, verdict: "interrupted", code: 105, line: "INTERRUPTED: after 3s of 10s"},
	} {
		run := rundir.NewRun(rundirtest.Info(), metrics.NewTotals(), 3*time.Second)
		if c.incomplete {
			run.Lose("disk full")
		}
		if c.in.Generator == nil {
			c.in.Generator = &summary.GeneratorHealth{Status: "valid"}
		}
		s := summary.Summarise(run, c.in)
		if s.Verdict != c.verdict || s.ExitCode != c.code {
			t.Errorf("%s: verdict %s, exit code %d, want %s, %d", name, s.Verdict, s.ExitCode, c.verdict, c.code)
		}
		lines := strings.Split(strings.TrimSpace(text(t, s, report.Options{})), "\n")
		if !strings.HasPrefix(lines[0], c.line) {
			t.Errorf("%s: the first line is %q, want %q", name, lines[0], c.line)
		}
		word, _, _ := strings.Cut(c.line, ":")
		if last := fmt.Sprintf("%s; exit code %d", word, c.code); lines[len(lines)-1] != last {
			t.Errorf("%s: the last line is %q, want %q", name, lines[len(lines)-1], last)
		}
		lines = strings.Split(strings.TrimSpace(text(t, s, report.Options{Full: true})), "\n")
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, c.line) || !strings.HasSuffix(last, fmt.Sprintf("exit code %d", c.code)) {
			t.Errorf("%s: the last line of the full summary is %q, want %q", name, last, c.line)
		}
	}
}

func TestNoEscapeSequenceReachesTheTerminal(t *testing.T) {
	s := summarytest.Finished(t, t.TempDir(), summarytest.Inputs())
	if out := text(t, s, report.Options{}); strings.ContainsFunc(out, func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 }) {
		t.Errorf("control characters in\n%q", out)
	} else if !strings.Contains(out, "no confirm within 5s second line") || strings.Contains(out, "owned") {
		t.Errorf("the example of a failure was spoilt:\n%s", out)
	}
	if out := text(t, s, report.Options{Color: true}); !strings.Contains(out, "\x1b[31m") || strings.Contains(out, "\x1b[2J") {
		t.Errorf("colours: %q", out)
	}
}

func TestHostileTextStaysText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		evil := rapid.StringOf(rapid.SampledFrom([]rune("ab;[]0m\x1b\x07\\\u009b\u009d\u202e\x00\r\n…é"))).Draw(t, "evil")
		s := &summary.Summary{
			Failures: []summary.Failure{{Scenario: evil, Kind: evil, Example: evil}},
			Checks:   []summary.Check{{Name: evil, Detail: evil}},
			SLA:      []sla.Result{{Rule: evil, Target: evil, Actual: evil, Action: evil, Status: sla.Status(evil)}},
			Metrics:  map[string]summary.Metric{evil: {Type: "counter", Counter: &summary.CounterFigures{}}},
			Notes:    []string{evil},
		}
		var b bytes.Buffer
		if err := report.Text(&b, s, report.Options{Dir: evil, Full: rapid.Bool().Draw(t, "full")}); err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(b.Bytes()) || bytes.ContainsAny(b.Bytes(), "\x1b\x07\x00\r\u009b\u009d\u202e") {
			t.Fatalf("printed %q", b.String())
		}
	})
}
