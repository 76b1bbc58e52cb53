package capacity

import (
	"fmt"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
)

// sentence says what was found.
func (r *Result) sentence() string {
	var b strings.Builder
	if r.Lower == nil {
		fmt.Fprintf(&b, "Cannot say what load the system holds: %s.", r.Because)
		return b.String()
	}
	subject := "The system"
	if r.Name != "" {
		subject = r.Name
	}
	verb := "holds"
	if !r.Confirmed {
		verb = "seems to hold"
	}
	fmt.Fprintf(&b, "%s %s %s", subject, verb, r.held(*r.Lower))
	if r.Upper != nil {
		fmt.Fprintf(&b, "; at %s ", r.Said(*r.Upper))
		if hard := r.firstBreach(); hard != nil {
			b.WriteString(hard.String())
			if hint := r.exhausted(); hint != "" {
				b.WriteString("; " + hint)
			}
		} else {
			b.WriteString("it does not hold the SLA")
		}
	}
	if r.Because != "" {
		fmt.Fprintf(&b, "; %s", r.Because)
	}
	if r.Blurred {
		b.WriteString("; the border is blurred: it did not behave the same at one rate")
	}
	b.WriteString(".")
	return b.String()
}

func (r *Result) firstBreach() *Breach {
	for i := range r.Broke {
		if !r.Broke[i].Warning {
			return &r.Broke[i]
		}
	}
	return nil
}

// exhausted names a resource that was over its target at the same time.
func (r *Result) exhausted() string {
	for _, b := range r.Broke {
		if b.Warning {
			return b.String()
		}
	}
	return ""
}

// KeepingUp is the rule that the backlog does not grow: the Metric of its Breach
// says of what.
const KeepingUp = "Keeping up with the load"

// String says a breach in words.
func (b Breach) String() string {
	out := fmt.Sprintf("%s is %s (target %s)", b.Rule, b.Actual, b.Target)
	if b.Rule == KeepingUp {
		out = fmt.Sprintf("the target does not keep up: %s grow by %s", b.Metric, b.Actual)
	}
	if b.Scenario != "" {
		out += ", most of all in " + b.Scenario
	}
	return out
}

// Rename gives a result the name of what was searched.
func (r *Result) Rename(name string) {
	r.Name = name
	r.Sentence = r.sentence()
}

// num prints a rate with at least three digits, and no more than it needs.
func num(v float64) string {
	return figure.Number(v)
}
