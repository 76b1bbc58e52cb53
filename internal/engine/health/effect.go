package health

import (
	"fmt"
	"math"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Figure is one judged figure with what the generator may have added to it: the times
// of a scenario in a judged stage.
type Figure struct {
	// Name says whose times they are, for people.
	Name string
	// Response counts from due, Service from the start of the arrival; Lag is how late
	// arrivals were released. All are of the same arrivals.
	Response, Service, Lag *metrics.Hist
}

// quantiles are the percentiles that are judged.
var quantiles = []float64{0.5, 0.95, 0.99}

// A shift of a figure counts from the least effect that matters on: its own 95 %
// interval, a twentieth of it, or what a generator on an idle machine adds.
const (
	leastShare = 0.05
	leastTime  = 100 * time.Microsecond
)

// effect is by how much the generator may have made a figure too high.
type effect struct {
	figure string
	value  time.Duration
	shift  time.Duration
}

func (e effect) String() string {
	return fmt.Sprintf("response_time of %s = %s, may be up to %s too high for it", e.figure, dur(float64(e.value)), dur(float64(e.shift)))
}

// worst returns the figure that the lag may have changed the most, of those that it may
// have changed by more than matters. known is false where there is no figure to ask.
func worst(figures []Figure) (e effect, matters, known bool) {
	most := 0.0
	for _, f := range figures {
		for _, q := range quantiles {
			if f.Response.Empty() || f.Service.Empty() || f.Lag.Empty() || !f.Response.Carries(q) {
				continue
			}
			known = true
			value, shift := f.shift(q)
			if ratio := shift / max(tolerated(f.Response, q, value), 1); ratio > 1 && ratio > most {
				most, matters = ratio, true
				e = effect{fmt.Sprintf("%s, p%g", f.Name, 100*q), time.Duration(value), time.Duration(shift)}
			}
		}
	}
	return e, matters, known
}

// tolerated is by how much a quantile may be off without saying something else: down to
// the lower limit of its own interval, by the normal approximation of the binomial
// distribution of ranks, and never less than what no comparison looks at.
func tolerated(h *metrics.Hist, q, value float64) float64 {
	n := float64(h.N + h.Censored)
	low, _ := h.AtRank(max(int64(n*q-1.96*math.Sqrt(n*q*(1-q))), 1))
	return max(value-float64(low), leastShare*value, float64(leastTime))
}

// shift is by how much the quantile q of the response may be too high, in nanoseconds.
// It is the least of two bounds, for what waits twice for a processor: when an arrival is
// due, and again when its answer is there.
//
//   - What lies between response and service is the lag that these arrivals had.
//   - Of R = S + L, whatever their dependence: Q_S(q) ≥ Q_R(q−ε) − Q_L(1−ε) for every ε in
//     (0, q), because R exceeds S by more than Q_L(1−ε) in no more than a share ε.
func (f Figure) shift(q float64) (value, shift float64) {
	r, _, _ := f.Response.Quantile(q)
	s, _, _ := f.Service.Quantile(q)
	value = float64(r)
	shift = 2 * max(value-float64(s), 0)
	for _, part := range []float64{0.02, 0.05, 0.1, 0.2, 0.5} {
		epsilon := part * (1 - q)
		below, _, _ := f.Response.Quantile(q - epsilon)
		late, _, _ := f.Lag.Quantile(1 - epsilon)
		shift = min(shift, value-float64(below)+2*float64(late))
	}
	return value, shift
}
