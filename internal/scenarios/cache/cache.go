package cache

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/keys"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// scenario is one run's cache.
type scenario struct {
	run    string
	env    scenarios.Env
	stages []stage
	keys   []string // the loaded ones
	loaded atomic.Int64
	stored atomic.Int64 // rows of the back end
	prefix string
	sizes  sizes
	ttl    time.Duration
	jitter float64
	missed time.Duration // time to live of what a miss writes
	client *redis.Client
	// together reads for arrivals that were released together.
	together *redis.Together
	before   redis.Info
	draw     keys.Range
	store    *store // nil where the back end is simulated
	herd     herd

	workers []worker
	// first names the first key of each fault.
	first   struct{ gone, phantom, wrong atomic.Pointer[string] }
	get     *metrics.Trend
	set     *metrics.Trend
	penalty *metrics.Trend
	backend *metrics.Trend
	ratio   *metrics.Rate
	hits    *metrics.Counter
	misses  *metrics.Counter
	gone    *metrics.Counter

	fetches, redundant *metrics.Counter
	stampede           *metrics.Gauge

	memory, data, entry, evicted, dials, moved *metrics.Gauge
}

// stage is what holds in one stage, and what came of it.
type stage struct {
	stagePlan
	distribution keys.Distribution
	hot          stagePlan // of the hot key's readers
	backendTime  time.Duration
	exponential  bool

	asked, answered, hit, phantom, gone, wrong atomic.Int64
}

// worker is the state of one worker.
type worker struct {
	timer *time.Timer
	key   []byte
	value []byte
}

func newScenario(e scenarios.Env) *scenario {
	s := &scenario{
		env: e, run: e.RunID, prefix: keyPrefix + e.RunID + ":",
		stages: make([]stage, len(e.Plan.Stages)), workers: make([]worker, e.Plan.Workers),
		sizes: newSizes(e.Seed, e.Values.Int(0, "value_size"), e.Values.Int(0, "value_size_max")),
		ttl:   e.Values.Duration(0, "ttl"), jitter: e.Values.Float(0, "ttl_jitter"), missed: e.Values.Duration(0, "miss_ttl"),
		draw: keys.New(int64(e.Values.Int(0, "keys"))),
	}
	s.herd.key, s.herd.ttl, s.herd.coalesce = s.prefix+"hot", e.Values.Duration(0, "hot_ttl"), e.Values.Bool(0, "coalesce")
	s.store = s.newStore()
	for i, p := range stagePlans(e) {
		s.stages[i].distribution = keys.ByName(e.Values.Text(i, "distribution"))
		s.stages[i].hot = stagePlan{first: p.first, total: p.total, ratio: e.Values.Float(i, "hot_share")}
		s.stages[i].stagePlan = p.withoutHot(s.stages[i].hot)
		s.stages[i].backendTime = e.Values.Duration(i, "backend_time")
		s.stages[i].exponential = e.Values.Text(i, "backend_distribution") == "exponential"
	}
	s.keys = make([]string, e.Values.Int(0, "keys"))
	for i := range s.keys {
		s.keys[i] = s.prefix + "k:" + strconv.Itoa(i)
	}
	m := e.Metrics
	s.get, s.set = m.Trend(command, e.Tags("get")), m.Trend(command, e.Tags("set"))
	s.penalty, s.backend = m.Trend(missPenalty, e.Tags("")), m.Trend(backend, e.Tags(""))
	s.ratio = m.Rate(hitRatio, e.Tags(""))
	s.hits, s.misses, s.gone = m.Counter(hits, e.Tags("")), m.Counter(misses, e.Tags("")), m.Counter(unexpected, e.Tags(""))
	s.fetches, s.redundant = m.Counter(fetches, e.Tags("")), m.Counter(redundant, e.Tags(""))
	s.stampede = m.Gauge(stampede, e.Tags(""))
	s.memory, s.data, s.entry = m.Gauge(memoryUsed, e.Tags("")), m.Gauge(dataset, e.Tags("")), m.Gauge(bytesPerEntry, e.Tags(""))
	s.evicted, s.dials = m.Gauge(evicted, e.Tags("")), m.Gauge(reconnects, e.Tags(""))
	s.moved = m.Gauge(redirects, e.Tags(""))
	return s
}

