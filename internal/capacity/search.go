package capacity

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// End is why a search ended.
type End string

// Found is a search that came to its end. Maximum and Generator have no upper
// bound: the target held the highest rate that was asked for, or that this
// machine can generate. The others end before, and leave what is known; Stopped
// is the runner's doing.
const (
	Found     End = "found"
	Maximum   End = "maximum"
	Generator End = "generator"
	TimeOver  End = "time"
	Stopped   End = "stopped"
	CannotSay End = "cannot_say"
)

// maxTrials bounds a search whatever its target does.
const maxTrials = 200

// errEnded ends the search; why is in the outcome.
var errEnded = errors.New("the search is over")

// load is a rate and the trials that it had.
type load struct {
	rate float64
	// trials are their places in search.trials; those before counted are told
	// and decide nothing any more.
	trials  []int
	counted int
	invalid int
}

type search struct {
	cfg    Config
	run    Runner
	loads  []*load // in the order of their rates
	trials []Trial
	// full is how long a trial must be to count in full, in seconds.
	full  float64
	spent float64 // seconds
	over  float64 // by which trials took longer than they are long, at most
	// limit is the lowest rate that the generator could not offer.
	limit float64
	// hintLow and hintHigh are what short trials found, 0 for nothing.
	hintLow, hintHigh float64
	steps             int // beyond the hints
	// blurred says that a rate held above one that did not.
	blurred bool
	end     End
	because string
	// lower and upper are what is told once it is confirmed.
	lower, upper float64
	confirmed    bool
}

// Search finds the bounds of a capacity. The outcome holds what is known also
// where there is an error, which is the runner's.
func Search(cfg Config, run Runner) (Result, error) {
	s := &search{cfg: cfg, run: run, limit: math.Inf(1), full: cfg.Trial.Seconds()}
	if err := cfg.Check(); err != nil {
		return Result{End: CannotSay, Because: err.Error()}, err
	}
	err := s.explore()
	if err == nil {
		err = s.narrow()
	}
	if err == nil {
		err = s.settle()
	}
	if errors.Is(err, errEnded) {
		err = nil
	}
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		s.end, s.because = Stopped, first
	}
	return s.result(), err
}

// stop ends the search.
func (s *search) stop(e End, format string, args ...any) error {
	s.end, s.because = e, fmt.Sprintf(format, args...)
	return errEnded
}

// at returns the load of a rate.
func (s *search) at(rate float64) *load {
	i, found := slices.BinarySearchFunc(s.loads, rate, func(l *load, r float64) int { return cmp.Compare(l.rate, r) })
	if !found {
		s.loads = slices.Insert(s.loads, i, &load{rate: rate})
	}
	return s.loads[i]
}

// try makes a trial, and another one where the generator was the limit: two of
// them make a limit.
func (s *search) try(rate float64, p Purpose) (Trial, error) {
	length := s.lengthOf(p, rate)
	l := s.at(rate)
	for {
		switch {
		case s.spent+length.Seconds()+s.over > s.cfg.MaxTime.Seconds():
			return Trial{}, s.stop(TimeOver, "the time for the search, %v, was over", s.cfg.MaxTime)
		case len(s.trials) >= maxTrials:
			return Trial{}, s.stop(TimeOver, "%d trials came to no end: the target does not behave the same at one rate", maxTrials)
		}
		t, err := s.run(Ask{Number: len(s.trials) + 1, Rate: rate, Length: length, Purpose: p})
		if err != nil {
			return t, err
		}
		t.Number, t.Rate, t.Length, t.Purpose = len(s.trials)+1, rate, length.Seconds(), p
		s.spent += t.Took
		s.over = max(s.over, t.Took-t.Length)
		l.trials = append(l.trials, len(s.trials))
		s.trials = append(s.trials, t)
		if t.Outcome != Invalid {
			l.invalid = 0
			return t, nil
		}
		if l.invalid++; l.invalid < 2 {
			continue
		}
		if low, _ := s.provisional(); rate <= low {
			return t, s.stop(Generator, "this machine could not generate %s, which it could before", s.cfg.said(rate))
		}
		s.limit = min(s.limit, rate)
		return t, nil
	}
}

