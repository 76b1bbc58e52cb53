package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/sla"
)

// capacityFile is what a search leaves beside its trials.
const capacityFile = "capacity.json"

// capacityReport is capacity.json and the output of capacity --json.
type capacityReport struct {
	Schema   int       `json:"schema"`
	Started  time.Time `json:"started"`
	Command  []string  `json:"command"`
	Seed     uint64    `json:"seed"`
	Process  string    `json:"arrivals_process"`
	Verdict  string    `json:"verdict"`
	ExitCode int       `json:"exit_code"`
	// Results has one entry: for the mix, or with --each for each scenario.
	Results []capacityPart `json:"results"`
}

// capacityPart is one search, and what came of the rules about a capacity.
type capacityPart struct {
	capacity.Result
	SLA []sla.Result `json:"sla"`
}

// capacityAnswer is the capacity as rules see it: the lower bound, once it was
// held for a confirming trial.
func capacityAnswer(r *capacity.Result) sla.Answer {
	a := sla.Answer{Metric: sla.Capacity, Exercised: true}
	switch {
	case r.Lower == nil || !r.Confirmed:
		a.Because = "cannot say: " + r.Because
	default:
		a.Value, a.AtLeast = *r.Lower, r.Upper == nil
	}
	return a
}

// conclude decides the exit code. A capacity that is not known, or not known to
// be what a rule asks for, is a breach; where the generator is why, nothing is
// known about the target.
func (c *capacityReport) conclude(err error) {
	code := exitcode.Pass
	for _, r := range c.Results {
		missed := slices.ContainsFunc(r.SLA, sla.Result.Breaches)
		if r.Lower != nil && !missed {
			continue
		}
		failed := exitcode.Breached
		if r.End == capacity.Generator || r.End == capacity.CannotSay && r.GeneratorLimit != nil {
			failed = exitcode.Invalid
		}
		code = exitcode.Worst(code, failed)
	}
	if err != nil {
		code = exitcode.Unexpected
		if e, ok := errors.AsType[*exitError](err); ok {
			code = e.code
		}
	}
	c.ExitCode = code
	switch code {
	case exitcode.Pass:
		c.Verdict = "pass"
	case exitcode.Breached:
		c.Verdict = "fail"
	case exitcode.Interrupted:
		c.Verdict = "interrupted"
	default:
		c.Verdict = "invalid"
	}
}

// hasCapacity says whether a directory holds a capacity already.
func hasCapacity(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, capacityFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// presentCapacity writes capacity.json and prints what was found.
func (w *world) presentCapacity(c *capacityReport, dir string, f *capacityFlags) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", capacityFile, err)
	}
	text = append(text, '\n')
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return invalidConfig(fmt.Errorf("make the directory of the capacity: %w", err))
	}
	if err := os.WriteFile(filepath.Join(dir, capacityFile), text, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", capacityFile, err)
	}
	if f.json {
		_, err := w.stdout.Write(text)
		return err
	}
	return w.capacityText(c, dir)
}

// reportCapacity shows a search again. Its views are text and JSON.
func (w *world) reportCapacity(dir string, o output) error {
	text, err := os.ReadFile(filepath.Join(dir, capacityFile))
	if err != nil {
		return usageError("read the capacity: %w", err)
	}
	var c capacityReport
	if err := json.Unmarshal(text, &c); err != nil {
		return usageError("read %s: %w", filepath.Join(dir, capacityFile), err)
	}
	switch {
	case o.where != "-" || o.format != "text" && o.format != "json":
		return usageError("%s holds a capacity: it is shown as text or json, on stdout; the views of its trials are those of their run directories", dir)
	case o.format == "json":
		_, err = w.stdout.Write(text)
	default:
		err = w.capacityText(&c, dir)
	}
	if err != nil || c.ExitCode == exitcode.Pass {
		return err
	}
	return verdictCode(c.ExitCode)
}

// capacityText prints what was found for people.
func (w *world) capacityText(c *capacityReport, dir string) error {
	for i := range c.Results {
		r := &c.Results[i]
		if err := capacity.Text(w.stdout, &r.Result); err != nil {
			return err
		}
		for _, x := range r.SLA {
			mark := w.paint(w.outTTY, "32", "✓")
			if x.Status != sla.Passed {
				mark = w.paint(w.outTTY, "31", "✗")
			}
			if _, err := fmt.Fprintf(w.stdout, "  %s %s: %s\n", mark, x.Rule, x.Actual); err != nil {
				return err
			}
		}
	}
	return w.capacityVerdict(c, dir)
}

// capacityVerdict prints the last line.
func (w *world) capacityVerdict(c *capacityReport, dir string) error {
	why := map[int]string{
		exitcode.Pass:        "the capacity is known",
		exitcode.Breached:    "the capacity is not known, or is not what is required",
		exitcode.Invalid:     "the generator was the limit",
		exitcode.Interrupted: "what was known by then is above",
	}[c.ExitCode]
	if why == "" {
		why = "the search could not go on, what was known by then is above"
	}
	colour := "31;1"
	if c.ExitCode == exitcode.Pass {
		colour = "32;1"
	}
	_, err := fmt.Fprintf(w.stdout, "\n%s: %s; trials in %s; exit code %d\n",
		w.paint(w.outTTY, colour, strings.ToUpper(c.Verdict)), why, dir, c.ExitCode)
	return err
}

// roundRate rounds a rate for a directory's name.
func roundRate(r float64) float64 {
	if r >= 100 {
		return math.Round(r)
	}
	return math.Round(r*100) / 100
}

// trialLine tells what a trial came to.
func trialLine(a capacity.Ask, t capacity.Trial) string {
	var b strings.Builder
	fmt.Fprintf(&b, "trial %2d  %8s/s  %5s  %-7s  %-7s", a.Number, compact(a.Rate), a.Length.Round(100*time.Millisecond), a.Purpose, t.Outcome)
	if t.Load.P95 != nil {
		at := ""
		if t.Load.AtLeast {
			at = "≥"
		}
		fmt.Fprintf(&b, "  p95 %s%s", at, compactTime(time.Duration(*t.Load.P95*1e6)))
	}
	switch {
	case t.Outcome == capacity.Invalid && len(t.Reasons) > 0:
		fmt.Fprintf(&b, "  generator: %s", t.Reasons[0])
	case len(t.Breaches) > 0:
		fmt.Fprintf(&b, "  %s", t.Breaches[0])
	}
	return b.String()
}
