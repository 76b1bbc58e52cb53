package profiles

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"time"
)

// Process says how arrivals are spread over the area under the rate line.
type Process string

// The processes.
const (
	// Uniform spreads arrivals evenly: arrival k is due when the area under the
	// rate line reaches k+½.
	Uniform Process = "uniform"
	// Poisson spreads them at random, as independent users do: a Poisson process
	// given its count, so that each stage has as many arrivals as under Uniform,
	// and two runs with one seed have them at the same instants.
	Poisson Process = "poisson"
)

// Options are how a schedule is compiled. The zero Options are Uniform.
type Options struct {
	Process Process
	// Seed decides the due times of a Poisson schedule.
	Seed uint64
}

// Schedule is the pure function from an arrival's number to its due time and
// stage, and from a user's number to when that user is there. It never changes, and may be shared by goroutines.
type Schedule struct {
	stages  []Stage
	shapes  []shape
	options Options
	total   int64
	length  time.Duration
	maxRate float64
}

// shape is what a cursor needs to know about a stage.
type shape struct {
	start, end time.Duration // from the start of the run
	seconds    float64       // end - start
	from, to   float64       // arrivals/s
	slope      float64       // of the rate line, arrivals/s², as a magnitude
	area       float64       // arrivals under the rate line
	// first is the number of the first arrival, n how many there are; the first
	// burst of them are due at the start, the others follow the rate line.
	first, n, burst int64
	// lead is the area of this stage at which the first arrival of its rate
	// line is due: what was left over at the end of the stages before counts.
	lead float64
}

// Compile checks the stages and returns their schedule. For open stages it is closed-form: the
// number of arrivals is the area under the rate line, rounded down, plus the
// bursts; the fraction left over at a stage's end carries on into the next. A
// stage of no length is a jump. A closed stage has users in place of a rate, see
// Spans. Stages that offer no arrival are an error.
func Compile(stages []Stage, o Options) (*Schedule, error) {
	if o.Process == "" {
		o.Process = Uniform
	}
	if o.Process != Uniform && o.Process != Poisson {
		return nil, fmt.Errorf("unknown arrival process %q: it is %s or %s", o.Process, Uniform, Poisson)
	}
	if err := checkStages(stages); err != nil {
		return nil, err
	}
	s := &Schedule{stages: slices.Clone(stages), options: o, shapes: make([]shape, len(stages))}
	s.lay()
	if s.total > MaxArrivals {
		return nil, fmt.Errorf("profile offers %d arrivals: the most a run can have is %d", s.total, MaxArrivals)
	}
	if s.total == 0 && s.MaxUsers() == 0 {
		return nil, fmt.Errorf("profile offers no arrival: the area under its rates is %.3g over %v", s.area(), s.length)
	}
	return s, nil
}

// lay computes the shapes. Arrival j of the rate line belongs to the stage in
// which the area from the start of the run reaches j+½, but only as many exist
// as there is whole area.
func (s *Schedule) lay() {
	whole := count(s.area())
	var at time.Duration
	var area float64 // from the start of the run
	var rated int64  // arrivals of the rate line so far
	for i := range s.stages {
		g, sh := &s.stages[i], &s.shapes[i]
		*sh = shape{
			start: at, end: at + g.Duration, seconds: g.Duration.Seconds(),
			from: g.From, to: g.To, area: stageArea(g),
			first: s.total, burst: g.Burst,
			lead: float64(rated) + 0.5 - area,
		}
		if sh.seconds > 0 {
			sh.slope = math.Abs(g.To-g.From) / sh.seconds
			s.maxRate = max(s.maxRate, g.From, g.To)
		}
		at, area = sh.end, area+sh.area
		n := min(count(area+0.5), whole)
		if sh.area == 0 {
			n = rated
		}
		sh.n = sh.burst + n - rated
		rated = n
		s.total += sh.n
	}
	s.length = at
}

func (s *Schedule) area() (a float64) {
	for i := range s.stages {
		a += stageArea(&s.stages[i])
	}
	return a
}

