package trials

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
)

// File is what a search leaves beside its trials.
const File = "capacity.json"

// Report is capacity.json, and the output of capacity --json.
type Report struct {
	Schema   int       `json:"schema"`
	Started  time.Time `json:"started"`
	Command  []string  `json:"command"`
	Seed     uint64    `json:"seed"`
	Process  string    `json:"arrivals_process"`
	Verdict  string    `json:"verdict"`
	ExitCode int       `json:"exit_code"`
	// Results has one entry: for the mix, or with --each for each scenario.
	Results []Part `json:"results"`
}

// Part is one search, and what came of the rules about a capacity.
type Part struct {
	capacity.Result
	SLA []sla.Result `json:"sla"`
}

// answer is the capacity as rules see it: the lower bound, once it was held for a
// confirming trial.
func answer(r *capacity.Result) sla.Answer {
	a := sla.Answer{Metric: sla.Capacity, Exercised: true}
	switch {
	case r.Lower == nil || !r.Confirmed:
		a.Because = "cannot say: " + r.Because
	default:
		a.Value, a.AtLeast = *r.Lower, r.Upper == nil
		if r.Users {
			a.Text = r.Said(*r.Lower)
		}
	}
	return a
}

// conclude decides the exit code. A capacity that is not known, or not known to be
// what a rule asks for, is a breach; where the generator is why, nothing is known
// about the target.
func (c *Report) conclude(err error) {
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
		code = exitcode.Of(err)
	}
	c.ExitCode = code
	switch code {
	case exitcode.Pass:
		c.Verdict = states.Pass
	case exitcode.Breached:
		c.Verdict = states.Fail
	case exitcode.Interrupted:
		c.Verdict = states.Interrupted
	default:
		c.Verdict = states.Invalid
	}
}

// Known says whether anything was found.
func (c *Report) Known() bool {
	return len(c.Results) != 1 || len(c.Results[0].Trials) > 0
}

// Why says in a few words what the exit code means here.
func (c *Report) Why() string {
	switch c.ExitCode {
	case exitcode.Pass:
		return "the capacity is known"
	case exitcode.Breached:
		return "the capacity is not known, or is not what is required"
	case exitcode.Invalid:
		return "the generator was the limit"
	case exitcode.Interrupted:
		return "what was known by then is above"
	}
	return "the search could not go on, what was known by then is above"
}

// Holds says whether a directory holds a capacity.
func Holds(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, File))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Encode returns the report as JSON, as its file holds it.
func (c *Report) Encode() ([]byte, error) {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", File, err)
	}
	return append(text, '\n'), nil
}

// Write writes the report into a directory, which it makes where it is not there.
func (c *Report) Write(dir string) error {
	text, err := c.Encode()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return exitcode.ConfigError(fmt.Errorf("make the directory of the capacity: %w", err))
	}
	if err := rundir.Replace(filepath.Join(dir, File), text); err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	return nil
}

// Read reads the report in a directory, and returns its text as well.
func Read(dir string) (*Report, []byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil {
		return nil, nil, fmt.Errorf("read the capacity: %w", err)
	}
	c := new(Report)
	if err := json.Unmarshal(text, c); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", filepath.Join(dir, File), err)
	}
	return c, text, nil
}

// line says what a trial came to.
func line(a capacity.Ask, t capacity.Trial, users bool) string {
	var b strings.Builder
	load := figure.Value(a.Rate, metrics.UnitPerSec)
	if users {
		load = figure.Value(a.Rate, metrics.UnitCount) + " users"
	}
	fmt.Fprintf(&b, "trial %2d  %10s  %5s  %-7s  %-7s", a.Number, load, a.Length.Round(100*time.Millisecond), a.Purpose, t.Outcome)
	if t.Load.P95 != nil {
		at := ""
		if t.Load.AtLeast {
			at = "≥"
		}
		fmt.Fprintf(&b, "  p95 %s%s", at, figure.Value(*t.Load.P95*1e6, metrics.UnitTime))
	}
	switch {
	case t.Outcome == capacity.Invalid && len(t.Reasons) > 0:
		fmt.Fprintf(&b, "  generator: %s", t.Reasons[0])
	case len(t.Breaches) > 0:
		fmt.Fprintf(&b, "  %s", t.Breaches[0])
	}
	return b.String()
}