// Do reads a key, and on a miss fetches and writes it.
func (s *scenario) Do(ctx context.Context, a *work.Arrival) error {
	st, w := &s.stages[a.Stage], &s.workers[a.Worker]
	n := a.N
	if st.hot.ratio > 0 {
		hot, rank := st.hot.deal(a.Seed^hotSeed, n)
		if hot {
			return s.readHot(ctx, a, st, w)
		}
		n = st.first + rank
	}
	if st.stagePlan.hit(a.Seed, n) {
		st.asked.Add(1)
		return s.readLoaded(ctx, a, st)
	}
	w.key = strconv.AppendInt(append(append(w.key[:0], s.prefix...), "m:"...), a.N, 10)
	key := string(w.key)
	start := s.env.Clock.Now()
	note := begin(a, "get", start, key)
	_, err := s.read(ctx, a, key)
	replied := s.env.Clock.Now()
	note.Ended(replied, nil)
	switch {
	case err == nil:
		st.answered.Add(1)
		st.phantom.Add(1)
		s.name(&s.first.phantom, key)
		s.count(a.Stage, true)
		return work.Asked("GET "+key, work.Fail(work.KindWrong, errPhantom))
	case !errors.Is(err, driver.Nil):
		return work.Asked("GET "+key, redis.Classify(err))
	}
	st.answered.Add(1)
	s.get.Record(a.Stage, replied-start)
	s.count(a.Stage, false)
	return s.fill(ctx, a, st, w, key, replied)
}

var (
	errPhantom = errors.New("a key that was never written has a value")
	errGone    = errors.New("a loaded key is gone: it was evicted, expired or flushed")
	errWrong   = errors.New("a key holds another value than the one written to it")
)

// readLoaded reads one of the loaded keys.
func (s *scenario) readLoaded(ctx context.Context, a *work.Arrival, st *stage) error {
	i := s.draw.Pick(st.distribution, a.Uniform(streamKey), a.Uniform(streamHot))
	start := s.env.Clock.Now()
	note := begin(a, "get", start, s.keys[i])
	v, err := s.read(ctx, a, s.keys[i])
	took := s.env.Clock.Now() - start
	note.Ended(start+took, err)
	switch {
	case errors.Is(err, driver.Nil):
		st.answered.Add(1)
		st.gone.Add(1)
		s.gone.Add(a.Stage, 1)
		s.name(&s.first.gone, s.keys[i])
		s.count(a.Stage, false)
		return work.Asked("GET "+s.keys[i], work.Fail(work.KindWrong, errGone))
	case err != nil:
		return work.Asked("GET "+s.keys[i], redis.Classify(err))
	}
	st.answered.Add(1)
	s.get.Record(a.Stage, took)
	st.hit.Add(1)
	s.count(a.Stage, true)
	if !s.sizes.intact(v, uint64(i)) {
		st.wrong.Add(1)
		s.name(&s.first.wrong, s.keys[i])
		return work.Asked("GET "+s.keys[i], work.Fail(work.KindWrong, errWrong))
	}
	return nil
}

// read reads a key.
func (s *scenario) read(ctx context.Context, a *work.Arrival, key string) (string, error) {
	if a.Shared {
		return s.together.Get(ctx, key)
	}
	return s.client.Get(ctx, key).Result()
}

func (s *scenario) count(stage int, hit bool) {
	s.ratio.Add(stage, hit)
	if hit {
		s.hits.Add(stage, 1)
	} else {
		s.misses.Add(stage, 1)
	}
}

// fill does what a program does on a miss: it asks the back end and writes.
func (s *scenario) fill(ctx context.Context, a *work.Arrival, st *stage, w *worker, key string, missed time.Duration) error {
	return s.fetchAndSet(ctx, a, st, w, key, uint64(a.N), s.missed, missed)
}

// fetchAndSet asks the back end for the value of a key and writes it.
func (s *scenario) fetchAndSet(ctx context.Context, a *work.Arrival, st *stage, w *worker, key string, id uint64, ttl, missed time.Duration) error {
	if err := s.fromBackend(ctx, a, st, w, int64(id&(1<<62-1))); err != nil {
		return err
	}
	fetched := s.env.Clock.Now()
	s.backend.Record(a.Stage, fetched-missed)
	w.value = s.sizes.appendValue(w.value[:0], id)
	note := begin(a, "set", fetched, key)
	err := s.client.Set(ctx, key, w.value, ttl).Err()
	written := s.env.Clock.Now()
	note.Ended(written, err)
	if err != nil {
		return work.Asked("SET "+key, redis.Classify(err))
	}
	s.set.Record(a.Stage, written-fetched)
	s.penalty.Record(a.Stage, written-missed)
	return nil
}

// begin begins to note a command. Which of the driver's connections it has is not known.
func begin(a *work.Arrival, name string, at time.Duration, key string) *work.Op {
	note := a.Begin(string(targets.Redis), name, at)
	note.On(at, 0, 0)
	note.Asks(name, key)
	return note
}

// Sample reads the server's memory.
func (s *scenario) Sample(ctx context.Context) {
	s.stampede.Set(float64(s.herd.peak.Swap(0)))
	s.dials.Set(float64(s.client.Reconnects()))
	if s.client.IsCluster() {
		s.moved.Set(float64(s.client.Redirects()))
	}
	if !s.env.Plan.First() {
		return // the server is read once for all shards
	}
	in, err := s.client.Info(ctx)
	if err != nil {
		s.memory.Unset()
		s.data.Unset()
		return
	}
	s.memory.Set(float64(in.UsedMemory))
	s.data.Set(float64(in.Dataset))
	s.evicted.Set(float64(in.Evicted - s.before.Evicted))
}
