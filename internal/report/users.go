package report

import (
	"fmt"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/summary"
)

// UsersLine says in one line how the users of a closed stage did; it is empty for a stage
// with a rate.
func UsersLine(st *summary.StageResult) string { return usersLine(st) }

// usersLine says in one line how the users of a closed stage did: how many there
// were, what throughput they can have by Little's law, and that slow answers
// slowed the load. It is empty for a stage with a rate.
func usersLine(st *summary.StageResult) string {
	u := st.Users
	if u == nil {
		return ""
	}
	who := fmt.Sprintf("%d users", u.From)
	if u.From == 1 && u.To == 1 {
		who = "1 user"
	}
	if u.From != u.To {
		who = fmt.Sprintf("%d to %d users", u.From, u.To)
	}
	switch {
	case u.Guide != "":
		return fmt.Sprintf("%s: side by side: %s", st.Name, figure.Line(u.Guide))
	case u.Pace > 0:
		return fmt.Sprintf("%s: %s, each with an arrival due every %s, whatever the answers take", st.Name, who, showSeconds(u.Pace))
	case u.Iterations > 0 && u.Expected != nil:
		return fmt.Sprintf("%s: closed load: %s for %s in all, %s/s: slow answers slowed the load", st.Name, who, arrivals(u.Iterations), optional(st.Achieved, showNumber))
	case u.PerUser > 0 && u.Expected != nil:
		return fmt.Sprintf("%s: closed load: %s for %s each, %s/s: slow answers slowed the load", st.Name, who, arrivals(u.PerUser), optional(st.Achieved, showNumber))
	case u.Expected == nil:
		return fmt.Sprintf("%s: closed load of %s, of which nothing succeeded", st.Name, who)
	}
	return fmt.Sprintf("%s: closed load: %s ÷ (service %s + pause %s) make %s/s by Little's law, %s/s were done: slow answers slowed the load",
		st.Name, who, showMillis(u.Response*1e3), showMillis(u.Paused*1e3), showNumber(*u.Expected), optional(st.Achieved, showNumber))
}

func arrivals(n int64) string {
	if n == 1 {
		return "1 arrival"
	}
	return showCount(n) + " arrivals"
}
