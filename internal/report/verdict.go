package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/sla"
	"github.com/perfctl/perfctl/internal/states"
	"github.com/perfctl/perfctl/internal/summary"
)

// verdict writes the last line.
func (p *page) verdict(s *summary.Summary, dir string) {
	tail := ""
	if dir != "" {
		tail = "; run directory " + dir
	}
	p.line()
	p.verdictLine(verdictStyle(s), fmt.Sprintf("%s%s; exit code %d", Verdicted(s), tail, s.ExitCode))
}

// Verdicted says what the run came to, and why, in one line.
func Verdicted(s *summary.Summary) string {
	text := reasoned(s)
	if suspect(s) {
		text += "; generator SUSPECT"
	}
	return withComparison(s, text)
}

// Spoiled says that a run keeps its rules and ends with an error all the same, as where
// an output that was asked for is not whole.
func Spoiled(s *summary.Summary) bool {
	return s.Verdict == summary.VerdictPass && s.ExitCode != exitcode.Pass && !ComparisonFails(s)
}

// spoiling says why.
func spoiling(s *summary.Summary) string {
	if n := len(s.Notes); n > 0 {
		return s.Notes[n-1]
	}
	return fmt.Sprintf("exit code %d", s.ExitCode)
}

// allLost says that not one arrival succeeded, which explains the rest.
func allLost(s *summary.Summary) string {
	if s.Arrivals.Planned > 0 && s.Arrivals.Succeeded == 0 {
		return "no arrival succeeded; "
	}
	return ""
}

func suspect(s *summary.Summary) bool {
	return s.Generator.Status == states.GeneratorSuspect && !s.Run.Killed
}

// reasoned is the verdict of the rules with its reasons.
func reasoned(s *summary.Summary) string {
	text := strings.ToUpper(string(s.Verdict))
	switch s.Verdict {
	case summary.VerdictPass:
		text += passed(s) + besides(s.SLA)
		if Spoiled(s) {
			text = "NOT WHOLE: " + spoiling(s) + "; by its rules " + text
		}
	case summary.VerdictFail:
		text += ": " + stopped(s) + allLost(s) + missed(s)
	case summary.VerdictInvalid:
		text += ": " + unusable(s)
	case summary.VerdictIncomplete:
		text += ": " + incomplete(s)
	case summary.VerdictInterrupted:
		text += ": " + interrupted(s)
	}
	return text
}

// stopped says when and by which rule the run was ended early.
func stopped(s *summary.Summary) string {
	if s.Stopped == nil {
		return ""
	}
	return fmt.Sprintf("stopped early, after %s of %s, by %s; ", showSeconds(s.Run.Duration), showSeconds(s.Run.Planned), *s.Stopped)
}

// interrupted says when the run was stopped.
func interrupted(s *summary.Summary) string {
	return fmt.Sprintf("after %s of %s", showSeconds(s.Run.Duration), showSeconds(s.Run.Planned))
}

// countRules counts the rules that say something of the run, whatever the number of
// stages that each was judged in.
func countRules(all []sla.Result, counts func(sla.Result) bool) int {
	seen := map[string]bool{}
	for _, r := range all {
		if counts(r) {
			seen[ruleKey(r)] = true
		}
	}
	return len(seen)
}

func judged(r sla.Result) bool { return !idle(r) }

func passed(s *summary.Summary) string {
	all := countRules(s.SLA, judged)
	warned := countRules(s.SLA, func(r sla.Result) bool { return r.Status == sla.Warned })
	switch {
	case s.Run.Shards > 1 && s.Run.Merged == nil:
		return fmt.Sprintf(" of shard %d of %d: perfctl merge judges the whole", s.Run.Shard, s.Run.Shards)
	case all == 0:
		return ": there was no rule to hold"
	case warned > 0:
		return fmt.Sprintf(": no rule broken, %d of %d %s", warned, all, plural(warned, "warning"))
	}
	return fmt.Sprintf(": %d of %d %s held", all, all, plural(all, "rule"))
}

