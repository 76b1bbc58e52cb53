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
	// readings are the last ones of gauges whose readings add up, by shard; read are
	// those that have one in this second. alone are the gauges that one shard reads for
	// all.
	readings map[string]map[int]float64
	read     map[string]*metrics.Series
	alone    map[string]bool
}

func newSum(info *RunInfo, shards []*shard) *sum {
	s := &sum{
		readings: map[string]map[int]float64{}, read: map[string]*metrics.Series{}, alone: map[string]bool{},
		series: map[string]*metrics.Series{}, hists: map[string]*metrics.Hist{},
		counters: map[string]int64{}, rates: map[string][2]int64{},
	}
	for _, st := range info.Stages {
		s.stages = append(s.stages, st.Name)
	}
	known := map[string]bool{}
	for _, sh := range shards {
		for _, l := range sh.run.Lines {
			if l.Series.Kind == metrics.KindGauge {
				whole := l.Series
				whole.Stage = "" // it reads in all of them, if it does
				s.alone[whole.Key()] = !known[whole.Key()]
			}
		}
		for _, l := range sh.run.Lines {
			whole := l.Series
			whole.Stage = ""
			known[whole.Key()] = true
		}
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
		at := last
		if !a.At.IsZero() {
			at = max(bin(a.At.Sub(started)), 0)
		}
		if at != i && (i != last || at < last) {
			continue
		}
		key, _ := u.intern(a.Series)
		if a.Series.Kind == metrics.KindCounter {
			u.counters[key] += a.Count
			continue
		}
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
		own := l.Series
		whole := own
		whole.Stage = ""
		switch {
		case own.Adds:
			u.addReading(own, s.run.Info.Shard, l.Value[c])
			return
		case u.alone[whole.Key()]:
			_, series := u.intern(own)
			snap.Gauges = append(snap.Gauges, metrics.GaugeValue{Series: series, Value: l.Value[c]})
			return
		}
		_, series := u.intern(shardGauge(l.Series, s.run.Info.Shard))
		snap.Gauges = append(snap.Gauges, metrics.GaugeValue{Series: series, Value: l.Value[c]})
	}
}

// addReading adds a shard's reading of a gauge whose readings add up. It stands until the
// shard's next one.
func (u *sum) addReading(series metrics.Series, shard int, v float64) {
	whole := series
	whole.Stage = ""
	key := whole.Key()
	if u.readings[key] == nil {
		u.readings[key] = map[int]float64{}
	}
	_, u.read[key] = u.intern(series)
	u.readings[key][shard] = v
}

// finishReadings puts the sums of readings into the snapshot.
func (u *sum) finishReadings(snap *metrics.Snapshot) {
	for _, key := range sortedKeys(u.read) {
		all := 0.0
		for _, v := range u.readings[key] {
			all += v
		}
		snap.Gauges = append(snap.Gauges, metrics.GaugeValue{Series: u.read[key], Value: all})
	}
	clear(u.read)
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
	u.finishReadings(snap)
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
