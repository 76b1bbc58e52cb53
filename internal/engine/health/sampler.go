package health

import (
	"math"
	"runtime"
	rtm "runtime/metrics"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Usage is what the generator used of its machine over a run. A field that the
// system does not tell is 0.
type Usage struct {
	// CPUShare is the process's CPU time over the time of the cores it may use.
	CPUShare float64
	// CPUPercent is the process's CPU time over wall time, in percent of a core.
	CPUPercent float64
	// MachineBusy is the share of the machine's CPU that anybody used,
	// MachineShare the share of it that the generator did.
	MachineBusy, MachineShare float64
	// RunQueue is the mean number of threads that were ready and had no core.
	RunQueue float64
	// SchedP99 is how long goroutines waited for a thread, 99th percentile.
	SchedP99 time.Duration
	// GCPauseMax is the longest stop of the generator for garbage collection.
	GCPauseMax time.Duration
	// MaxRSS is the largest resident size seen, in bytes.
	MaxRSS int64
	// Throttled is the share of the time that the cgroup was throttled.
	Throttled float64
	// Steal is the share of the machine's CPU that the hypervisor took.
	Steal float64
	// Retransmits is the share of TCP segments sent that were repeated; 0 where fewer
	// were than tell a share.
	Retransmits float64
	// FDShare is the largest share of the allowed open files seen.
	FDShare float64
}

// The names of the generator's gauges that views show while a run goes on.
const (
	// CPUPercent is CPU time in the last second, in percent of one core.
	CPUPercent = "generator_cpu_percent"
	// RunQueue is the mean number of threads that waited for a core.
	RunQueue = "generator_run_queue"
)

// The metrics of the generator itself.
var (
	cpuPercent = metrics.Desc{Name: CPUPercent, Kind: metrics.KindGauge, Unit: metrics.UnitPercent, Of: metrics.OfGenerator, Role: metrics.RoleGeneratorCPU,
		Help: "CPU time of the generator in the last second, in percent of one core"}
	rss = metrics.Desc{Name: "generator_memory_bytes", Kind: metrics.KindGauge, Unit: metrics.UnitBytes, Of: metrics.OfGenerator, Role: metrics.RoleGeneratorMemory,
		Help: "resident memory of the generator"}
	goroutines = metrics.Desc{Name: "generator_goroutines", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Of: metrics.OfGenerator,
		Help: "goroutines of the generator"}
	gcPauseMax = metrics.Desc{Name: "generator_gc_pause_max", Kind: metrics.KindGauge, Unit: metrics.UnitSeconds, Of: metrics.OfGenerator, Role: metrics.RoleGeneratorPause,
		Help: "longest stop of the generator for garbage collection since the start"}
	runQueueMean = metrics.Desc{Name: RunQueue, Kind: metrics.KindGauge, Unit: metrics.UnitCount, Of: metrics.OfGenerator,
		Help: "mean number of the generator's threads that waited for a core in the last second"}
)

// reading is the machine's counters at an instant.
type reading struct {
	at        time.Time
	cpu       time.Duration // of the process
	runDelay  time.Duration // of all threads
	throttled time.Duration
	stealTime float64 // jiffies
	totalTime float64 // jiffies
	idleTime  float64 // jiffies
	segments  float64
	repeated  float64
	rss       int64
	fds       int64
	fdLimit   int64
}

// Sampler watches the generator.
type Sampler struct {
	first, last               reading
	sched0                    *rtm.Float64Histogram
	gc0                       *rtm.Float64Histogram
	maxRSS                    int64
	fdShare                   float64
	cpu, mem, grs, pause, rqd *metrics.Gauge
}

const (
	schedMetric = "/sched/latencies:seconds"
	gcMetric    = "/sched/pauses/total/gc:seconds"
)

// NewSampler declares the gauges and takes the first reading.
func NewSampler(reg *metrics.Registry) *Sampler {
	s := &Sampler{
		cpu:   reg.Gauge(cpuPercent, metrics.Tags{}),
		mem:   reg.Gauge(rss, metrics.Tags{}),
		grs:   reg.Gauge(goroutines, metrics.Tags{}),
		pause: reg.Gauge(gcPauseMax, metrics.Tags{}),
		rqd:   reg.Gauge(runQueueMean, metrics.Tags{}),
	}
	s.sched0, s.gc0 = runtimeHistograms()
	s.first = read()
	s.last = s.first
	return s
}

// Sample takes a reading; it is meant to be called about once a second.
func (s *Sampler) Sample() {
	r := read()
	span := r.at.Sub(s.last.at).Seconds()
	if span <= 0 {
		return
	}
	s.cpu.Set((r.cpu - s.last.cpu).Seconds() / span * 100)
	s.rqd.Set((r.runDelay - s.last.runDelay).Seconds() / span)
	s.mem.Set(float64(r.rss))
	s.grs.Set(float64(runtime.NumGoroutine()))
	_, gc := runtimeHistograms()
	s.pause.Set(highest(gc, s.gc0))
	s.note(r)
}

func (s *Sampler) note(r reading) {
	s.maxRSS = max(s.maxRSS, r.rss)
	if r.fdLimit > 0 {
		s.fdShare = max(s.fdShare, float64(r.fds)/float64(r.fdLimit))
	}
	s.last = r
}

// Usage returns what was used since NewSampler. No Sample may go on meanwhile.
func (s *Sampler) Usage() Usage {
	r := read()
	s.note(r)
	wall := r.at.Sub(s.first.at)
	if wall <= 0 {
		return Usage{}
	}
	share := func(part, whole float64) float64 {
		if whole <= 0 || part < 0 {
			return 0
		}
		return part / whole
	}
	cpu := r.cpu - s.first.cpu
	sched, gc := runtimeHistograms()
	return Usage{
		MachineBusy:  1 - share(r.idleTime-s.first.idleTime, r.totalTime-s.first.totalTime),
		MachineShare: share(cpu.Seconds(), wall.Seconds()*float64(runtime.NumCPU())),
		CPUShare:     share(cpu.Seconds(), wall.Seconds()*float64(runtime.GOMAXPROCS(0))),
		CPUPercent:   100 * cpu.Seconds() / wall.Seconds(),
		RunQueue:     share((r.runDelay - s.first.runDelay).Seconds(), wall.Seconds()),
		SchedP99:     time.Duration(quantile(sched, s.sched0, 0.99) * 1e9),
		GCPauseMax:   time.Duration(highest(gc, s.gc0) * 1e9),
		MaxRSS:       s.maxRSS,
		Throttled:    share((r.throttled - s.first.throttled).Seconds(), wall.Seconds()),
		Steal:        share(r.stealTime-s.first.stealTime, r.totalTime-s.first.totalTime),
		Retransmits:  share(tellingRepeats(r.repeated-s.first.repeated), r.segments-s.first.segments),
		FDShare:      s.fdShare,
	}
}

// leastRepeated is how many repeated segments make a share: the counters are those of the
// whole machine, and in a short run at a low rate two or three late acknowledgements are
// a percent.
const leastRepeated = 10

func tellingRepeats(n float64) float64 {
	if n < leastRepeated {
		return 0
	}
	return n
}

func runtimeHistograms() (sched, gc *rtm.Float64Histogram) {
	samples := []rtm.Sample{{Name: schedMetric}, {Name: gcMetric}}
	rtm.Read(samples)
	out := [2]*rtm.Float64Histogram{}
	for i := range samples {
		if samples[i].Value.Kind() == rtm.KindFloat64Histogram {
			out[i] = samples[i].Value.Float64Histogram()
		}
	}
	return out[0], out[1]
}

// quantile returns the upper bound of the bucket that holds the share q of
// what h counts beyond base.
func quantile(h, base *rtm.Float64Histogram, q float64) float64 {
	if h == nil || base == nil {
		return 0
	}
	var total uint64
	for i := range h.Counts {
		total += h.Counts[i] - base.Counts[i]
	}
	if total == 0 {
		return 0
	}
	var seen uint64
	for i := range h.Counts {
		if seen += h.Counts[i] - base.Counts[i]; float64(seen) >= q*float64(total) {
			return upper(h, i)
		}
	}
	return 0
}

// highest returns the upper bound of the highest bucket that h filled since
// base.
func highest(h, base *rtm.Float64Histogram) float64 {
	if h == nil || base == nil {
		return 0
	}
	for i := len(h.Counts) - 1; i >= 0; i-- {
		if h.Counts[i] > base.Counts[i] {
			return upper(h, i)
		}
	}
	return 0
}

func upper(h *rtm.Float64Histogram, i int) float64 {
	if b := h.Buckets[i+1]; !math.IsInf(b, 1) {
		return b
	}
	return h.Buckets[i]
}
