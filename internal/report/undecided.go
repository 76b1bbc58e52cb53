package report

import (
	"fmt"
	"slices"

	"github.com/perfctl/perfctl/internal/sla"
)

// idle says that a rule says nothing about this run: it was not exercised, or too
// little was seen to decide it and nobody asked for it to be.
func idle(r sla.Result) bool { return r.Status == sla.NotExercised || open(r) }

// open says that a rule is undecided and that this is no breach.
func open(r sla.Result) bool { return r.Status == sla.Undecided && !r.Breaches() }

// undecided lists the rules that are open, each once: the whole stands for its
// stages.
func undecided(all []sla.Result) []string {
	var out []string
	for _, r := range all {
		whole := func(o sla.Result) bool { return open(o) && o.Rule == r.Rule && o.Metric == r.Metric && o.Stage == "" }
		if open(r) && (r.Stage == "" || !slices.ContainsFunc(all, whole)) {
			out = append(out, fmt.Sprintf("%s (%s)", ruleName(r), orNone(r.Actual)))
		}
	}
	return out
}

// besides says, behind what was held, what was not decided and what is near its
// limit.
func besides(all []sla.Result) (text string) {
	if n := len(undecided(all)); n > 0 {
		text += fmt.Sprintf("; %d undecided", n)
		if needed := mostNeeded(all); needed > 0 {
			text += fmt.Sprintf(" for too few samples (%d needed)", needed)
		}
	}
	near := 0
	for _, r := range all {
		if r.Near && r.Status == sla.Passed {
			near++
		}
	}
	if near > 0 {
		text += fmt.Sprintf("; %d near the limit", near)
	}
	return text
}

// mostNeeded is how many samples would decide every rule that is open.
func mostNeeded(all []sla.Result) (n int64) {
	for _, r := range all {
		if open(r) {
			n = max(n, r.Needed)
		}
	}
	return n
}

// statusText is a rule's status as people read it.
func statusText(r sla.Result) string {
	text := string(r.Status)
	if r.Status == sla.NoData {
		text = "no data"
	}
	if r.Near && r.Status != sla.Undecided {
		text += ", near"
	}
	return text
}
