package capacity

import "math"

// settle measures with long trials until the bounds by measurement are a width
// apart, and sees the bounds that are told confirmed; where one is not, it goes
// on below or above it.
func (s *search) settle() error {
	for {
		low, high := s.bounds()
		if low == 0 && high <= s.cfg.floor()*1.0001 {
			return s.nothingHolds(s.trials[len(s.trials)-1])
		}
		if rate := s.next(low, high); rate > 0 {
			if _, err := s.try(s.near(rate), Measure); err != nil {
				return err
			}
			continue
		}
		done, err := s.confirm(low, high)
		if err != nil || done {
			return err
		}
	}
}

// bounds returns the relevant bounds of RFC 9971: the upper is the lowest load
// that is an upper bound, or that the generator could not offer, the lower the
// highest below it that is a lower bound. 0 and +Inf stand for none.
func (s *search) bounds() (low, high float64) {
	high = s.limit
	for _, l := range s.loads {
		switch c := s.class(l); {
		case l.rate >= high:
		case c == upperBound:
			high = l.rate
		case c == lowerBound:
			low = l.rate
		}
	}
	return low, high
}

// next returns the rate to measure next, 0 where the bounds are near enough.
func (s *search) next(low, high float64) float64 {
	top := s.cfg.ceiling()
	noHigh := math.IsInf(high, 1)
	switch {
	case low == 0 && s.hintLow > 0 && s.hintLow < high:
		return s.hintLow
	case low == 0:
		return max(s.beyond(high, -1), s.cfg.floor())
	case low >= top:
		return 0
	case noHigh && s.hintHigh > low:
		return s.hintHigh
	case noHigh:
		return min(s.beyond(low, +1), top)
	case high <= low*(1+s.cfg.width())*1.0001, s.cfg.adjacent(low, high):
		return 0
	}
	s.steps = 0
	return s.between(low, high)
}

// beyond returns a rate beyond what short trials suggested: by one width at
// first, each time by twice as many. What was begun is measured to its end.
func (s *search) beyond(rate float64, direction float64) float64 {
	for _, l := range s.loads {
		ahead := direction < 0 && l.rate < rate || direction > 0 && l.rate > rate
		t := s.tally(l)
		if ahead && t.fullLow+t.fullHigh > 0 && t.classify(s.fullAt(l.rate)) == undecided {
			return l.rate
		}
	}
	widths := math.Exp2(float64(s.steps))
	s.steps = min(s.steps+1, 8)
	return s.cfg.onward(rate*math.Pow(1+s.cfg.width(), direction*widths), rate, direction)
}

// confirm tries the bounds that are told. It returns true where they hold, or
// nothing is left to try; else the trials that it made move the bounds.
func (s *search) confirm(low, high float64) (done bool, err error) {
	bounded, generator := !math.IsInf(high, 1), high == s.limit
	told, above := low, high
	if bounded && !s.cfg.Users {
		told = low / (1 + s.cfg.margin())
	}
	if bounded && !generator {
		if above = min(high*(1+s.cfg.margin()), s.cfg.ceiling()); s.cfg.Users {
			above = high
		}
		ok, err := s.majority(above, Measure, Broke)
		if err != nil {
			return false, err
		}
		switch {
		case s.limit <= above:
			above = high
		case !ok && !s.blurred:
			// What broke at a lower rate was noise, or a state that is over: it
			// is measured anew, once.
			s.blurred = true
			l := s.at(high)
			l.counted = len(l.trials)
			return false, nil
		case !ok:
			if above, err = s.clear(above); err != nil {
				return false, err
			}
		}
	}
	if ok, err := s.majority(told, Confirm, Held); err != nil || !ok {
		// What holds for a trial does not last: from here on, a trial must.
		s.full = s.cfg.confirming().Seconds()
		return false, err
	}
	s.lower, s.upper, s.confirmed = told, above, true
	switch {
	case !bounded, math.IsInf(above, 1) && math.IsInf(s.limit, 1):
		return true, s.stop(Maximum, "%s is the highest load that was asked for", s.cfg.said(s.cfg.ceiling()))
	case generator, math.IsInf(above, 1):
		return true, s.stop(Generator, "%s is beyond what this machine can generate", s.cfg.said(s.limit))
	}
	return true, s.stop(Found, "")
}

// clear returns a rate from the given one upwards that breaks the SLA, where the
// border is blurred: each step is twice as far as the one before. It is +Inf
// where there is none.
func (s *search) clear(rate float64) (float64, error) {
	for step := 1 + s.cfg.margin(); ; step *= step {
		if rate = s.cfg.onward(rate*step, rate, +1); rate > s.cfg.ceiling() || rate >= s.limit {
			return math.Inf(1), nil
		}
		ok, err := s.majority(rate, Measure, Broke)
		if ok || err != nil {
			return rate, err
		}
	}
}

// near returns the load that a rate is as good as the same as, or the rate.
func (s *search) near(rate float64) float64 {
	for _, l := range s.loads {
		if math.Abs(l.rate/rate-1) < 0.001 {
			return l.rate
		}
	}
	return rate
}

// majority says whether a rate comes to the wanted outcome: at once, or in two
// of three trials.
func (s *search) majority(rate float64, p Purpose, want Outcome) (bool, error) {
	pro, con := 0, 0
	for {
		t, err := s.try(rate, p)
		if err != nil {
			return false, err
		}
		switch t.Outcome {
		case want:
			pro++
		case Invalid:
			return false, nil
		default:
			con++
		}
		switch {
		case pro > con && (con == 0 || pro == 2):
			return true, nil
		case con == 2:
			return false, nil
		}
	}
}
