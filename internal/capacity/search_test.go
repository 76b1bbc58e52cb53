package capacity_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/capacity"
)

// holds fails the test unless the bounds were found, hold the truth and are as
// near as was asked for.
func holds(t interface {
	Helper()
	Errorf(string, ...any)
}, r capacity.Result, err error, truth, precision float64) {
	t.Helper()
	if err != nil || r.End != capacity.Found || r.Lower == nil || r.Upper == nil {
		t.Errorf("at %.1f/s: search ended with %q (%s), %v", truth, r.End, r.Sentence, err)
		return
	}
	if *r.Lower > truth || *r.Upper < truth {
		t.Errorf("bounds %.1f to %.1f do not hold %.1f", *r.Lower, *r.Upper, truth)
	}
	if *r.Width > precision {
		t.Errorf("bounds %.1f to %.1f are %.2f %% apart", *r.Lower, *r.Upper, 100**r.Width)
	}
	if !r.Confirmed {
		t.Errorf("bounds %.1f to %.1f are not confirmed", *r.Lower, *r.Upper)
	}
}

func TestBoundsHoldAHardCapacity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := &queue{
			servers: rapid.IntRange(1, 64).Draw(t, "servers"), p95: 0.5,
			bound: rapid.SampledFrom([]int{0, 100}).Draw(t, "bound"),
		}
		q.service = float64(q.servers) / rapid.Float64Range(8, 3000).Draw(t, "capacity")
		if q.service > 0.2 {
			t.Skip("slower than the SLA at any load")
		}
		r, err := capacity.Search(config(), q.run)
		holds(t, r, err, q.capacity(), 0.05)
	})
}

func TestBoundsHoldWhereTrialsAreNoisy(t *testing.T) {
	wrong, searches := 0, 30
	for seed := range uint64(searches) {
		rng := rand.New(rand.NewPCG(seed, 1))
		q := &queue{servers: 8, service: 8 / (100 + 900*rng.Float64()), p95: 0.5, noisy: 0.1, rng: rng}
		r, err := capacity.Search(config(), q.run)
		if err != nil || r.Lower == nil || r.Upper == nil || *r.Lower > q.capacity() || *r.Upper < q.capacity() {
			wrong++
		}
	}
	if wrong > searches/10 {
		t.Errorf("%d of %d searches missed, with one trial in ten disturbed", wrong, searches)
	}
}

// TestBoundsHoldTheCapacityOfARandomQueue searches an M/M/c queue whose SLA is
// broken at a load that Erlang's formula gives.
func TestBoundsHoldTheCapacityOfARandomQueue(t *testing.T) {
	wrong, searches := 0, 5
	for seed := range uint64(searches) {
		rng := rand.New(rand.NewPCG(seed, 2))
		// Time constants of queues near their limit are long: trials must be, too.
		q := &queue{servers: 4 + rng.IntN(12), service: 0.002 + 0.003*rng.Float64(), random: true, rng: rng}
		q.p95 = 5 * q.service
		cfg := config()
		cfg.Trial, cfg.Start = time.Minute, q.capacity()/10
		r, err := capacity.Search(cfg, q.run)
		truth := q.capacityAt(q.p95)
		if err != nil || r.Lower == nil || r.Upper == nil || *r.Lower > truth*1.01 || *r.Upper < truth*0.99 {
			t.Logf("truth %.1f of %.1f: %s, %v", truth, q.capacity(), r.Sentence, err)
			wrong++
		}
	}
	if wrong > 1 {
		t.Errorf("%d of %d searches missed", wrong, searches)
	}
}

// capacityAt is the rate at which the 95th percentile of response time is limit:
// the tail of an M/M/c queue (Kleinrock, Queueing Systems I, 1975), bisected.
func (q *queue) capacityAt(limit float64) float64 {
	low, high := 0.0, q.capacity()
	for range 60 {
		if mid := (low + high) / 2; q.tail(mid, limit) > 0.05 {
			high = mid
		} else {
			low = mid
		}
	}
	return low
}

// tail is the probability that a response takes longer than x.
func (q *queue) tail(rate, x float64) float64 {
	mu, c := 1/q.service, float64(q.servers)
	a := rate / mu
	blocking := 1.0 // Erlang B
	for k := 1.0; k <= c; k++ {
		blocking = a * blocking / (k + a*blocking)
	}
	wait := blocking / (1 - (1-blocking)*rate/(c*mu)) // Erlang C
	theta := c*mu - rate
	return math.Exp(-mu*x) + wait*mu/(mu-theta)*(math.Exp(-theta*x)-math.Exp(-mu*x))
}