// lengthOf is how long a trial of that purpose is at a rate.
func (s *search) lengthOf(p Purpose, rate float64) time.Duration {
	least := s.least(rate)
	switch p {
	case Explore, Narrow:
		return s.cfg.short()
	case Confirm:
		return inSeconds(max(s.cfg.confirming().Seconds(), least))
	}
	return inSeconds(s.fullAt(rate))
}

// fullAt is how long a trial must be at a rate to count in full, in seconds.
func (s *search) fullAt(rate float64) float64 { return max(s.full, s.least(rate)) }

// least is how long a long trial is at least at a rate, in seconds. How many arrivals
// users have is not known before.
func (s *search) least(rate float64) float64 {
	if s.cfg.Users {
		return 0
	}
	return s.cfg.enough() / rate
}

func inSeconds(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }

// tally sums up the trials of a load.
func (s *search) tally(l *load) (t tally) {
	full := s.fullAt(l.rate) * 0.999
	for _, i := range l.trials[l.counted:] {
		if x := s.trials[i]; x.Outcome != Invalid {
			t.add(x.Outcome == Held, x.Length >= full, x.Length)
		}
	}
	return t
}

// class is what a load is, by its trials.
func (s *search) class(l *load) class { return s.tally(l).classify(s.fullAt(l.rate)) }

// explore doubles the rate up to the first failure, or halves it down to the
// first success.
func (s *search) explore() error {
	rate, floor := s.cfg.Start, s.cfg.floor()
	for {
		t, err := s.try(rate, Explore)
		if err != nil {
			return err
		}
		switch t.Outcome {
		case Held:
			s.hintLow = rate
			if s.hintHigh > 0 || rate >= s.cfg.ceiling() {
				return nil
			}
			rate = min(2*rate, s.cfg.ceiling())
		default:
			s.hintHigh = rate
			if s.hintLow > 0 {
				return nil
			}
			if rate <= floor {
				return s.nothingHolds(t)
			}
			if rate = max(s.cfg.whole(rate/2), floor); t.Dead {
				rate = floor // no need to go there step by step
			}
		}
	}
}

// nothingHolds ends a search that found no rate at which the SLA holds.
func (s *search) nothingHolds(t Trial) error {
	if t.Outcome == Invalid {
		return s.stop(CannotSay, "this machine cannot generate even %s", s.cfg.said(t.Rate))
	}
	why := "the SLA is broken"
	if len(t.Breaches) > 0 {
		why = t.Breaches[0].String()
	}
	if t.Dead {
		return s.stop(CannotSay, "the target fails from the first arrival: at %s not one succeeded, %s", s.cfg.said(t.Rate), why)
	}
	return s.stop(CannotSay, "the SLA is broken already at %s, the lowest load tried: %s", s.cfg.said(t.Rate), why)
}

// narrow brings the hints within two widths of each other with one short trial
// at each rate.
func (s *search) narrow() error {
	width := math.Pow(1+s.cfg.width(), 2)
	for s.hintHigh > 0 && s.hintHigh > s.hintLow*width*1.0001 && !s.cfg.adjacent(s.hintLow, s.hintHigh) {
		rate := s.between(s.hintLow, s.hintHigh)
		t, err := s.try(rate, Narrow)
		if err != nil {
			return err
		}
		if t.Outcome == Held {
			s.hintLow = rate
		} else {
			s.hintHigh = rate
		}
	}
	return nil
}

// between returns the middle of two rates on a log scale, so that whole widths
// lie on both sides of it.
func (s *search) between(low, high float64) float64 {
	widths := math.Ceil(math.Log(high/low)/math.Log1p(s.cfg.width()) - 1e-6)
	half := max(math.Floor(widths/2), 1)
	rate := low * math.Pow(high/low, half/max(widths, 2))
	if s.cfg.Users {
		return min(s.cfg.onward(rate, low, +1), high-1)
	}
	return rate
}
