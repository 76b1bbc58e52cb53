package capacity

import (
	"fmt"
	"math"
	"slices"

	"github.com/perfctl/perfctl/internal/stats"
)

// Result is what a search found, as capacity.json holds it. Rates are in
// arrivals per second.
type Result struct {
	Schema int `json:"schema"`
	// Name is what was searched: the mix, or one scenario of it.
	Name string `json:"name"`
	// Users says that every rate here is a number of users.
	Users bool `json:"users,omitempty"`
	End   End  `json:"end"`
	// Because says why the search ended where it did not find both bounds.
	Because string `json:"because"`
	// Lower is the highest rate that held, Upper the lowest that did not; nil
	// where not known. Confirmed says that the lower one was held for a
	// confirming trial, and that the bounds are as near as was asked for.
	Lower     *float64 `json:"lower"`
	Upper     *float64 `json:"upper"`
	Width     *float64 `json:"width"`
	Confirmed bool     `json:"confirmed"`
	// Blurred says that a rate held above one that did not: the target does not
	// behave the same at one rate, and the bounds may be further apart.
	Blurred bool `json:"blurred"`
	// GeneratorLimit is the lowest rate that this machine could not generate.
	GeneratorLimit *float64 `json:"generator_limit"`
	// Broke is what broke at the upper bound, the first to break first.
	Broke []Breach `json:"broke"`
	// Curve is what was measured at each rate, Knee the point on it at which P95
	// turns up, Law the Universal Scalability Law fitted to it.
	Curve []CurvePoint `json:"curve"`
	Knee  *Knee        `json:"knee"`
	Law   *Law         `json:"usl"`
	// CannotSay are the questions that stay open.
	CannotSay []Unknown `json:"cannot_say"`
	// Sentence is the answer for who reads nothing else.
	Sentence string  `json:"sentence"`
	Trials   []Trial `json:"trials"`
	// Took is how long the search took, in seconds.
	Took float64 `json:"took_s"`
}

// Schema is the version of the layout of Result. A later one only adds.
const Schema = 1

// CurvePoint is a rate and the means of what its valid trials measured.
type CurvePoint struct {
	Rate   float64 `json:"rate"`
	Trials int     `json:"trials"`
	// Held is how many of the trials held the SLA.
	Held int `json:"held"`
	Load
}

// Knee is a point of the curve.
type Knee struct {
	Rate float64 `json:"rate"`
	P95  float64 `json:"p95_ms"`
}

// Law is the Universal Scalability Law fitted to throughput over concurrency.
type Law struct {
	Lambda float64 `json:"lambda"`
	Sigma  float64 `json:"sigma"`
	Kappa  float64 `json:"kappa"`
	R2     float64 `json:"r2"`
	Points int     `json:"points"`
	// Concurrency is where throughput peaks, nil where it only approaches a
	// bound; Peak is that throughput or bound, nil where there is none. Low and
	// High bound it, leaving out one point at a time.
	Concurrency *float64 `json:"peak_concurrency"`
	Peak        *float64 `json:"peak_rps"`
	Low         *float64 `json:"peak_low_rps"`
	High        *float64 `json:"peak_high_rps"`
}

// Unknown is a question without an answer.
type Unknown struct {
	Question string `json:"question"`
	Because  string `json:"because"`
}

// result gathers what is known.
func (s *search) result() Result {
	r := Result{
		Schema: Schema, Users: s.cfg.Users, End: s.end, Because: s.because, Confirmed: s.confirmed, Blurred: s.blurred, Trials: s.trials, Took: s.spent,
		Broke: []Breach{}, Curve: s.curve(), CannotSay: []Unknown{},
	}
	if r.Trials == nil {
		r.Trials = []Trial{}
	}
	low, high := s.lower, s.upper
	if !s.confirmed {
		low, high = s.provisional()
	}
	if !math.IsInf(s.limit, 1) {
		r.GeneratorLimit = &s.limit
	}
	if low > 0 {
		r.Lower = &low
	} else {
		r.CannotSay = append(r.CannotSay, Unknown{"capacity", s.because})
	}
	if !math.IsInf(high, 1) && high > 0 && high < s.limit {
		r.Upper = &high
	}
	if r.Lower != nil && r.Upper != nil {
		width := high/low - 1
		r.Width = &width
	}
	r.Broke = s.broken(low, high)
	r.knee()
	r.law()
	r.Sentence = r.sentence()
	return r
}

