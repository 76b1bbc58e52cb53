package scripts

import (
	"fmt"
	"strconv"
	"time"

	"github.com/perfctl/perfctl/internal/scenarios/script/options"
)

// words say in a few what a scenario offers.
func words(s *options.Scenario) string {
	text := s.Name + " "
	switch s.Executor {
	case options.SharedIterations:
		text += fmt.Sprintf("%d iterations by %s", s.Iterations, people(s.VUs))
	case options.PerVUIterations:
		text += fmt.Sprintf("%s × %d iterations", people(s.VUs), s.Iterations)
	case options.ConstantVUs:
		text += people(s.VUs)
	case options.RampingVUs:
		text += line(float64(s.StartVUs), s.Stages, 1) + " users"
	case options.ConstantArrivalRate:
		text += figures(s.Rate/s.TimeUnit) + "/s"
	case options.RampingArrivalRate:
		text += line(s.Rate, s.Stages, s.TimeUnit) + "/s"
	}
	if s.StartTime > 0 {
		text += " from " + short(s.StartTime)
	}
	return text
}

func people(n int) string {
	if n == 1 {
		return "1 user"
	}
	return strconv.Itoa(n) + " users"
}

// line is a ramp in figures, the middle of a long one left out.
func line(from float64, stages []options.Stage, unit float64) string {
	text := figures(from / unit)
	for i, x := range stages {
		switch {
		case len(stages) > 5 && i == 3:
			text += " → …"
		case len(stages) > 5 && i > 3 && i < len(stages)-1:
		default:
			text += " → " + figures(x.Target/unit)
		}
	}
	return text
}

func figures(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }

func short(d time.Duration) string { return d.Round(time.Millisecond).String() }
