package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
	"github.com/perfctl/perfctl/internal/summary/summarytest"
)

type view func(io.Writer, *summary.Summary) error

func viewed(t interface{ Fatal(...any) }, v view, s *summary.Summary) string {
	var b bytes.Buffer
	if err := v(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestViewsForCI(t *testing.T) {
	s := summarytest.Finished(t, t.TempDir(), summarytest.Inputs())
	golden(t, "junit.golden.xml", viewed(t, report.JUnit, s))
	golden(t, "markdown.golden.md", viewed(t, report.Markdown, s))
	golden(t, "annotations.golden", viewed(t, report.Annotations, s))
}

// A CI server counts by the suites' attributes, and they are what the cases say.
func TestJUnitCountsItsCases(t *testing.T) {
	s := summarytest.Finished(t, t.TempDir(), summarytest.Inputs())
	var doc struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Suites   []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Skipped  int `xml:"skipped,attr"`
			Cases    []struct {
				Failure *string `xml:"failure"`
				Error   *string `xml:"error"`
				Skipped *string `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(viewed(t, report.JUnit, s)), &doc); err != nil {
		t.Fatal(err)
	}
	tests, failures := 0, 0
	for _, x := range doc.Suites {
		failed, skipped := 0, 0
		for _, c := range x.Cases {
			if c.Failure != nil {
				failed++
			}
			if c.Skipped != nil {
				skipped++
			}
		}
		if x.Tests != len(x.Cases) || x.Failures != failed || x.Skipped != skipped {
			t.Errorf("a suite says %d, %d, %d and holds %d, %d, %d", x.Tests, x.Failures, x.Skipped, len(x.Cases), failed, skipped)
		}
		tests, failures = tests+len(x.Cases), failures+failed
	}
	// One rule is breached and one check has failed; a warning is no failure.
	if doc.Tests != tests || doc.Failures != failures || failures != 2 || doc.Errors != 0 {
		t.Errorf("%d tests, %d failures, %d errors; the suites hold %d and %d", doc.Tests, doc.Failures, doc.Errors, tests, failures)
	}
	s.Verdict, s.Generator.Status = summary.VerdictInvalid, "invalid"
	if err := xml.Unmarshal([]byte(viewed(t, report.JUnit, s)), &doc); err != nil || doc.Errors != 1 {
		t.Errorf("an invalid run has %d errors (%v)", doc.Errors, err)
	}
}

// What a target sent stays text, whatever it holds.
func TestHostileTextsStayTexts(t *testing.T) {
	base := summarytest.Finished(t, t.TempDir(), summarytest.Inputs())
	rapid.Check(t, func(t *rapid.T) {
		hostile := rapid.SampledFrom([]string{
			"</failure><script>alert(1)</script>", "a\n::error::owned", "%0A::error::owned", "| x | y |\n\n# head", "@everyone <img src=x>",
			"`code` **b** [a](http://x)", "\x00\x1b[31m\ufffe", "]]>", "https://evil.example www.evil.example",
		}).Draw(t, "text") + rapid.String().Draw(t, "more")
		s := *base
		s.Checks = []summary.Check{{Name: hostile, Detail: hostile}}
		s.Failures = []summary.Failure{{Scenario: "tasks", Kind: hostile, Count: 1, Example: hostile}}
		s.SLA = []sla.Result{{Rule: hostile, Metric: "m", Target: hostile, Actual: hostile, Status: sla.Failed, Severity: sla.Fail, Action: hostile}}
		s.Notes = []string{hostile}

		dec := xml.NewDecoder(strings.NewReader(viewed(t, report.JUnit, &s)))
		for {
			tok, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("JUnit is not XML: %v", err)
			}
			if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "script" {
				t.Fatal("JUnit holds the text's element")
			}
		}
		if got := strings.Count(viewed(t, report.Annotations, &s), "\n"); got != 2 {
			t.Fatalf("%d annotations of a breach and a failed check", got)
		}
		md := viewed(t, report.Markdown, &s)
		for _, bad := range []string{"<script", "<img", "@everyone", "[a](", "\n# head", "https://", "www.evil", "**b**"} {
			if strings.Contains(md, bad) {
				t.Fatalf("Markdown holds %q:\n%s", bad, md)
			}
		}
	})
}

func TestAnUndecidedRuleIsNotCalledMissed(t *testing.T) {
	s := &summary.Summary{Verdict: summary.VerdictFail, ExitCode: 99, SLA: []sla.Result{
		{Rule: "mine", Metric: "response_time", Target: "P95 < 500ms", Actual: "12 of 72 samples", Status: sla.Undecided, Severity: sla.Fail, Strict: true}}}
	const want = "undecided: response_time: 12 of 72 samples, target P95"
	for name, write := range map[string]func(io.Writer, *summary.Summary) error{"JUnit": report.JUnit, "annotations": report.Annotations} {
		var b strings.Builder
		if err := write(&b, s); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s, %v:\n%s\nwithout %q", name, err, b.String(), want)
		}
	}
}
