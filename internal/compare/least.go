package compare

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/figure"
)

// Least is the smallest difference that matters: as a part of the base's figure,
// or in the figure's own terms, whichever is more.
type Least struct {
	// Relative is a part of the base's figure.
	Relative float64 `json:"relative"`
	// Time is in milliseconds, Share a part of one.
	Time  float64 `json:"ms"`
	Share float64 `json:"share"`
}

// DefaultLeast is what runs of one build differ by anyway: 5 %, and at least the
// 100 µs that the generator's clock and scheduling, or the 0.2 percentage points
// of arrivals that short runs, can resolve.
var DefaultLeast = Least{Relative: DefaultMinEffect, Time: 0.1, Share: 0.002}

// Leasts are the smallest differences that matter, of every figure and of those
// that have their own.
type Leasts struct {
	All   Least
	Named map[string]Least
}

// ParseLeasts reads effects as people write them: "5%", "2ms", "5%,2ms",
// "0.5pp", and with a figure in front "response_time=5%,2ms" or
// "response_time p99=10%". A number by itself is in percent. What is not said of
// the two parts keeps its default.
func ParseLeasts(texts []string) (*Leasts, error) {
	out := &Leasts{All: DefaultLeast, Named: map[string]Least{}}
	for _, text := range texts {
		if !strings.Contains(text, "=") {
			if err := out.All.parse(text); err != nil {
				return nil, fmt.Errorf("%q: %w", text, err)
			}
		}
	}
	for _, text := range texts {
		at := strings.LastIndex(text, "=")
		if at < 0 {
			continue
		}
		name := strings.Join(strings.Fields(text[:at]), " ")
		least, known := out.Named[name]
		if !known {
			least = out.All
		}
		if err := least.parse(text[at+1:]); err != nil || name == "" {
			return nil, fmt.Errorf("%q: %w", text, orNameless(err))
		}
		out.Named[name] = least
	}
	return out, nil
}

func orNameless(err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("no figure before the =; want FIGURE=EFFECT, as in response_time=5%%,2ms")
}

func (l *Least) parse(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		number, unit := part, "%"
		for _, u := range []string{"%", "pp"} {
			if rest, ok := strings.CutSuffix(part, u); ok {
				number, unit = strings.TrimSpace(rest), u
			}
		}
		if d, err := time.ParseDuration(part); err == nil && d > 0 && part != "0" {
			l.Time = float64(d) / 1e6
			continue
		}
		v, err := strconv.ParseFloat(number, 64)
		if err != nil || v <= 0 || v >= 1000 || math.IsNaN(v) {
			return fmt.Errorf("%q is no effect: want a percentage above 0, a time or percentage points, as in 5%%, 2ms or 0.5pp", part)
		}
		if unit == "pp" {
			l.Share = v / 100
		} else {
			l.Relative = v / 100
		}
	}
	return nil
}

// of returns the least effect of a figure: that of its series and statistic, of
// its series, or of its metric, whichever is named.
func (l *Leasts) of(s *spec) Least {
	base, _, _ := strings.Cut(s.key.metric, "{")
	for _, name := range []string{s.key.metric + " " + s.stat.name, s.key.metric, base + " " + s.stat.name, base} {
		if v, ok := l.Named[name]; ok {
			return v
		}
	}
	return l.All
}

// margins returns from where to where a difference does not matter, on the scale
// on which the figure is compared, for a base of so much.
func (l Least) margins(s *spec, base float64) (low, high float64) {
	if s.share {
		m := max(l.Relative*base, l.Share)
		return -m, m
	}
	high = math.Log1p(max(l.Relative, l.Time/base))
	low = -math.Log1p(l.Relative)
	if l.Time >= base {
		low = math.Inf(-1) // it cannot fall by so much
	} else {
		low = min(low, math.Log1p(-l.Time/base))
	}
	return low, high
}

// Text says what the least effect is, for a time or for a share.
func (l Least) text(share bool) string {
	if share {
		return figure.Share(l.Relative) + " or " + figure.Points(l.Share)
	}
	return figure.Share(l.Relative) + " or " + figure.Millis(l.Time)
}
