package capacity

import (
	"fmt"
	"math"
)

// A search may be for a number of users in place of a rate: a "rate" of it, a load, is
// then a whole number of users of a closed stage, and two that are one apart are as near
// as bounds can come.

// perSecond and ofUsers are what stands behind a load.
const (
	perSecond = "/s"
	ofUsers   = " users"
)

// unit is what stands behind a load of the search.
func (c Config) unit() string {
	if c.Users {
		return ofUsers
	}
	return perSecond
}

// said is a load with its unit.
func (c Config) said(load float64) string {
	if c.Users && load == 1 {
		return "1 user"
	}
	return num(load) + c.unit()
}

// Said is a load of the search with its unit, for people.
func (r *Result) Said(load float64) string { return Config{Users: r.Users}.said(load) }

// adjacent says whether nothing lies between two loads.
func (c Config) adjacent(low, high float64) bool { return c.Users && high-low <= 1 }

// whole is the load that is tried in place of one: of users a whole number, at least 1.
func (c Config) whole(load float64) float64 {
	if !c.Users {
		return load
	}
	return max(math.Round(load), 1)
}

// onward is a load beyond another in a direction, one user away at least.
func (c Config) onward(load, from, direction float64) float64 {
	switch load = c.whole(load); {
	case !c.Users:
	case direction > 0:
		load = max(load, from+1)
	default:
		load = max(min(load, from-1), 1)
	}
	return load
}

// checkUsers returns what of a search for users cannot be.
func (c Config) checkUsers() error {
	if c.Users && (c.Start != math.Trunc(c.Start) || c.Max != math.Trunc(c.Max)) {
		return fmt.Errorf("start %v, max %v: users are whole numbers", c.Start, c.Max)
	}
	return nil
}

// held is a load in the sentence of the answer.
func (r *Result) held(load float64) string {
	if r.Users {
		return r.Said(load)
	}
	return num(load) + " arrivals/s"
}