func TestTheRateToldIsHeldForAConfirmingTrial(t *testing.T) {
	q := &queue{servers: 8, service: 0.01, p95: 0.5}
	r, err := capacity.Search(config(), q.run)
	holds(t, r, err, 800, 0.05)
	last := r.Trials[len(r.Trials)-1]
	if last.Purpose != capacity.Confirm || last.Rate != *r.Lower || last.Length != 20 || last.Outcome != capacity.Held {
		t.Errorf("last trial %+v, want %v/s held for 20 s", last, *r.Lower)
	}
	if r.Took > 400 {
		t.Errorf("the search took %.0f s", r.Took)
	}
}

func TestARateThatDoesNotLastIsSearchedBelow(t *testing.T) {
	// A target that holds 800/s for a quarter of a minute, and 600/s for ever.
	r, err := capacity.Search(config(), func(a capacity.Ask) (capacity.Trial, error) {
		t := capacity.Trial{Outcome: capacity.Held, Took: a.Length.Seconds()}
		if a.Rate > 800 || a.Rate > 600 && a.Length > 15*time.Second {
			t.Outcome = capacity.Broke
		}
		return t, nil
	})
	if err != nil || r.Lower == nil || *r.Lower > 600 || *r.Lower < 540 {
		t.Errorf("%s, %v; want a bound just below 600", r.Sentence, err)
	}
}

func TestABlurredBorderIsSaidToBeOne(t *testing.T) {
	blurred := 0
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 3))
		r, err := capacity.Search(config(), func(a capacity.Ask) (capacity.Trial, error) {
			t := capacity.Trial{Outcome: capacity.Held, Took: a.Length.Seconds()}
			if a.Rate > 800 || a.Rate > 680 && rng.IntN(2) == 0 {
				t.Outcome = capacity.Broke
			}
			return t, nil
		})
		if err != nil || r.Lower == nil || *r.Lower > 800 || r.Upper == nil || *r.Upper < 680 || r.Took > 1200 {
			t.Errorf("%s (%.0f s), %v", r.Sentence, r.Took, err)
		}
		if r.Blurred {
			blurred++
			if !strings.Contains(r.Sentence, "blurred") {
				t.Errorf("%q does not say so", r.Sentence)
			}
		}
	}
	if blurred == 0 {
		t.Error("no search saw the border blurred")
	}
}

func TestAGeneratorAtItsLimitDoesNotBlameTheTarget(t *testing.T) {
	q := &queue{servers: 8, service: 0.001, p95: 0.5, generator: 3000}
	r, err := capacity.Search(config(), q.run)
	if err != nil || r.End != capacity.Generator || r.Upper != nil || r.Lower == nil || *r.Lower < 2800 || *r.Lower > 3000 {
		t.Errorf("%s, %v", r.Sentence, err)
	}
	if !strings.Contains(r.Sentence, "beyond what this machine can generate") || len(r.Broke) > 0 {
		t.Errorf("%q, broke %v", r.Sentence, r.Broke)
	}
}

func TestOneInvalidTrialIsMadeAgain(t *testing.T) {
	q := &queue{servers: 8, service: 0.01, p95: 0.5}
	n := 0
	r, err := capacity.Search(config(), func(a capacity.Ask) (capacity.Trial, error) {
		if n++; n%3 == 0 {
			return capacity.Trial{Outcome: capacity.Invalid, Took: 1}, nil
		}
		return q.run(a)
	})
	holds(t, r, err, 800, 0.05)
}

func TestTheHighestRateAskedForMayHold(t *testing.T) {
	cfg := config()
	cfg.Max = 700
	q := &queue{servers: 8, service: 0.01, p95: 0.5}
	r, err := capacity.Search(cfg, q.run)
	if err != nil || r.End != capacity.Maximum || r.Lower == nil || *r.Lower != 700 || r.Upper != nil || !r.Confirmed {
		t.Errorf("%s, %v", r.Sentence, err)
	}
	for _, a := range q.asked {
		if a.Rate > 700 {
			t.Errorf("%v/s was offered, above the highest rate that was asked for", a.Rate)
		}
	}
}

