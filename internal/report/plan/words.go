package plan

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/run"
)

// usersText says in few words what users a stage has.
func usersText(u *profiles.Users) string {
	if u.Guide != "" {
		return u.Guide
	}
	text := figure.Count(int64(u.From)) + " users"
	if u.From == 1 && u.To == 1 {
		text = "1 user"
	}
	if u.From != u.To {
		text = fmt.Sprintf("%s → %s users", figure.Count(int64(u.From)), figure.Count(int64(u.To)))
	}
	if u.Pace > 0 {
		text += " each " + figure.Duration(u.Pace)
	}
	if u.Pause > 0 {
		text += ", pause " + figure.Duration(u.Pause)
	}
	if u.Iterations > 0 {
		text += ", " + figure.Count(u.Iterations) + " arrivals"
	}
	if u.PerUser > 0 {
		text += ", " + figure.Count(u.PerUser) + " arrivals each"
	}
	return text
}

// arrivalsText says how many arrivals a stage will have.
func arrivalsText(p *run.Plan, stage int) string {
	if !p.Schedule().Closed(stage) {
		return figure.Count(p.Schedule().StageTotal(stage))
	}
	n, known := p.Schedule().UserArrivals(stage)
	if !known {
		return "as they come"
	}
	return "≤ " + figure.Count(n)
}

// totalText says how many arrivals a run has in all, and how many users.
func totalText(p *run.Plan) string {
	arrivals := figure.Count(p.Schedule().Total()) + " arrivals"
	n := p.Schedule().MaxUsers()
	if n == 0 {
		return arrivals
	}
	users := usersText(&profiles.Users{From: n, To: n}) + " at most"
	if p.Schedule().Total() == 0 {
		return users
	}
	return arrivals + " at a rate, and those of " + users
}

// timetable shows what will be broken, and when.
func timetable(p *run.Plan) string {
	list := p.Faults()
	if len(list) == 0 {
		return ""
	}
	b := &strings.Builder{}
	fmt.Fprintln(b, "\nfaults:")
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  name\tbegins\tlasts\twhat")
	for _, f := range list {
		what := f.String()
		if f.Undo != "" {
			what += ", undone by: " + f.Undo
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", figure.Line(f.Name), figure.Duration(f.Start.Round(time.Millisecond)),
			figure.Duration((f.End - f.Start).Round(time.Millisecond)), figure.Line(what))
	}
	_ = tw.Flush() // a strings.Builder takes everything
	if n, needs := p.HastyFaults(); n > 0 {
		fmt.Fprintf(b, "  of %d of these %d faults the recovery cannot be told: it takes %v after the end of each\n  without another one; see --time-scale, and -d\n", n, len(list), needs)
	}
	return b.String()
}
