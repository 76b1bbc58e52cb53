package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// headerSize is the part of a value that tells whose it is.
const headerSize = 16

// scenario is one run's cache.
type scenario struct {
	run    string
	env    scenarios.Env
	stages []stage
	keys   []string // the loaded ones
	loaded atomic.Int64
	prefix string
	filler string
	ttl    time.Duration
	missed time.Duration // time to live of what a miss writes
	client *redis.Client
	before redis.Info

	workers []worker
	get     *metrics.Trend
	set     *metrics.Trend
	penalty *metrics.Trend
	backend *metrics.Trend
	ratio   *metrics.Rate
	hits    *metrics.Counter
	misses  *metrics.Counter
	gone    *metrics.Counter

	memory, data, entry, evicted, dials *metrics.Gauge
}

// stage is what holds in one stage, and what came of it.
type stage struct {
	stagePlan
	distribution string
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

// runName is what the run's keys are told apart by. Shards have keys each: the
// one that ends first must not remove the others'.
func runName(e scenarios.Env) string {
	if e.Plan.Shards > 1 {
		return e.RunID + "." + strconv.Itoa(e.Plan.Shard)
	}
	return e.RunID
}

func newScenario(e scenarios.Env) *scenario {
	s := &scenario{
		env: e, run: runName(e), prefix: keyPrefix + runName(e) + ":",
		stages: make([]stage, len(e.Plan.Stages)), workers: make([]worker, e.Plan.Workers),
		filler: strings.Repeat("perfctl.", e.Values.Int(0, "value_size")/8+1)[:e.Values.Int(0, "value_size")-headerSize],
		ttl:    e.Values.Duration(0, "ttl"), missed: e.Values.Duration(0, "miss_ttl"),
	}
	for i, p := range stagePlans(e) {
		s.stages[i].stagePlan = p
		s.stages[i].distribution = e.Values.Text(i, "distribution")
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
	s.memory, s.data, s.entry = m.Gauge(memoryUsed, e.Tags("")), m.Gauge(dataset, e.Tags("")), m.Gauge(bytesPerEntry, e.Tags(""))
	s.evicted, s.dials = m.Gauge(evicted, e.Tags("")), m.Gauge(reconnects, e.Tags(""))
	return s
}

// Do reads a key, and on a miss fetches and writes it.
func (s *scenario) Do(ctx context.Context, a *work.Arrival) error {
	st, w := &s.stages[a.Stage], &s.workers[a.Worker]
	if st.stagePlan.hit(a.Seed, a.N) {
		st.asked.Add(1)
		return s.readLoaded(ctx, a, st)
	}
	w.key = strconv.AppendInt(append(append(w.key[:0], s.prefix...), "m:"...), a.N, 10)
	key := string(w.key)
	start := s.env.Clock.Now()
	_, err := s.client.Get(ctx, key).Result()
	replied := s.env.Clock.Now()
	switch {
	case err == nil:
		st.answered.Add(1)
		st.phantom.Add(1)
		s.count(a.Stage, true)
		return work.Fail(work.KindWrong, errPhantom)
	case !errors.Is(err, driver.Nil):
		return redis.Classify(err)
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
	i := pick(a, st.distribution, len(s.keys))
	start := s.env.Clock.Now()
	v, err := s.client.Get(ctx, s.keys[i]).Result()
	took := s.env.Clock.Now() - start
	switch {
	case errors.Is(err, driver.Nil):
		st.answered.Add(1)
		st.gone.Add(1)
		s.gone.Add(a.Stage, 1)
		s.count(a.Stage, false)
		return work.Fail(work.KindWrong, errGone)
	case err != nil:
		return redis.Classify(err)
	}
	st.answered.Add(1)
	s.get.Record(a.Stage, took)
	st.hit.Add(1)
	s.count(a.Stage, true)
	if !s.intact(v, uint64(i)) {
		st.wrong.Add(1)
		return work.Fail(work.KindWrong, errWrong)
	}
	return nil
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
	if err := w.wait(ctx, st.fetchTime(a)); err != nil {
		return err
	}
	fetched := s.env.Clock.Now()
	s.backend.Record(a.Stage, fetched-missed)
	w.value = s.appendValue(w.value[:0], uint64(a.N))
	if err := s.client.Set(ctx, key, w.value, s.missed).Err(); err != nil {
		return redis.Classify(err)
	}
	written := s.env.Clock.Now()
	s.set.Record(a.Stage, written-fetched)
	s.penalty.Record(a.Stage, written-missed)
	return nil
}

// fetchTime is how long the simulated back end takes for an arrival.
func (st *stage) fetchTime(a *work.Arrival) time.Duration {
	if !st.exponential {
		return st.backendTime
	}
	return time.Duration(-math.Log(1-a.Uniform(streamBackend)) * float64(st.backendTime))
}

// wait passes time without using the processor.
func (w *worker) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if w.timer == nil {
		w.timer = time.NewTimer(d)
	} else {
		w.timer.Reset(d)
	}
	select {
	case <-w.timer.C:
		return nil
	case <-ctx.Done():
		w.timer.Stop()
		return ctx.Err()
	}
}

// appendValue appends the value of a key: whose it is, then filler.
func (s *scenario) appendValue(b []byte, id uint64) []byte {
	b = binary.BigEndian.AppendUint64(b, id)
	b = binary.BigEndian.AppendUint64(b, work.Mix(s.env.Seed, id, 0))
	return append(b, s.filler...)
}

// intact says whether v is the value of a key, up to its filler.
func (s *scenario) intact(v string, id uint64) bool {
	if len(v) != headerSize+len(s.filler) {
		return false
	}
	var want [headerSize]byte
	binary.BigEndian.PutUint64(want[:], id)
	binary.BigEndian.PutUint64(want[8:], work.Mix(s.env.Seed, id, 0))
	return v[:headerSize] == string(want[:]) && v[headerSize:] == s.filler
}

// Sample reads the server's memory.
func (s *scenario) Sample(ctx context.Context) {
	s.dials.Set(float64(s.client.Reconnects()))
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

// Check compares the hits with what was asked and with the server's own count.
func (s *scenario) Check(ctx context.Context) ([]scenarios.Check, error) {
	var asked, hit, phantom, gone, wrong, answered int64
	var detail []string
	exact := true
	for i := range s.stages {
		st := &s.stages[i]
		asked, hit, answered = asked+st.asked.Load(), hit+st.hit.Load(), answered+st.answered.Load()
		phantom, gone, wrong = phantom+st.phantom.Load(), gone+st.gone.Load(), wrong+st.wrong.Load()
		exact = exact && st.phantom.Load() == 0 && st.gone.Load() == 0
		if n := st.answered.Load(); n > 0 {
			detail = append(detail, fmt.Sprintf("%s %d of %d (%.4g%%, asked %.4g%%)",
				s.env.Plan.Stages[i], st.hit.Load(), n, 100*float64(st.hit.Load())/float64(n), 100*st.ratio))
		}
	}
	checks := []scenarios.Check{
		{Name: "cache_hit_ratio_exact", Passed: exact, Detail: fmt.Sprintf("%d unexpected misses, %d unexpected hits; %s", gone, phantom, strings.Join(detail, ", "))},
		{Name: "cache_values_intact", Passed: wrong == 0, Detail: fmt.Sprintf("%d of %d values read were not the ones written", wrong, hit)},
	}
	after, err := s.client.Info(ctx)
	if err != nil {
		return checks, fmt.Errorf("ask the server for its own counts: %w", redis.Explain(s.env.Targets.Redis, "INFO", err))
	}
	serverHits, serverMisses := after.Hits-s.before.Hits, after.Misses-s.before.Misses
	ownMisses := answered - hit - phantom
	if after.Instance != s.before.Instance || serverHits < 0 || serverMisses < 0 {
		return append(checks, scenarios.Check{Name: "cache_server_agrees",
			Detail: "the server's counters began anew during the run: it was restarted, or somebody reset them"}), nil
	}
	checks = append(checks, scenarios.Check{
		Name: "cache_server_agrees", Passed: serverHits >= hit+phantom && serverMisses >= ownMisses,
		Detail: fmt.Sprintf("the server counted %d hits and %d misses, of all its clients; this one saw %d and %d",
			serverHits, serverMisses, hit+phantom, ownMisses),
	})
	return checks, nil
}
