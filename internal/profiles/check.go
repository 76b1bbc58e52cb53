package profiles

import (
	"strings"

	"github.com/perfctl/perfctl/internal/suggest"
)

// resolve returns the stage with its rates looked up.
func (d *decoder) resolve(s *rawStage) Stage {
	if s.sound {
		if problem := s.problem(); problem != "" {
			d.c.Add(s.Pos, "stage %q %s", s.Name, problem)
		}
	}
	if s.Users != nil {
		u := s.users // the decoder's own is in a list that grows
		s.Users = &u
		if !s.hasDuration {
			s.Duration = DefaultIterationsTime
		}
	}
	if s.rate.given {
		s.From, s.FromRate = d.lookup(s.rate)
		s.To, s.ToRate = s.From, s.FromRate
	}
	if s.from.given {
		s.From, s.FromRate = d.lookup(s.from)
	}
	if s.to.given {
		s.To, s.ToRate = d.lookup(s.to)
	}
	d.checkFaults(s)
	return s.Stage
}

// problem says which keys do not go together, or are missed; "" if all is well.
func (s *rawStage) problem() string {
	if p := s.userProblem(); p != "" || s.Users != nil {
		return p
	}
	rated := s.rate.given || s.from.given || s.to.given
	switch {
	case s.rate.given && (s.from.given || s.to.given):
		return "has a rate and also from or to: give rate, or from and to"
	case s.from.given != s.to.given:
		return "needs both from and to, or rate for one that does not change"
	case rated && !s.hasDuration:
		return "has a rate and no duration"
	case s.hasDuration && !rated && s.Burst == 0:
		return "has no rate: give rate, or from and to (rate: 0 for a pause), or users"
	case !rated && s.Burst == 0:
		return "offers nothing: give duration and rate, users, or burst"
	}
	return ""
}

// lookup returns the value of a rate, and its name if it has one.
func (d *decoder) lookup(r rawRate) (float64, string) {
	if r.name == "" {
		return r.value, ""
	}
	var names []string
	for _, named := range d.p.Rates {
		if named.Name == r.name {
			return named.Value, r.name
		}
		names = append(names, named.Name)
	}
	if near, ok := suggest.Nearest(r.name, names); ok {
		d.c.Add(r.pos, "unknown rate %q; did you mean %q?", r.name, near)
	} else if len(names) > 0 {
		d.c.Add(r.pos, "unknown rate %q: rates has %s", r.name, strings.Join(names, ", "))
	} else {
		d.c.Add(r.pos, "unknown rate %q: the profile has no rates", r.name)
	}
	return 0, ""
}

// checkNames rejects stages that share a name: reports tell them apart by it.
func (d *decoder) checkNames() {
	lines := make(map[string]int, len(d.p.Stages))
	for i := range d.p.Stages {
		s := &d.p.Stages[i]
		if line, twice := lines[s.Name]; twice && s.Name != "" {
			d.c.Add(s.Pos, "another stage, in line %d, is named %q too", line, s.Name)
			continue
		}
		lines[s.Name] = s.Pos.Line
	}
}

// checkSettings rejects settings of a scenario that the profile does not
// exercise, where it names those it does.
func (d *decoder) checkSettings(list []Setting) {
	if len(d.p.Scenarios) == 0 {
		return
	}
	var names []string
	known := make(map[string]bool)
	for _, w := range d.p.Scenarios {
		names = append(names, w.Scenario)
		known[w.Scenario] = true
	}
	for _, s := range list {
		if known[s.Scenario] {
			continue
		}
		if near, ok := suggest.Nearest(s.Scenario, names); ok {
			d.c.Add(s.Pos, "the setting %q is for the scenario %q; did you mean %q?", s.Key, s.Scenario, near)
			continue
		}
		d.c.Add(s.Pos, "the setting %q is for the scenario %q, which is not among the profile's scenarios: %s",
			s.Key, s.Scenario, strings.Join(names, ", "))
	}
}

// checkSize rejects what Compile would, where the file can be named as the
// cause. A profile that has other problems is not compiled: it would only find
// what follows from them.
func (d *decoder) checkSize() {
	if d.c.Err() != nil {
		return
	}
	if _, err := Compile(d.p.Stages, Options{}); err != nil {
		d.c.Add(d.root, "%v", err)
		return
	}
	if len(d.p.Scenarios) > 0 {
		if _, err := NewMix(d.p.Scenarios, 0); err != nil {
			d.c.Add(d.p.Scenarios[0].Pos, "%v", err)
		}
	}
}
