package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/summary"
)

// miss is a rule that did not hold, with all the places in which it did not.
type miss struct {
	sla.Result          // of all judged stages together where it was missed there, else of the first stage
	in         []string // stages in which it was missed, with their figures
}

// missed writes what did not hold, a rule once, and in one line each what held, what
// has no data and what could not be decided.
func (p *page) missed(s *summary.Summary) {
	misses, noData := missesOf(s)
	broken := brokenChecks(s.Checks)
	if len(s.SLA)+len(s.Checks) == 0 {
		return
	}
	p.head("rules and checks")
	for _, m := range misses {
		mark, style := ruleMark(m.Result)
		text := fmt.Sprintf("%s: %s, target %s", m.Rule, orNone(m.Actual), m.Target)
		if len(m.in) > 0 {
			text += " (" + strings.Join(m.in, ", ") + ")"
		}
		if m.Status == sla.Undecided {
			text += ": undecided"
		}
		p.wrapped(span{style, "  " + mark + " "}, plain, text)
		if tooFew(m.Result) {
			p.wrapped(span{dim, "    → "}, dim, fmt.Sprintf("Too few values to tell: run longer, until there are %d, or let it be with --allow-undecided", m.Needed))
		} else if m.Action != "" && s.Arrivals.Succeeded > 0 {
			p.wrapped(span{dim, "    → "}, dim, m.Action)
		}
	}
	if text := withoutData(s, noData); text != "" {
		p.wrapped(span{red, "  ✗ "}, plain, text)
	}
	for _, c := range broken {
		p.wrapped(span{red, "  ✗ "}, plain, "check "+c.Name+": "+orNone(c.Detail))
	}
	p.heldLine(s, len(s.Checks)-len(broken))
}

// tooFew says whether a rule was missed only because there are too few values to
// decide it.
func tooFew(r sla.Result) bool {
	return r.Status == sla.Undecided && r.Strict && !r.Allowed && r.Needed > r.Samples
}

// heldLine says in one line what needs no reader.
func (p *page) heldLine(s *summary.Summary, checks int) {
	var parts []string
	if n, near := heldRules(s.SLA); n > 0 {
		text := fmt.Sprintf("%d %s held", n, plural(n, "rule"))
		if near > 0 {
			text += fmt.Sprintf(" (%d near the limit)", near)
		}
		parts = append(parts, text)
	}
	if checks > 0 {
		parts = append(parts, fmt.Sprintf("%d %s held", checks, plural(checks, "check")))
	}
	if n := len(undecided(s.SLA)); n > 0 {
		parts = append(parts, fmt.Sprintf("%d undecided", n))
	}
	if n := unexercised(s.SLA); n > 0 {
		parts = append(parts, fmt.Sprintf("%d not exercised", n))
	}
	if len(parts) > 0 {
		p.wrapped(span{green, "  ✓ "}, plain, strings.Join(parts, ", "))
	}
}

// ruleKey tells rules apart whatever the stage.
func ruleKey(r sla.Result) string { return r.Rule + "\x00" + r.Metric }

// missesOf returns the rules that were missed by a figure, each once, those that must
// hold first, and the results that have no data.
func missesOf(s *summary.Summary) (out []miss, noData []sla.Result) {
	index := map[string]int{}
	for _, r := range s.SLA {
		switch {
		case idle(r), r.Status == sla.Passed:
			continue
		case r.Status == sla.NoData && stageUnreached(s, r.Stage):
			continue
		case r.Status == sla.NoData:
			noData = append(noData, r)
			continue
		}
		i, seen := index[ruleKey(r)]
		if !seen {
			i = len(out)
			index[ruleKey(r)] = i
			out = append(out, miss{Result: r})
		}
		if r.Stage == "" {
			out[i].Result = r
		} else {
			out[i].in = append(out[i].in, r.Stage+" "+orNone(r.Actual))
		}
	}
	for i := range out {
		if m := &out[i]; m.Stage != "" && len(m.in) == 1 { // its figure stands before the target
			m.in = []string{"in " + m.Stage}
		}
	}
	slices.SortStableFunc(out, func(a, b miss) int { return severityRank(a.Result) - severityRank(b.Result) })
	return out, noData
}

// stageUnreached says that the run ended before that stage began.
func stageUnreached(s *summary.Summary, name string) bool {
	return slices.ContainsFunc(s.Stages, func(st summary.StageResult) bool { return st.Name == name && unreached(s, &st) })
}

func severityRank(r sla.Result) int {
	if r.Breaches() {
		return 0
	}
	return 1
}

// withoutData says in one sentence which rules have no data and why.
func withoutData(s *summary.Summary, noData []sla.Result) string {
	if len(noData) == 0 {
		return ""
	}
	var names []string
	for _, r := range noData {
		if name := r.Rule; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	n := len(names)
	warns := countRules(noData, func(r sla.Result) bool { return !r.Breaches() })
	tail := ""
	if warns > 0 {
		tail = fmt.Sprintf(" (%d of them only %s)", warns, map[bool]string{true: "warns", false: "warn"}[warns == 1])
	}
	if s.Arrivals.Succeeded == 0 {
		return fmt.Sprintf("nothing succeeded: %d %s no data%s", n, plural(n, "rule")+has(n), tail)
	}
	return fmt.Sprintf("no data for %d %s%s: %s", n, plural(n, "rule"), tail, some(names))
}

func has(n int) string {
	if n == 1 {
		return " has"
	}
	return " have"
}

// heldRules counts the rules that held in every place, and those near their limit.
func heldRules(all []sla.Result) (held, near int) {
	state := map[string]int{} // 1 held, 2 near, 3 missed
	for _, r := range all {
		if idle(r) {
			continue
		}
		v := 3
		switch {
		case r.Status == sla.Passed && r.Near:
			v = 2
		case r.Status == sla.Passed:
			v = 1
		}
		state[ruleKey(r)] = max(state[ruleKey(r)], v)
	}
	for _, v := range state {
		if v < 3 {
			held++
		}
		if v == 2 {
			near++
		}
	}
	return held, near
}

func unexercised(all []sla.Result) (n int) {
	for _, r := range all {
		if r.Status == sla.NotExercised {
			n++
		}
	}
	return n
}

func brokenChecks(all []summary.Check) (out []summary.Check) {
	for _, c := range all {
		if !c.Passed {
			out = append(out, c)
		}
	}
	return out
}
