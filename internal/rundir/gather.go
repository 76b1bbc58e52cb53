package rundir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir/hdrlog"
)

// Gather adds up what the shards of a run record while they go on, second by second as
// Merge does afterwards. It is for what is shown and decided meanwhile: what it cannot
// read it leaves out, and Merge says what that was.
type Gather struct {
	started time.Time
	sum     *sum
	shards  []gathered
	bins    map[int]*binned
	// next is the second to come, last the one that some shard has come to.
	next, last int
	dec        hdrlog.Decoder
}

// gathered is a shard whose files are being read as they grow.
type gathered struct {
	// log and series are what has no line's end yet.
	log, series, info []byte
	// intervals are those of the log whose line has not come.
	intervals map[intervalKey][]byte
	descs     map[string]metrics.Desc
	lines     map[string]*metrics.Series
	// upTo is the first second that the shard has not come to.
	upTo int
	gone bool
}

// intervalKey names an interval of the log: a series and when it begins, in milliseconds.
type intervalKey struct {
	tag   string
	start int64
}

// binned are the values of a second, of all shards.
type binned struct {
	stage    int
	hists    map[string]*metrics.Hist
	counters map[string]int64
	rates    map[string][2]int64
	gauges   []metrics.GaugeValue
	readings []reading
}

// NewGather returns a gatherer of a run of so many shards with the given stages, whose
// first arrival could be due at an instant.
func NewGather(shards int, stages []string, started time.Time) *Gather {
	info := &RunInfo{}
	for _, s := range stages {
		info.Stages = append(info.Stages, StageInfo{Name: s})
	}
	g := &Gather{started: started, sum: newSum(info, nil), shards: make([]gathered, shards), bins: map[int]*binned{}, last: -1}
	for i := range g.shards {
		g.shards[i] = gathered{intervals: map[intervalKey][]byte{}, descs: map[string]metrics.Desc{}, lines: map[string]*metrics.Series{}}
		for _, d := range metrics.Standard() {
			g.shards[i].descs[d.Name] = d
		}
	}
	return g
}

// Take takes what was added to a file of a shard's run directory, in its order.
func (g *Gather) Take(shard int, file string, data []byte) {
	s := &g.shards[shard]
	switch file {
	case InfoFile:
		s.info = append(s.info, data...)
		var info RunInfo
		if json.Unmarshal(s.info, &info) == nil { // all of it is there
			s.describe(info.Metrics)
			s.info = nil
		}
	case LogFile:
		s.log = s.takeLog(append(s.log, data...))
	case SeriesFile:
		s.series = append(s.series, data...)
		for {
			i := bytes.IndexByte(s.series, '\n')
			if i < 0 {
				return
			}
			g.takeSecond(shard, s.series[:i])
			s.series = s.series[i+1:]
		}
	}
}

// Gone says that nothing more comes of a shard.
func (g *Gather) Gone(shard int) { g.shards[shard].gone = true }

func (s *gathered) describe(all []MetricInfo) {
	for _, m := range all {
		s.descs[m.Name] = m.desc()
	}
}

// takeLog takes the whole lines of a log, and returns what is left.
func (s *gathered) takeLog(text []byte) []byte {
	end := bytes.LastIndexByte(text, '\n') + 1
	r := hdrlog.NewReader(bytes.NewReader(text[:end]))
	for {
		iv, err := r.Next()
		if _, torn := errors.AsType[*hdrlog.LineError](err); torn {
			continue
		}
		if err != nil { // io.EOF: a reader of bytes has no other error
			break
		}
		s.intervals[intervalKey{string(iv.Tag), iv.Start}] = bytes.Clone(iv.Encoded)
	}
	return bytes.Clone(text[end:])
}

