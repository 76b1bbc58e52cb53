package html

import (
	"fmt"
	"slices"

	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/states"
)

// What the head of the page says besides the verdict.

// Users says how many users the run had at most, empty for none.
func (v view) Users() string { return usersOf(v.Run) }

// Shards says of how many shards the run was merged, empty where it was not.
func (v view) Shards() string {
	if m := v.Summary.Run.Merged; m != nil {
		return fmt.Sprintf("merged of %d shards", m.Shards)
	}
	return ""
}

// Notes are the notes on the data; that a killed run has no summary is said by its
// verdict.
func (v view) Notes() []string {
	if !v.Summary.Run.Killed {
		return v.Summary.Notes
	}
	return slices.DeleteFunc(slices.Clone(v.Summary.Notes), func(n string) bool { return n == v.Run.NoOutcome })
}

// SuspectBecause is the first reason for which the generator is suspect, empty where it
// is not.
func (v view) SuspectBecause() string {
	g := &v.Summary.Generator
	if g.Status != states.GeneratorSuspect || len(g.Reasons) == 0 || v.Summary.Run.Killed {
		return ""
	}
	return g.Reasons[0]
}

// GeneratorAdvice says what to do about a generator that was late.
func (v view) GeneratorAdvice() string {
	switch v.Summary.Generator.Status {
	case states.GeneratorSuspect:
		return "Suspect: response times may look higher than they were, never lower; a rule on them that held would hold. " + relief
	case states.GeneratorInvalid:
		return "Invalid: the figures say nothing about the system. " + relief
	}
	return ""
}

const relief = "What helps: fewer programs on this machine, another machine than the targets', more cores, or shards on several machines; perfctl doctor measures what this machine can generate, docs/suspect.md says more."

// UsersLines say of each stage with users how they did.
func (v view) UsersLines() (out []string) {
	for i := range v.Summary.Stages {
		if line := report.UsersLine(&v.Summary.Stages[i]); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// Limited says whether any chart has a target.
func (v view) Limited() bool {
	return slices.ContainsFunc(v.Charts.Panels, func(p panel) bool { return len(p.Limits) > 0 })
}

// firstAnswers is how many sentences are shown at once.
const firstAnswers = 6

// FirstSentences are the answers that are shown, MoreSentences those that are folded.
func (v view) FirstSentences() []string {
	return v.Answers.Sentences[:min(len(v.Answers.Sentences), firstAnswers)]
}

// MoreSentences are the answers beyond the first.
func (v view) MoreSentences() []string { return v.Answers.Sentences[len(v.FirstSentences()):] }