// missed says which rules were missed, have no data or stay undecided, and which checks
// failed, each rule once: a rule that too few samples leave open was not missed.
func missed(s *summary.Summary) string {
	all := countRules(s.SLA, judged)
	broken := slices.DeleteFunc(slices.Clone(s.SLA), func(r sla.Result) bool { return !r.Breaches() })
	// What was measured and missed tells more than what has no data, and the whole
	// more than its parts.
	slices.SortStableFunc(broken, func(a, b sla.Result) int { return cmp.Compare(breachRank(a), breachRank(b)) })
	seen := map[string]bool{}
	byWord := map[string][]string{}
	for _, r := range broken {
		if !seen[ruleKey(r)] {
			seen[ruleKey(r)] = true
			word := breachWord(r)
			byWord[word] = append(byWord[word], missedName(broken, r))
		}
	}
	var parts []string
	for _, word := range []string{breachMissed, breachWithout, breachUndecided} {
		switch names := byWord[word]; {
		case len(names) == 0:
		case len(parts) == 0:
			parts = append(parts, fmt.Sprintf("%d of %d %s %s: %s", len(names), all, plural(all, "rule"), word, some(names)))
		default:
			parts = append(parts, fmt.Sprintf("%d %s: %s", len(names), word, some(names)))
		}
	}
	var names []string
	for _, c := range s.Checks {
		if !c.Passed {
			names = append(names, c.Name)
		}
	}
	if len(names) > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d %s failed: %s", len(names), len(s.Checks), plural(len(s.Checks), "check"), some(names)))
	}
	return strings.TrimSuffix(strings.Join(parts, "; "), "; ")
}

// How a rule breaches.
const (
	breachMissed    = "missed"
	breachWithout   = "without data"
	breachUndecided = "undecided"
)

func breachWord(r sla.Result) string {
	switch r.Status {
	case sla.NoData:
		return breachWithout
	case sla.Undecided, sla.NotExercised:
		return breachUndecided
	}
	return breachMissed
}

// breachText tells the rule, its figure, and that it is undecided where it is.
func breachText(r sla.Result) string {
	if breachWord(r) == breachUndecided {
		return breachUndecided + ": " + ruleText(r)
	}
	return ruleText(r)
}

// missedName names a rule that was missed, with the stage where it was missed in one
// alone.
func missedName(broken []sla.Result, r sla.Result) string {
	places := 0
	for _, o := range broken {
		if ruleKey(o) == ruleKey(r) {
			places++
		}
	}
	if places == 1 && r.Class == "" {
		return ruleName(r)
	}
	return r.Rule
}

// breachRank puts what was measured before what has no data, and the whole before its
// parts.
func breachRank(r sla.Result) int {
	rank := 0
	if r.Status != sla.Failed {
		rank += 2
	}
	if r.Stage != "" {
		rank++
	}
	return rank
}

// unusable says why the figures cannot be used.
func unusable(s *summary.Summary) string {
	if len(s.Generator.Reasons) > 0 {
		return s.Generator.Reasons[0]
	}
	return "the generator was the bottleneck"
}

// incomplete says what is missing, and what was missed whatever the rest was.
func incomplete(s *summary.Summary) string {
	text := "data is missing"
	switch {
	case s.Run.Killed && s.Run.Duration < s.Run.Planned:
		text = "the run was killed " + interrupted(s)
	case len(s.Notes) > 0:
		text += ": " + s.Notes[0]
	}
	var names []string
	for _, r := range s.SLA {
		if r.Breaches() && r.Status == sla.Failed {
			names = append(names, ruleName(r))
		}
	}
	if len(names) > 0 {
		text += fmt.Sprintf("; missed all the same: %s", some(names))
	}
	return text
}

// some lists the first names.
func some(names []string) string {
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