// takeSecond takes a line of a shard's series.
func (g *Gather) takeSecond(shard int, text []byte) {
	s := &g.shards[shard]
	var line secondLine
	if json.Unmarshal(text, &line) != nil || line.Start < 0 || line.End < line.Start {
		return
	}
	s.describe(line.Metrics)
	start := duration(line.Start)
	i := bin(start)
	s.upTo, g.last = max(s.upTo, i+1), max(g.last, i)
	if i < g.next {
		return // too late to be shown; Merge has it
	}
	b := g.bins[i]
	if b == nil {
		b = &binned{hists: map[string]*metrics.Hist{}, counters: map[string]int64{}, rates: map[string][2]int64{}}
		g.bins[i] = b
	}
	if n := slices.Index(g.sum.stages, line.Stage); n >= 0 {
		b.stage = n
	}
	at := hdrlog.Millis(start)
	for key, v := range line.Trends {
		g.addTrend(s, b, key, &v, at)
	}
	for key, v := range line.Counters {
		if series := g.series(s, key); series != nil {
			b.counters[key] += v
		}
	}
	for key, v := range line.Rates {
		if series := g.series(s, key); series != nil {
			old := b.rates[key]
			b.rates[key] = [2]int64{old[0] + v[0], old[1] + v[1]}
		}
	}
	for key, v := range line.Gauges {
		if series := g.series(s, key); series != nil {
			if series.Adds {
				b.readings = append(b.readings, reading{*series, shard, v})
				continue
			}
			own := shardGauge(*series, shard)
			_, of := g.sum.intern(own)
			b.gauges = append(b.gauges, metrics.GaugeValue{Series: of, Value: v})
		}
	}
	// What had no place in its second has none in a later one.
	maps.DeleteFunc(s.intervals, func(k intervalKey, _ []byte) bool { return k.start <= at })
}

func (g *Gather) addTrend(s *gathered, b *binned, key string, v *trendLine, at int64) {
	if g.series(s, key) == nil {
		return
	}
	h := &metrics.Hist{Censored: v.Censored}
	if v.N > 0 {
		encoded, there := s.intervals[intervalKey{hdrlog.Tag(key), at}]
		if !there || g.dec.Decode(encoded, h) != nil || h.N != v.N {
			return
		}
		h.Sum, h.Over, h.Censored, h.Min, h.Max = v.Sum, v.Over, v.Censored, v.Min, v.Max
	}
	if b.hists[key] == nil {
		b.hists[key] = new(metrics.Hist)
	}
	b.hists[key].Merge(h)
}

// series returns a series by its key, nil for one that is none.
func (g *Gather) series(s *gathered, key string) *metrics.Series {
	if known := s.lines[key]; known != nil {
		return known
	}
	parsed, ok := metrics.ParseKey(key)
	if !ok {
		return nil
	}
	d, known := s.descs[parsed.Name]
	if !known {
		return nil
	}
	parsed.Desc = d
	_, series := g.sum.intern(parsed)
	s.lines[key] = series
	return series
}

// Deliver calls f with each second that all shards have come to; with all, with the
// others, too, the last of which is the run's last.
func (g *Gather) Deliver(all bool, f func(*metrics.Snapshot)) {
	upTo := g.last + 1
	for i := range g.shards {
		if s := &g.shards[i]; !s.gone && !all {
			upTo = min(upTo, s.upTo)
		}
	}
	for ; g.next < upTo; g.next++ {
		snap := metrics.Snapshot{Number: g.next, Start: time.Duration(g.next) * time.Second, End: time.Duration(g.next+1) * time.Second,
			Last: all && g.next == upTo-1}
		snap.At = g.started.Add(snap.End)
		if b := g.bins[g.next]; b != nil {
			b.fill(g.sum, &snap)
			delete(g.bins, g.next)
		}
		f(&snap)
	}
}

func (b *binned) fill(u *sum, snap *metrics.Snapshot) {
	snap.Stage = b.stage
	for _, key := range sortedKeys(b.hists) {
		if h := b.hists[key]; !h.Empty() {
			snap.Trends = append(snap.Trends, metrics.TrendValue{Series: u.series[key], Hist: h})
		}
	}
	for _, key := range sortedKeys(b.counters) {
		snap.Counters = append(snap.Counters, metrics.CounterValue{Series: u.series[key], Delta: b.counters[key]})
	}
	for _, key := range sortedKeys(b.rates) {
		v := b.rates[key]
		snap.Rates = append(snap.Rates, metrics.RateValue{Series: u.series[key], Hits: v[0], Total: v[1]})
	}
	snap.Gauges = b.gauges
	for _, r := range b.readings {
		u.addReading(r.series, r.shard, r.value)
	}
	u.finishReadings(snap)
}

// reading is a shard's of a gauge whose readings add up.
type reading struct {
	series metrics.Series
	shard  int
	value  float64
}

// shardGauge is the gauge of one shard among those of all.
func shardGauge(s metrics.Series, shard int) metrics.Series {
	name := fmt.Sprintf("shard-%d", shard)
	if s.Operation != "" {
		name = s.Operation + "/" + name
	}
	s.Operation = name
	return s
}
