package rundir

import (
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// sum adds up the shards' values of one second.
type sum struct {
	stages   []string
	series   map[string]*metrics.Series
	hists    map[string]*metrics.Hist
	counters map[string]int64
	rates    map[string][2]int64
}

func newSum(info *RunInfo) *sum {
	s := &sum{
		series: map[string]*metrics.Series{}, hists: map[string]*metrics.Hist{},
		counters: map[string]int64{}, rates: map[string][2]int64{},
	}
	for _, st := range info.Stages {
		s.stages = append(s.stages, st.Name)
	}
	return s
}

// intern returns the series' one address, which the writer keeps keys by.
func (u *sum) intern(s metrics.Series) (string, *metrics.Series) {
	key := s.Key()
	if known := u.series[key]; known != nil {
		return key, known
	}
	u.series[key] = &s
	return key, &s
}

// add adds a shard's values of the full second i.
func (u *sum) add(s *shard, i int, snap *metrics.Snapshot) {
	s.takeLog(i, func(_ int, l *Line, h *metrics.Hist) { u.addHist(l.Series, h) })
	for _, l := range s.run.Lines {
		for c := s.cursor[l]; c < len(l.At); c = s.cursor[l] {
			second := &s.run.Seconds[l.At[c]]
			if bin(second.Start) > i {
				break
			}
			s.cursor[l]++
			if n := slices.Index(u.stages, second.Stage); n >= 0 {
				snap.Stage = n
			}
			u.addPoint(s, l, c, snap)
		}
	}
}

// addMore adds the values that only the whole tells and that are of the full second i;
// those of after the last one count in it.
func (u *sum) addMore(all []Addition, i, last int, started time.Time) {
	for _, a := range all {
		at := max(bin(a.At.Sub(started)), 0)
		if at != i && (i != last || at < last) {
			continue
		}
		key, _ := u.intern(a.Series)
		if u.hists[key] == nil {
			u.hists[key] = new(metrics.Hist)
		}
		u.hists[key].Record(int64(a.Value))
	}
}

func (u *sum) addHist(series metrics.Series, h *metrics.Hist) {
	key, _ := u.intern(series)
	if u.hists[key] == nil {
		u.hists[key] = new(metrics.Hist)
	}
	u.hists[key].Merge(h)
}

// addPoint adds what series.ndjson says of a second.
func (u *sum) addPoint(s *shard, l *Line, c int, snap *metrics.Snapshot) {
	switch l.Series.Kind {
	case metrics.KindTrend:
		if p := &l.Trend[c]; p.N == 0 {
			u.addHist(l.Series, &metrics.Hist{Censored: p.Censored})
		}
	case metrics.KindCounter:
		key, _ := u.intern(l.Series)
		u.counters[key] += int64(l.Value[c])
	case metrics.KindRate:
		key, _ := u.intern(l.Series)
		v := u.rates[key]
		u.rates[key] = [2]int64{v[0] + int64(l.Value[c]), v[1] + int64(l.Of[c])}
	case metrics.KindGauge:
		_, series := u.intern(shardGauge(l.Series, s.run.Info.Shard))
		snap.Gauges = append(snap.Gauges, metrics.GaugeValue{Series: series, Value: l.Value[c]})
	}
}

// finish puts the sums into the snapshot, which is valid until the next reset.
func (u *sum) finish(snap *metrics.Snapshot) {
	for _, key := range sortedKeys(u.hists) {
		if h := u.hists[key]; !h.Empty() {
			snap.Trends = append(snap.Trends, metrics.TrendValue{Series: u.series[key], Hist: h})
		}
	}
	for _, key := range sortedKeys(u.counters) {
		snap.Counters = append(snap.Counters, metrics.CounterValue{Series: u.series[key], Delta: u.counters[key]})
	}
	for _, key := range sortedKeys(u.rates) {
		v := u.rates[key]
		snap.Rates = append(snap.Rates, metrics.RateValue{Series: u.series[key], Hits: v[0], Total: v[1]})
	}
}

// reset empties the sums for the next second.
func (u *sum) reset() {
	for _, h := range u.hists {
		h.Reset()
	}
	clear(u.counters)
	clear(u.rates)
}
