package flags

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/faults"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/secrets"
)

// parseFaults reads what --fault breaks.
func parseFaults(list []string) (out []faults.Fault, err error) {
	var errs []error
	for _, text := range list {
		f, err := faults.Parse(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--%w", err))
			continue
		}
		f.Place = "--fault " + text
		out = append(out, f)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	return out, nil
}

// scaleFaults scales the times of faults as those of stages are.
func scaleFaults(list []faults.Fault, scale float64) {
	for i := range list {
		list[i] = profiles.ScaleFault(list[i], scale)
	}
}

// mostShards bounds the parts of a run.
const mostShards = 10_000

func parseShard(s string) (shard, shards int, err error) {
	if s == "" {
		return 0, 1, nil
	}
	a, b, ok := strings.Cut(s, "/")
	i, err1 := strconv.Atoi(a)
	n, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || n < 1 || n > mostShards || i < 0 || i >= n {
		return 0, 0, exitcode.UsageError("--shard %q: want I/N with I from 0 to N-1, as in 0/4", s)
	}
	return i, n, nil
}

// parseWeights reads tasks=4,voting=2; a name alone weighs 1, a weight of 0 leaves the
// scenario out.
func parseWeights(s string) ([]profiles.Weight, error) {
	if s == "" {
		return nil, nil
	}
	var out []profiles.Weight
	for item := range strings.SplitSeq(s, ",") {
		name, weight, has := strings.Cut(strings.TrimSpace(item), "=")
		n := 1
		if has {
			var err error
			if n, err = strconv.Atoi(weight); err != nil || n < 0 || n > 1000 {
				return nil, exitcode.UsageError("--scenario %s: the weight %q is not a whole number from 0 to 1000", item, weight)
			}
		}
		if slices.ContainsFunc(out, func(w profiles.Weight) bool { return w.Scenario == name }) {
			return nil, exitcode.UsageError("--scenario names %s twice", name)
		}
		if n > 0 {
			out = append(out, profiles.Weight{Scenario: name, Weight: n})
		}
	}
	if len(out) == 0 {
		return nil, exitcode.UsageError("--scenario %q leaves no scenario", s)
	}
	return out, nil
}

// parseValues reads what --set sets.
func parseValues(list []string) (out []run.Value, err error) {
	for _, s := range list {
		left, value, ok := strings.Cut(s, "=")
		scenario, key, dotted := strings.Cut(left, ".")
		if !ok || !dotted {
			return nil, exitcode.UsageError("--set %q: want SCENARIO.KEY=VALUE, as in tasks.agents=50", secrets.Label(s))
		}
		out = append(out, run.Value{Scenario: scenario, Key: key, Value: value, Place: "--set " + left})
	}
	return out, nil
}
