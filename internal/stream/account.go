package stream

import (
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// account adds up a run's snapshots for receivers that ask for sums, on their own
// schedule.
type account struct {
	mu     sync.Mutex
	totals *metrics.Totals
	gauges map[gaugeKey]gaugeReading
	order  []gaugeKey
	marks  map[markPlace]metrics.Mark
	// seconds were added, upTo is where the last one ended.
	seconds int64
	upTo    time.Duration
	at      time.Time
}

// gaugeKey is a gauge without its stage: a reading replaces the one before, whatever
// stage that was in.
type gaugeKey struct {
	name string
	tags metrics.Tags
}

type gaugeReading struct {
	desc  metrics.Desc
	value float64
}

func newAccount() *account {
	return &account{totals: metrics.NewTotals(), gauges: map[gaugeKey]gaugeReading{}, marks: map[markPlace]metrics.Mark{}}
}

func (a *account) add(s *metrics.Snapshot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, v := range s.Trends {
		a.totals.AddTrend(v.Series, v.Hist)
	}
	for _, v := range s.Counters {
		a.totals.AddCounter(v.Series, v.Delta)
	}
	for _, v := range s.Rates {
		a.totals.AddRate(v.Series, v.Hits, v.Total)
	}
	for _, v := range s.Gauges {
		if !finite(v.Value) {
			continue
		}
		key := gaugeKey{v.Series.Name, v.Series.Tags}
		key.tags.Stage = ""
		if _, known := a.gauges[key]; !known {
			a.order = append(a.order, key)
		}
		a.gauges[key] = gaugeReading{v.Series.Desc, v.Value}
	}
	a.mark(s.Marks)
	a.seconds++
	a.upTo, a.at = s.End, s.At
}

// baseValue converts a gauge's value to the base unit that receivers expect: times
// are seconds.
func baseValue(d metrics.Desc, v float64) float64 {
	if d.Unit == metrics.UnitTime {
		return v / 1e3
	}
	return v
}
