package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/exitcode"
)

// capacityFile is what a search leaves beside its trials.
const capacityFile = "capacity.json"

// capacityReport is capacity.json and the output of capacity --json.
type capacityReport struct {
	Schema  int       `json:"schema"`
	Started time.Time `json:"started"`
	Command []string  `json:"command"`
	Seed    uint64    `json:"seed"`
	Process string    `json:"arrivals_process"`
	// Required is the rate of --require, nil without.
	Required *float64 `json:"required"`
	Verdict  string   `json:"verdict"`
	ExitCode int      `json:"exit_code"`
	// Results has one entry: for the mix, or with --each for each scenario.
	Results []capacity.Result `json:"results"`
}

// conclude decides the exit code. A capacity that is not known, or not known to
// be what was required, is a breach; where the generator is why, nothing is
// known about the target.
func (c *capacityReport) conclude(required float64, err error) {
	if required > 0 {
		c.Required = &required
	}
	code := exitcode.Pass
	for _, r := range c.Results {
		generator := r.End == capacity.Generator || r.End == capacity.CannotSay && r.GeneratorLimit != nil
		switch {
		case r.Lower != nil && (required == 0 || r.Confirmed && r.Meets(required)):
		case generator:
			code = exitcode.Worst(code, exitcode.Invalid)
		default:
			code = exitcode.Worst(code, exitcode.Breached)
		}
	}
	if err != nil {
		worst := exitcode.Unexpected
		if e, ok := errors.AsType[*exitError](err); ok {
			worst = e.code
		}
		code = worst
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
	for i := range c.Results {
		if err := capacity.Text(w.stdout, &c.Results[i]); err != nil {
			return err
		}
	}
	return w.capacityVerdict(c, dir)
}

// capacityVerdict prints the last line.
func (w *world) capacityVerdict(c *capacityReport, dir string) error {
	word := strings.ToUpper(c.Verdict)
	why := "the capacity is known"
	switch {
	case c.ExitCode == exitcode.Interrupted:
		why = "what was known by then is above"
	case c.Required != nil && c.ExitCode == exitcode.Pass:
		why = fmt.Sprintf("the required %s/s are held", compact(*c.Required))
	case c.Required != nil:
		why = fmt.Sprintf("the required %s/s are not known to be held", compact(*c.Required))
	case c.ExitCode != exitcode.Pass:
		why = "the capacity is not known"
	}
	colour := "31;1"
	if c.ExitCode == exitcode.Pass {
		colour = "32;1"
	}
	_, err := fmt.Fprintf(w.stdout, "\n%s: %s; trials in %s; exit code %d\n", w.paint(w.outTTY, colour, word), why, dir, c.ExitCode)
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