func TestCannotSay(t *testing.T) {
	slow := &queue{servers: 8, service: 0.6, p95: 0.5}
	dead := func(a capacity.Ask) (capacity.Trial, error) {
		return capacity.Trial{Outcome: capacity.Broke, Dead: true, Took: 1, Breaches: []capacity.Breach{
			{Rule: "Errors", Actual: "100 %", Target: "< 0.1 %"},
		}}, nil
	}
	overwhelmed := func(a capacity.Ask) (capacity.Trial, error) {
		return capacity.Trial{Outcome: capacity.Invalid, Took: 1}, nil
	}
	for _, c := range []struct {
		name, want string
		run        capacity.Runner
	}{
		{"slow", "broken already at 6/s", slow.run},
		{"dead", "fails from the first arrival: at 6/s not one succeeded, Errors is 100 %", dead},
		{"overwhelmed", "cannot generate even 6/s", overwhelmed},
	} {
		r, err := capacity.Search(config(), c.run)
		if err != nil || r.End != capacity.CannotSay || r.Lower != nil || !strings.Contains(r.Sentence, c.want) {
			t.Errorf("%s: %q, %v; want %q", c.name, r.Sentence, err, c.want)
		}
		if c.name == "dead" && len(r.Trials) != 2 {
			t.Errorf("%d trials of a dead target, want 2", len(r.Trials))
		}
	}
}

func TestAnEndBeforeTimeKeepsWhatIsKnown(t *testing.T) {
	stop := errors.New("interrupted")
	q := &queue{servers: 8, service: 0.01, p95: 0.5}
	rapid.Check(t, func(t *rapid.T) {
		after := rapid.IntRange(0, 20).Draw(t, "after")
		r, err := capacity.Search(config(), func(a capacity.Ask) (capacity.Trial, error) {
			if a.Number > after {
				return capacity.Trial{}, stop
			}
			return q.run(a)
		})
		if r.End != capacity.Found && !errors.Is(err, stop) {
			t.Fatalf("error %v, want the runner's", err)
		}
		if len(r.Trials) > after || r.Sentence == "" {
			t.Errorf("%d trials are told after %d: %q", len(r.Trials), after, r.Sentence)
		}
		if r.Lower != nil && *r.Lower > 810 || r.Upper != nil && *r.Upper < 800 {
			t.Errorf("what is known is wrong: %s", r.Sentence)
		}
	})
}

func TestTimeBoundsTheSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := config()
		cfg.Start = 200
		cfg.MaxTime = time.Duration(rapid.IntRange(10, 300).Draw(t, "seconds")) * time.Second
		q := &queue{servers: 8, service: 0.01, p95: 0.5}
		r, err := capacity.Search(cfg, q.run)
		if err != nil || r.Took > cfg.MaxTime.Seconds()+warmUp {
			t.Errorf("%.0f s of %v, %v", r.Took, cfg.MaxTime, err)
		}
		if r.End == capacity.TimeOver && !strings.Contains(r.Sentence, "time for the search") {
			t.Errorf("%q does not say that time was over", r.Sentence)
		}
	})
}

func TestTargetsWithoutRuleEndTheSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		cfg := config()
		cfg.MaxTime = 24 * time.Hour
		r, err := capacity.Search(cfg, func(a capacity.Ask) (capacity.Trial, error) {
			o := []capacity.Outcome{capacity.Held, capacity.Broke, capacity.Invalid}[rng.IntN(3)]
			return capacity.Trial{Outcome: o, Took: a.Length.Seconds()}, nil
		})
		if err != nil || r.End == "" || len(r.Trials) > 200 {
			t.Errorf("ended with %q after %d trials, %v", r.End, len(r.Trials), err)
		}
	})
}

func TestCheckNamesEveryFault(t *testing.T) {
	err := capacity.Config{Start: math.NaN(), Max: -1, Precision: 2, Trial: time.Millisecond}.Check()
	for _, want := range []string{"start", "max -1", "precision 200%", "trial 1ms", "max-time"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want it to name %q", err, want)
		}
	}
	if err := config().Check(); err != nil {
		t.Error(err)
	}
}

func TestEstimateHoldsTheTimeOfASearch(t *testing.T) {
	least, most := capacity.Estimate(config(), time.Second)
	q := &queue{servers: 8, service: 0.01, p95: 0.5}
	r, _ := capacity.Search(config(), q.run)
	if r.Took < 0.8*least.Seconds() || r.Took > most.Seconds()*1.3 {
		t.Errorf("took %.0f s, the estimate is %v to %v", r.Took, least, most)
	}
}