// provisional returns the bounds as far as they are known: by long trials where
// there are any, else by what short ones came to.
func (s *search) provisional() (low, high float64) {
	low, high = s.bounds()
	for _, l := range s.loads {
		t := s.tally(l)
		if t.fullLow+t.shortLow < t.fullHigh+t.shortHigh && l.rate > low {
			high = min(high, l.rate)
		}
	}
	for _, l := range s.loads {
		t := s.tally(l)
		if t.fullLow+t.shortLow > t.fullHigh+t.shortHigh && l.rate < high {
			low = max(low, l.rate)
		}
	}
	return low, high
}

// broken returns what broke at the upper bound, or where nothing was tried there
// at the lowest rate above the lower one at which something did. Of several
// trials the last is the one made with the most care.
func (s *search) broken(low, high float64) []Breach {
	for _, from := range []float64{high, math.Nextafter(low, math.Inf(1))} {
		for _, l := range s.loads {
			t := s.tally(l)
			if l.rate < from || t.fullHigh+t.shortHigh <= t.fullLow+t.shortLow {
				continue
			}
			for _, i := range slices.Backward(l.trials) {
				if t := s.trials[i]; t.Outcome == Broke && len(t.Breaches) > 0 {
					return t.Breaches
				}
			}
		}
	}
	return []Breach{}
}

// curve returns a point for each rate that had a valid trial.
func (s *search) curve() []CurvePoint {
	out := []CurvePoint{}
	for _, l := range s.loads {
		p := CurvePoint{Rate: l.rate}
		var sum [8]meanOf
		for _, i := range l.trials {
			t := s.trials[i]
			if t.Outcome == Invalid {
				continue
			}
			p.Trials++
			if t.Outcome == Held {
				p.Held++
			}
			p.AtLeast = p.AtLeast || t.Load.AtLeast
			sum[0].add(&t.Load.Achieved)
			sum[1].add(&t.Load.Concurrency)
			sum[2].add(&t.Load.ErrorRate)
			sum[3].add(t.Load.Mean)
			sum[4].add(t.Load.P50)
			sum[5].add(t.Load.P95)
			sum[6].add(t.Load.P99)
			sum[7].add(t.Load.Task)
		}
		if p.Trials == 0 {
			continue
		}
		p.Achieved, p.Concurrency, p.ErrorRate = *sum[0].value(), *sum[1].value(), *sum[2].value()
		p.Mean, p.P50, p.P95, p.P99 = sum[3].value(), sum[4].value(), sum[5].value(), sum[6].value()
		p.Task = sum[7].value()
		out = append(out, p)
	}
	return out
}

// meanOf is the mean of the figures that there are.
type meanOf struct{ sum, n float64 }

func (m *meanOf) add(v *float64) {
	if v != nil {
		m.sum, m.n = m.sum+*v, m.n+1
	}
}

func (m *meanOf) value() *float64 {
	if m.n == 0 {
		return nil
	}
	v := m.sum / m.n
	return &v
}

// knee finds the knee of P95 over the rate.
func (r *Result) knee() {
	var points []stats.Point
	for _, p := range r.Curve {
		if v := p.slow(); v != nil {
			points = append(points, stats.Point{X: p.Rate, Y: *v})
		}
	}
	if k, ok := stats.Knee(points); ok {
		r.Knee = &Knee{Rate: k.X, P95: k.Y}
		return
	}
	r.CannotSay = append(r.CannotSay, Unknown{"knee", fmt.Sprintf("P95 at %d rates does not turn from flat to steep", len(points))})
}

// law fits the Universal Scalability Law to what the trials saw.
func (r *Result) law() {
	var points []stats.Point
	for _, p := range r.Curve {
		points = append(points, stats.Point{X: p.Concurrency, Y: p.Achieved})
	}
	u, err := stats.FitUSL(points)
	if err != nil {
		r.CannotSay = append(r.CannotSay, Unknown{"scalability", err.Error()})
		return
	}
	n, x := u.Peak()
	r.Law = &Law{Lambda: u.Lambda, Sigma: u.Sigma, Kappa: u.Kappa, R2: u.R2, Points: u.Points,
		Concurrency: known(n), Peak: known(x), Low: known(u.Low), High: known(u.High)}
}

// known returns a finite figure, nil for none.
func known(v float64) *float64 {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}
