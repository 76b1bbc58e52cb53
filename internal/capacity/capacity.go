// Package capacity searches for the highest rate at which a system holds its
// SLA, and says what was found. It knows trials through a function that it is
// given: it offers no load, reads no clock, no file and no run.
//
// The search follows MLRsearch (RFC 9971): short trials bring it near, long
// trials decide, and a load is a bound only by the balance of its trials, so
// that one noisy trial decides nothing.
package capacity

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/states"
)

// Outcome is what a trial came to.
type Outcome string

// A trial holds the SLA or breaks it. Where the generator was the limit it tells
// nothing about the target.
const (
	Held    Outcome = "held"
	Broke   Outcome = "broke"
	Invalid Outcome = states.GeneratorInvalid
)

// Purpose is why a trial is made.
type Purpose string

// The purposes, in the order of the search: double to the first failure, narrow
// with short trials, measure with long ones, see the bounds confirmed.
const (
	Explore Purpose = "explore"
	Narrow  Purpose = "narrow"
	Measure Purpose = "measure"
	Confirm Purpose = "confirm"
)

// Ask is a trial that the search asks for.
type Ask struct {
	// Number counts the trials from 1.
	Number int
	// Rate is the constant rate to offer, in arrivals per second.
	Rate float64
	// Length is how long to offer it.
	Length  time.Duration
	Purpose Purpose
}

// Breach is a rule that a trial broke.
type Breach struct {
	// Rule is the rule's name, Metric what it judges, Target and Actual its
	// figures as text.
	Rule   string `json:"rule"`
	Metric string `json:"metric"`
	Target string `json:"target"`
	Actual string `json:"actual"`
	// Scenario is the scenario that shows it most, empty where none stands out.
	Scenario string `json:"scenario"`
	// Warning says that the rule alone does not break the SLA, as those about
	// resources: it tells what was exhausted.
	Warning bool `json:"warning"`
}

// Load is what a trial measured. Times are in milliseconds; a figure that the
// trial cannot carry is nil.
type Load struct {
	// Achieved is arrivals done per second, those that failed left out, and
	// Concurrency the mean number of arrivals that were at the target.
	Achieved    float64 `json:"achieved_rps"`
	Concurrency float64 `json:"concurrency"`
	// ErrorRate is the share of arrivals that did not succeed.
	ErrorRate float64  `json:"error_rate"`
	Mean      *float64 `json:"mean_ms"`
	P50       *float64 `json:"p50_ms"`
	P95       *float64 `json:"p95_ms"`
	P99       *float64 `json:"p99_ms"`
	// Task is P95 of what goes on after an arrival is done: a task that was
	// published until it was processed. nil where nothing does.
	Task *float64 `json:"task_p95_ms"`
	// AtLeast says that the times are only known to be no smaller.
	AtLeast bool `json:"at_least"`
}

// slow is P95 of the response time, or of what goes on after it where that is
// slower.
func (l Load) slow() *float64 {
	if l.P95 == nil || l.Task != nil && *l.Task > *l.P95 {
		return l.Task
	}
	return l.P95
}

// Trial is a trial that was made.
type Trial struct {
	Number  int     `json:"number"`
	Rate    float64 `json:"rate"`
	Length  float64 `json:"length_s"`
	Purpose Purpose `json:"purpose"`
	Outcome Outcome `json:"outcome"`
	// Took is how long it took with everything around it, in seconds.
	Took float64 `json:"took_s"`
	// CutShort says that it was ended early, the SLA being broken for certain.
	CutShort bool `json:"cut_short"`
	// Dead says that not one arrival succeeded.
	Dead bool `json:"dead"`
	// Breaches are the rules that it broke, the first one to break first, and
	// Reasons what the generator lacked where the trial is invalid.
	Breaches []Breach `json:"breaches"`
	Reasons  []string `json:"reasons"`
	Load     Load     `json:"load"`
	// Dir is its run directory.
	Dir string `json:"dir"`
}

