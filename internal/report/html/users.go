package html

import (
	"fmt"
	"slices"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

var usersChart = gaugeChart(metrics.Users.Name)

// closed says whether a stage of the run has users in place of a rate.
func closed(r *rundir.Run) bool {
	return slices.ContainsFunc(r.Info.Stages, func(s rundir.StageInfo) bool { return s.Users != nil })
}

// users puts how many users there were to be beside how many were there, where the run
// has some.
func (a axis) users(panels []panel) []panel {
	i := slices.IndexFunc(panels, func(p panel) bool { return p.ID == usersChart })
	if i < 0 || !closed(a.r) {
		return panels
	}
	p := &panels[i]
	p.Title, p.Group, p.Help = "Users", "", "users that the stage asks for, and "+p.Help
	for j := range p.Series {
		p.Series[j].Name = "there"
	}
	if wanted := a.wanted(); slices.ContainsFunc(wanted, func(v *float64) bool { return v != nil }) {
		p.Series = append([]series{{Name: "wanted", Values: wanted, Style: "dashed"}}, p.Series...)
	}
	return panels
}

// wanted returns how many users the stages ask for in the middle of each bin, of this
// shard; nil where no stage says it.
func (a axis) wanted() []*float64 {
	out := make([]*float64, a.n)
	for i := range out {
		t := (float64(i) + .5) * float64(a.width)
		for _, s := range a.r.Info.Stages {
			if s.Users == nil || s.Users.Guide != "" || s.Duration <= 0 || t < s.Start || t >= s.Start+s.Duration {
				continue
			}
			n := float64(s.Users.From) + float64(s.Users.To-s.Users.From)*(t-s.Start)/s.Duration
			out[i] = at(n / float64(max(a.r.Info.Shards, 1)))
		}
	}
	return out
}

// usersOf says in the page's head how many users a run had at most, empty for none.
func usersOf(r *rundir.Run) string {
	most := 0
	for _, s := range r.Info.Stages {
		if s.Users != nil {
			most = max(most, s.Users.From, s.Users.To)
		}
	}
	switch most {
	case 0:
		return ""
	case 1:
		return "1 user"
	}
	return fmt.Sprintf("%s users", count(int64(most)))
}
