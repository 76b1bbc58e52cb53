// Package process watches processes: how much memory and processor time they and
// their descendants use. It starts none, and knows no target's protocol.
package process

import (
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// What is read of each watched process, tagged with its name as operation. The
// figures are those of the process and all its descendants together.
var (
	Memory = metrics.Desc{Name: "process_memory_bytes", Kind: metrics.KindGauge, Unit: metrics.UnitBytes, Of: metrics.OfProcess, Role: metrics.RoleProcessMemory,
		Help: "resident memory of a watched process and its descendants; what they share counts once"}
	CPU = metrics.Desc{Name: "process_cpu_percent", Kind: metrics.KindGauge, Unit: metrics.UnitPercent, Of: metrics.OfProcess, Role: metrics.RoleProcessCPU,
		Help: "processor time of a watched process and its descendants since the last reading, in percent of one core"}
	Files = metrics.Desc{Name: "process_open_files", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Of: metrics.OfProcess, Role: metrics.RoleConnections,
		Help: "file descriptors of a watched process and its descendants"}
	Threads = metrics.Desc{Name: "process_threads", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Of: metrics.OfProcess,
		Help: "threads of a watched process and its descendants"}
	Restarts = metrics.Desc{Name: "process_restarts", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Of: metrics.OfProcess, Role: metrics.RoleRestarts,
		Help: "how often a watched process was gone, or another one in its place"}
)

// Metrics returns the description of everything that is read.
func Metrics() []metrics.Desc { return []metrics.Desc{Memory, CPU, Files, Threads, Restarts} }

// Watch says which process to watch.
type Watch struct {
	// Name is what it is called in figures.
	Name string
	// PID is its process number, or 0.
	PID int
	// Command is the name of its program, where there is no PID. All processes of
	// that name are watched together.
	Command string
}

// nameForm is what a name in figures may look like: it becomes a tag.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Parse reads a watch: a program's name, as in "postgres", or NAME=PID, or
// NAME=PROGRAM.
func Parse(s string) (Watch, error) {
	name, of, named := strings.Cut(s, "=")
	if !named {
		of = name
	}
	w := Watch{Name: name, Command: of}
	if pid, err := strconv.Atoi(of); err == nil {
		if pid < 1 {
			return Watch{}, fmt.Errorf("%q: a process number is above 0", s)
		}
		w.PID, w.Command = pid, ""
		if !named {
			w.Name = "pid-" + of
		}
	}
	switch {
	case !nameForm.MatchString(w.Name):
		return Watch{}, fmt.Errorf("%q: want PROGRAM, NAME=PID or NAME=PROGRAM; a name is of letters, digits, ., - and _", s)
	case w.PID == 0 && (of == "" || strings.ContainsAny(of, "/ \t")):
		return Watch{}, fmt.Errorf("%q: the name of a program has no path and no arguments", s)
	}
	return w, nil
}

// Sampler reads the watched processes.
type Sampler struct {
	watched []*watched
	log     *slog.Logger
}

// watched is one watch with its gauges.
type watched struct {
	Watch
	memory, cpu, files, threads *metrics.Gauge
	restarts                    *metrics.Counter
	// roots are the watched processes at the last reading, without their
	// descendants, by which a restart is noticed.
	roots map[int]uint64
	seen  bool
	used  map[int]usage
	at    time.Time
}

// usage is the processor time of one process, told from a later one with the
// same number by when it was born.
type usage struct {
	born uint64
	cpu  time.Duration
}

// New declares the metrics of the watches.
func New(reg *metrics.Registry, watches []Watch, log *slog.Logger) *Sampler {
	s := &Sampler{log: log}
	for _, w := range watches {
		tags := metrics.Tags{Operation: w.Name}
		s.watched = append(s.watched, &watched{
			Watch: w, memory: reg.Gauge(Memory, tags), cpu: reg.Gauge(CPU, tags), files: reg.Gauge(Files, tags),
			threads: reg.Gauge(Threads, tags), restarts: reg.Counter(Restarts, tags),
		})
	}
	return s
}

// Find looks for each watched process once, and returns an error that names
// those that are not there. On a system where processes cannot be read it says
// so.
func (s *Sampler) Find() error {
	all, err := table()
	if err != nil {
		return err
	}
	var missing []string
	for _, w := range s.watched {
		if len(w.tree(all).roots) == 0 {
			missing = append(missing, w.String())
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no such process: %s", strings.Join(missing, ", "))
	}
	return nil
}

// String returns the watch as Parse reads it.
func (w Watch) String() string {
	if w.PID > 0 {
		return w.Name + "=" + strconv.Itoa(w.PID)
	}
	return w.Name + "=" + w.Command
}

// Sample takes one reading. stage is the stage in force, for the counter of
// restarts. A process that is gone leaves a hole in its gauges, and is said once.
func (s *Sampler) Sample(stage int) {
	all, err := table()
	if err != nil {
		return // Find has said so
	}
	now := time.Now()
	for _, w := range s.watched {
		t := w.tree(all)
		if w.restarted(t) {
			w.restarts.Add(stage, 1)
			s.log.Warn("a watched process was restarted or has ended", "process", w.String())
		}
		if len(t.roots) > 0 {
			w.set(t, now)
		}
	}
}

// restarted says whether a process that was there at the last reading is gone.
func (w *watched) restarted(t tree) bool {
	gone := false
	for pid, born := range w.roots {
		gone = gone || t.roots[pid] != born
	}
	w.roots = t.roots
	return gone
}

// set sets the gauges.
func (w *watched) set(t tree, now time.Time) {
	w.memory.Set(float64(t.memory()))
	files, threads := 0, 0
	used := map[int]usage{}
	var spent time.Duration
	for _, p := range t.all {
		files, threads = files+p.files(), threads+p.threads
		used[p.pid] = usage{p.born, p.cpu}
		before, known := w.used[p.pid]
		if !known || before.born != p.born {
			before.cpu = 0 // it was born since, and all its time is of this interval
		}
		spent += p.cpu - before.cpu
	}
	w.files.Set(float64(files))
	w.threads.Set(float64(threads))
	if w.seen {
		w.cpu.Set(100 * spent.Seconds() / now.Sub(w.at).Seconds())
	}
	w.used, w.at, w.seen = used, now, true
}
