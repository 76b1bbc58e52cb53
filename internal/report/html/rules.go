package html

import (
	"slices"

	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// ruleRow is a rule, once, with the stages that it was judged in.
type ruleRow struct {
	sla.Result
	In []sla.Result
}

// MissedRules returns the missed rules, each once: what it came to in all, or where it
// was only judged in stages in the first that missed it, and each stage beside it.
// Where nothing succeeded, those without data are left to WithoutData.
func (v view) MissedRules() []ruleRow {
	rows := v.rows(v.Missed, nil)
	if v.Summary.Arrivals.Succeeded > 0 {
		return rows
	}
	return slices.DeleteFunc(rows, func(r ruleRow) bool { return r.Status == sla.NoData })
}

// WithoutData counts the rules that have no data because nothing succeeded.
func (v view) WithoutData() int { return len(v.rows(v.Missed, nil)) - len(v.MissedRules()) }

// HeldRules returns the rules that held wherever they were judged, each once.
func (v view) HeldRules() []ruleRow { return v.rows(v.Held, v.Missed) }

// rows returns the rules of some results, each once, without those of others.
func (v view) rows(of, without []sla.Result) (rows []ruleRow) {
	key := func(r sla.Result) string { return r.Rule + "\x00" + r.Metric }
	seen := map[string]bool{}
	for _, r := range without {
		seen[key(r)] = true
	}
	for _, r := range of {
		if seen[key(r)] {
			continue
		}
		seen[key(r)] = true
		row := ruleRow{Result: r}
		for _, o := range v.Summary.SLA {
			switch {
			case key(o) != key(r) || o.Status == sla.NotExercised:
			case o.Stage == "" && (o.Status == sla.Passed) == (r.Status == sla.Passed):
				row.Result = o
			case o.Stage != "":
				row.In = append(row.In, o)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// idleRow is a rule that the run did not exercise, or left undecided, and where.
type idleRow struct {
	sla.Result
	In []string
}

// IdleRules returns the rules that were not exercised or stayed undecided, each once.
func (v view) IdleRules() (rows []idleRow) {
	for _, r := range v.Idle {
		i := slices.IndexFunc(rows, func(o idleRow) bool { return o.Rule == r.Rule && o.Metric == r.Metric && o.Status == r.Status })
		if i < 0 {
			i = len(rows)
			rows = append(rows, idleRow{Result: r})
		}
		if r.Stage != "" {
			rows[i].In = append(rows[i].In, r.Stage)
		}
	}
	return rows
}

// MissedInStages says whether any missed rule was judged in stages, Advised whether any
// says what to do: a column for nothing has no place.
func (v view) MissedInStages() bool {
	return slices.ContainsFunc(v.MissedRules(), func(r ruleRow) bool { return len(r.In) > 0 })
}

// Advised says whether any missed rule says what to do.
func (v view) Advised() bool {
	return v.WithoutData() > 0 || slices.ContainsFunc(v.MissedRules(), func(r ruleRow) bool { return r.Action != "" })
}

// BrokenChecks returns the consistency checks that failed.
func (v view) BrokenChecks() (out []summary.Check) { return v.checks(false) }

// HeldChecks returns those that held.
func (v view) HeldChecks() []summary.Check { return v.checks(true) }

func (v view) checks(passed bool) (out []summary.Check) {
	for _, c := range v.Summary.Checks {
		if c.Passed == passed {
			out = append(out, c)
		}
	}
	return out
}