func stageArea(s *Stage) float64 {
	return (s.From + s.To) / 2 * s.Duration.Seconds()
}

// count rounds an area down to whole arrivals. An area that is a whole number
// but for the rounding of its sum counts as that number.
func count(area float64) int64 {
	return int64(math.Floor(area + 1e-6 + area*1e-15))
}

// checkStages rejects what cannot be scheduled.
func checkStages(stages []Stage) error {
	if len(stages) == 0 {
		return fmt.Errorf("profile has no stages")
	}
	if len(stages) > MaxStages {
		return fmt.Errorf("profile has %d stages: the most is %d", len(stages), MaxStages)
	}
	var length time.Duration
	var arrivals float64
	for i := range stages {
		s := &stages[i]
		for _, r := range [...]float64{s.From, s.To} {
			if err := checkRate(r); err != nil {
				return fmt.Errorf("stage %q: %w", s.Name, err)
			}
		}
		if s.Burst < 0 || s.Burst > MaxArrivals {
			return fmt.Errorf("stage %q: a burst of %d arrivals: it must be between 0 and %d", s.Name, s.Burst, MaxArrivals)
		}
		if s.Duration < 0 {
			return fmt.Errorf("stage %q: negative duration %v", s.Name, s.Duration)
		}
		if s.Users != nil {
			if err := checkUsers(s); err != nil {
				return err
			}
		}
		if s.Duration > MaxDuration-length {
			return fmt.Errorf("stage %q: the stages up to here last longer than %v", s.Name, MaxDuration)
		}
		length += s.Duration
		if arrivals += stageArea(s) + float64(s.Burst); arrivals > float64(MaxArrivals) {
			return fmt.Errorf("stage %q: the stages up to here offer more than %d arrivals", s.Name, MaxArrivals)
		}
	}
	return nil
}

// checkRate rejects a rate that no run can offer.
func checkRate(r float64) error {
	switch {
	case math.IsNaN(r) || math.IsInf(r, 0):
		return fmt.Errorf("a rate must be a finite number, not %v", r)
	case r < 0:
		return fmt.Errorf("a rate must not be negative, as %v/s is", r)
	case r > MaxRate:
		return fmt.Errorf("a rate of %g/s is more than the most that can be asked for, %g/s", r, float64(MaxRate))
	}
	return nil
}

// Total returns the number of arrivals of the run's open stages, all shards
// together. Those of users are numbered from it on.
func (s *Schedule) Total() int64 { return s.total }

// Duration returns the length of the run: no arrival is due later.
func (s *Schedule) Duration() time.Duration { return s.length }

// Stages returns the stages that were compiled, in order.
func (s *Schedule) Stages() []Stage { return slices.Clone(s.stages) }

// StageTotal returns the number of arrivals of stage i, all shards together; 0 for
// a closed one, see UserArrivals.
func (s *Schedule) StageTotal(i int) int64 { return s.shapes[i].n }

// StageStart returns when stage i starts, from the start of the run.
func (s *Schedule) StageStart(i int) time.Duration { return s.shapes[i].start }

// StageAt returns the stage in force at t from the start of the run: the last
// one that has started by then. At the instant at which one stage ends and
// another starts this is the latter, although arrivals of the former may be due
// then; an arrival's stage is in the Arrival.
func (s *Schedule) StageAt(t time.Duration) int {
	i := sort.Search(len(s.shapes), func(i int) bool { return s.shapes[i].start > t })
	return max(i-1, 0)
}

// RateAt returns the rate at t from the start of the run, in arrivals/s. Before
// the start and from the end on it is 0. Bursts have no rate.
func (s *Schedule) RateAt(t time.Duration) float64 {
	if t < 0 || t >= s.length {
		return 0
	}
	sh := &s.shapes[s.StageAt(t)]
	return sh.from + (sh.to-sh.from)*((t-sh.start).Seconds()/sh.seconds)
}

// MaxRate returns the highest rate of the run, in arrivals/s. Bursts have no
// rate, and neither have stages of no length.
func (s *Schedule) MaxRate() float64 { return s.maxRate }