// Runner makes a trial. An error ends the search.
type Runner func(Ask) (Trial, error)

// Config is what is searched for and how. All of it must be set; see Check.
type Config struct {
	// Start is the rate of the first trial, Max the highest rate asked for: 0
	// for none.
	Start, Max float64
	// Users makes loads numbers of users, of closed stages, in place of rates.
	Users bool
	// Precision is how far apart the bounds may be: upper ≤ lower × (1 +
	// precision).
	Precision float64
	// Trial is the length of a long trial. Short ones are a third as long, a
	// confirming one twice. At low rates long trials last until enough arrivals
	// were due to tell rates apart that differ by the precision.
	Trial time.Duration
	// MaxTime bounds the whole search: a trial that would end later is not
	// begun.
	MaxTime time.Duration
}

// The bounds of a Config.
const (
	MinTrial     = 300 * time.Millisecond
	MaxTrial     = time.Hour
	MinPrecision = 0.005
	MaxPrecision = 1.0
	MaxRate      = 1e7
	// MaxUsers is the most users of one process.
	MaxUsers = 100_000
)

// Check returns what is wrong with the configuration, all at once.
func (c Config) Check() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(!(c.Start > 0 && c.Start <= MaxRate), "start %v: want a rate above 0 and up to %g/s", c.Start, MaxRate)
	bad(!(c.Max >= 0 && c.Max <= MaxRate), "max %v: want a rate up to %g/s, or 0 for no bound", c.Max, MaxRate)
	bad(c.Max > 0 && c.Max < c.Start, "max %v%s is below the start, %v%s", c.Max, c.unit(), c.Start, c.unit())
	if err := c.checkUsers(); err != nil {
		errs = append(errs, err)
	}
	bad(!(c.Precision >= MinPrecision && c.Precision <= MaxPrecision), "precision %s: want %s to %s", figure.Share(c.Precision), figure.Share(MinPrecision), figure.Share(MaxPrecision))
	bad(c.Trial < MinTrial || c.Trial > MaxTrial, "trial %v: want %v to %v", c.Trial, MinTrial, MaxTrial)
	bad(c.MaxTime < c.Trial, "max-time %v is shorter than one trial of %v", c.MaxTime, c.Trial)
	return errors.Join(errs...)
}

// shortPart is how much of a long trial a short one takes, and confirmPart a
// confirming one.
const (
	shortPart   = 1.0 / 3
	confirmPart = 2
)

func (c Config) short() time.Duration { return time.Duration(float64(c.Trial) * shortPart) }

// told is how many arrivals a backlog must have grown by to be seen.
const told = 3

// enough is how many arrivals a long trial needs, so that a load above the
// target's by the margin leaves as many over as can be seen.
func (c Config) enough() float64 { return told / c.margin() }

func (c Config) confirming() time.Duration { return confirmPart * c.Trial }

// leastArrivals is how many arrivals a trial needs for a 95th percentile.
const leastArrivals = 20

// floor is the lowest rate that is tried: a short trial of less would have too
// few arrivals to be judged. A start that is lower still is tried as it is.
func (c Config) floor() float64 {
	if c.Users {
		return 1
	}
	return min(leastArrivals/c.short().Seconds(), c.Start)
}

// ceiling is the highest rate that is tried.
func (c Config) ceiling() float64 {
	switch {
	case c.Max > 0:
		return c.Max
	case c.Users:
		return MaxUsers
	}
	return MaxRate
}

// The precision is shared out: half of it, on a log scale, is how near the
// bounds by measurement come to each other, a quarter on either side is the
// margin by which the bounds that are told lie outside of them. A target whose
// limit the trials judge a little too low or too high is so still between the
// bounds.
func (c Config) width() float64  { return math.Exp(0.48*math.Log1p(c.Precision)) - 1 }
func (c Config) margin() float64 { return math.Exp(0.25*math.Log1p(c.Precision)) - 1 }
