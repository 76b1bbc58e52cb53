package analysis

import (
	"fmt"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/stats"
)

const (
	// moreUsers is by what factor users must differ for their throughput to be compared:
	// that of two levels next to each other differs by little.
	moreUsers = 1.5
	// enoughDue is how many arrivals a level needs for its throughput to say something.
	enoughDue = 100
)

// usersWait says from how many users on more of them made no more throughput, and only
// waited: in a closed load nothing falls behind what is offered, since users wait for
// their answers. Of each level the highest one with two thirds of its users at most is
// what it is compared with.
func usersWait(levels []Level) *Finding {
	for i := range levels {
		l := &levels[i]
		var before *Level
		for k := range levels[:i] {
			if *levels[k].Users*moreUsers <= *l.Users && levels[k].Due >= enoughDue {
				before = &levels[k]
			}
		}
		if before == nil || l.Due < enoughDue || before.Achieved == 0 || l.Achieved == 0 || *before.Users == 0 {
			continue
		}
		e := stats.Elasticity(*before.Users, before.Achieved, *l.Users, l.Achieved)
		if e >= halfElastic {
			continue
		}
		waits := ""
		if l.InFlight != nil && before.InFlight != nil {
			waits = fmt.Sprintf(": by Little's law each arrival was in it for %s in place of %s", millis(1e3**l.InFlight/l.Achieved), millis(1e3**before.InFlight/before.Achieved))
		}
		return &Finding{ID: "saturation", Severity: Critical, Title: "Saturated",
			Sentence: fmt.Sprintf("%s did %s, %s had done %s%s; users that are added mostly wait.",
				count(*l.Users), perSecond(l.Achieved), count(*before.Users), perSecond(before.Achieved), waits),
			Advice: "That is what the system does, however many ask: widen the resource that saturated first, or plan with fewer users at once",
			Evidence: Evidence{From: l.From, To: l.To, Series: metrics.Users.Name, Unit: "count",
				Values: map[string]float64{"users": *l.Users, "achieved_rps": l.Achieved, "users_before": *before.Users, "achieved_rps_before": before.Achieved, "elasticity": e}}}
	}
	return nil
}

// count prints a number of users.
func count(users float64) string {
	if users < 1.5 {
		return "1 user"
	}
	return figure.Whole(users) + " users"
}
