package profiles

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Bend is what a caller changes about a profile.
type Bend struct {
	// Base, Peak and Rate replace the rates of these names, in arrivals/s.
	Base, Peak, Rate *float64
	// Duration, when not 0, is the new length of the whole run: every stage is
	// stretched alike.
	Duration time.Duration
	// TimeScale, when not 0, multiplies the length of every stage.
	TimeScale float64
	// Users, where it is not nil, replaces all stages by a closed one, as long as
	// they are together, or Duration.
	Users *Users
}

// UsersStage is the name of the stage that Bend.Users makes.
const UsersStage = "users"

// Bend returns a bent copy of the profile. It is an error to replace a rate that
// the profile does not have or by one that no run can offer, to give both a
// duration and a time scale, and to stretch stages that have no length.
func (p *Profile) Bend(b Bend) (*Profile, error) {
	c := p.clone()
	for _, r := range [...]struct {
		name  string
		value *float64
	}{{"base", b.Base}, {"peak", b.Peak}, {"rate", b.Rate}} {
		if r.value == nil {
			continue
		}
		if err := c.setRate(r.name, *r.value); err != nil {
			return nil, err
		}
	}
	if b.Users != nil {
		if err := c.toUsers(*b.Users, &b); err != nil {
			return nil, err
		}
	}
	if err := c.stretch(b.Duration, b.TimeScale); err != nil {
		return nil, err
	}
	return c, nil
}

// toUsers replaces the stages by a closed one. It has the settings of the profile,
// and of no stage.
func (p *Profile) toUsers(u Users, b *Bend) error {
	if b.Base != nil || b.Peak != nil || b.Rate != nil {
		return fmt.Errorf("a rate and users were given: give one of them")
	}
	s := Stage{Name: UsersStage, Duration: p.Duration(), Users: &u, Class: Normal, Judged: true}
	switch {
	case b.Duration > 0 && b.TimeScale == 0: // which is what it has then
		s.Duration, b.Duration = b.Duration, 0
	case u.Iterations > 0 || u.PerUser > 0:
		s.Duration = max(s.Duration, DefaultIterationsTime)
	case s.Duration == 0:
		return fmt.Errorf("the profile's stages have no length that users could last: give a duration too")
	}
	s.Faults = p.wholeFaults()
	p.Rates, p.Stages = nil, []Stage{s}
	return checkStages(p.Stages)
}

func (p *Profile) setRate(name string, value float64) error {
	if err := checkRate(value); err != nil {
		return fmt.Errorf("rate %s: %w", name, err)
	}
	found := false
	var names []string
	for i := range p.Rates {
		r := &p.Rates[i]
		names = append(names, r.Name)
		if r.Name == name {
			r.Value, found = value, true
		}
	}
	if !found && len(names) == 0 {
		return fmt.Errorf("there is no rate named %s: none of its rates has a name", name)
	}
	if !found {
		return fmt.Errorf("there is no rate named %s: it has %s", name, strings.Join(names, ", "))
	}
	for i := range p.Stages {
		s := &p.Stages[i]
		if s.FromRate == name {
			s.From = value
		}
		if s.ToRate == name {
			s.To = value
		}
	}
	return nil
}

func (p *Profile) stretch(to time.Duration, scale float64) error {
	length := p.Duration()
	switch {
	case to == 0 && scale == 0:
		return nil
	case to != 0 && scale != 0:
		return fmt.Errorf("a duration and a time scale were given: give one of them")
	case to < 0:
		return fmt.Errorf("the duration %v is negative", to)
	case math.IsNaN(scale) || math.IsInf(scale, 0) || scale < 0:
		return fmt.Errorf("the time scale must be a number above 0, not %v", scale)
	case length == 0 && to != 0:
		return fmt.Errorf("profile %s cannot be made %v long: its stages have no length", p.Name, to)
	case length == 0:
		return fmt.Errorf("profile %s cannot be stretched by a time scale: its stages have no length", p.Name)
	case to != 0:
		scale = float64(to) / float64(length)
	default:
		if scale*float64(length) > float64(MaxDuration) {
			return fmt.Errorf("a time scale of %g makes profile %s longer than %v", scale, p.Name, MaxDuration)
		}
		to = time.Duration(math.Round(scale * float64(length)))
	}
	if to > MaxDuration {
		return fmt.Errorf("the duration %v is longer than %v", to, MaxDuration)
	}
	// The ends of stages are scaled, not the lengths, so that rounding never
	// adds up and the whole has exactly the length asked for.
	var was, is time.Duration
	for i := range p.Stages {
		s := &p.Stages[i]
		was += s.Duration
		end := to
		if was != length {
			end = min(time.Duration(math.Round(float64(was)*scale)), to)
		}
		s.scaleFaults(scale)
		s.Duration, is = end-is, end
	}
	return nil
}
