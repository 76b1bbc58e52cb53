package profiles

import (
	"time"

	"github.com/perfctl/perfctl/internal/strictyaml"
)

// DefaultIterationsTime is how long a stage may last that ends after a number of
// iterations and has no duration.
const DefaultIterationsTime = 10 * time.Minute

// readUsers reads a number of users, or two of them for a ramp.
func (s *rawStage) readUsers(v strictyaml.Value) {
	u := &s.users
	s.Users = u
	var from, to int64
	if !v.IsMap() {
		strictyaml.Int(&from, 1, MaxUsers)(v)
		u.From, u.To = int(from), int(from)
		return
	}
	if v.Map("users", strictyaml.Required("from", strictyaml.Int(&from, 0, MaxUsers)), strictyaml.Required("to", strictyaml.Int(&to, 0, MaxUsers))) &&
		from == 0 && to == 0 {
		v.Add("from 0 to 0 users offer nothing")
	}
	u.From, u.To = int(from), int(to)
}

// userTime reads a time that only users have.
func (s *rawStage) userTime(key string, into *time.Duration) strictyaml.Reader {
	return func(v strictyaml.Value) {
		s.of = append(s.of, key)
		strictyaml.Duration(into)(v)
		if *into == 0 {
			v.Add("a %s of nothing: leave %s out", key, key)
		}
	}
}

// readIterations reads how many arrivals end the stage: a number for all users
// together, or per_user.
func (s *rawStage) readIterations(v strictyaml.Value) {
	s.of = append(s.of, "iterations")
	if !v.IsMap() {
		strictyaml.Int(&s.users.Iterations, 1, MaxArrivals)(v)
		return
	}
	v.Map("iterations", strictyaml.Required("per_user", strictyaml.Int(&s.users.PerUser, 1, MaxArrivals)))
}

// userProblem says which keys of users do not go together with others, or are
// missed; "" if all is well.
func (s *rawStage) userProblem() string {
	switch {
	case s.Users == nil && len(s.of) > 0:
		return "has " + s.of[0] + ", which belongs to users, and no users"
	case s.Users == nil:
		return ""
	case s.rate.given || s.from.given || s.to.given:
		return "has users and also a rate: users are a closed stage, a rate an open one (a ramp of users is users: {from: 1, to: 50})"
	case s.Burst > 0:
		return "has users and also a burst"
	case !s.hasDuration && s.users.Iterations == 0 && s.users.PerUser == 0:
		return "has users and neither a duration nor iterations"
	}
	return ""
}
