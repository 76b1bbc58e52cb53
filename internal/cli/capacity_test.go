package cli

import (
	"bytes"
	"container/heap"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/capacity"
	"github.com/perfctl/perfctl/internal/capacity/trials"
	"github.com/perfctl/perfctl/internal/cli/terminal"
)

// hardServer is an HTTP server with a hard capacity: workers that take a fixed
// time for each request, and a queue before them in which a request waits no
// longer than patience. Its workers' time is booked, not slept, so that timers
// which fire late do not lower the capacity.
type hardServer struct {
	mu       sync.Mutex
	free     instants
	service  time.Duration
	patience time.Duration
}

type instants []time.Time

func (e instants) Len() int           { return len(e) }
func (e instants) Less(i, j int) bool { return e[i].Before(e[j]) }
func (e instants) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *instants) Push(v any)        { *e = append(*e, v.(time.Time)) }
func (e *instants) Pop() any {
	old := *e
	v := old[len(old)-1]
	*e = old[:len(old)-1]
	return v
}

func newHardServer(workers int, service, patience time.Duration) *hardServer {
	return &hardServer{free: make(instants, workers), service: service, patience: patience}
}

func (h *hardServer) capacity() float64 { return float64(len(h.free)) / h.service.Seconds() }

func (h *hardServer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	now := time.Now()
	start := h.free[0]
	if start.Before(now) {
		start = now
	}
	if start.Sub(now) > h.patience {
		h.mu.Unlock()
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	end := start.Add(h.service)
	h.free[0] = end
	heap.Fix(&h.free, 0)
	h.mu.Unlock()
	time.Sleep(time.Until(end))
}

// search runs perfctl capacity for JSON and returns its exit code and what it
// found.
func search(t *testing.T, interrupts <-chan struct{}, h http.Handler, args ...string) (code int, r trials.Report) {
	t.Helper()
	s := httptest.NewServer(h)
	defer s.Close()
	var out, errs bytes.Buffer
	zero := func() int { return 0 }
	a := &app{Terminal: &terminal.Terminal{
		Stdout: &out, Stderr: &errs, OutWidth: zero, ErrWidth: zero, ErrHeight: zero, Interrupts: interrupts,
		LookupEnv: func(name string) (string, bool) { return s.URL, name == "API_BASE_URL" },
	}}
	a.args = append([]string{"capacity", "--scenario", "api", "--json", "--run-dir", filepath.Join(t.TempDir(), "out")}, args...)
	code = a.main(t.Context())
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, out.String(), errs.String())
	}
	t.Log(errs.String())
	return code, r
}

func TestCapacityOfATargetThatAlwaysFails(t *testing.T) {
	fails := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	dir := filepath.Join(t.TempDir(), "trials")
	code, found := search(t, nil, fails, "--trial", "300ms", "--run-dir", dir)
	r := found.Results[0]
	if code != 99 || found.Verdict != "fail" || r.Lower != nil || r.End != capacity.CannotSay || len(r.CannotSay) == 0 {
		t.Errorf("exit code %d: %+v", code, r)
	}
	if !strings.Contains(r.Sentence, "Cannot say what load the system holds: the target fails from the first arrival") {
		t.Error(r.Sentence)
	}
	for _, file := range []string{"capacity.json", filepath.Join(r.Trials[0].Dir, "summary.json")} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
}

func TestRequiredCapacity(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	lax := []string{"--trial", "300ms", "--precision", "100%", "--start", "20", "--max", "20", "--sla", writeSLA(t)}
	for rule, want := range map[string]int{"capacity: >= 20": 0, "capacity: > 30": 99} {
		inRealTime(t, func() error {
			code, found := search(t, nil, ok, append(lax, "--threshold", rule)...)
			r := found.Results[0]
			if code != want || r.End != capacity.Maximum || *r.Lower != 20 || len(r.SLA) != 1 {
				return fmt.Errorf("%s: exit code %d, want %d: %s %+v", rule, code, want, r.Sentence, r.SLA)
			}
			return nil
		})
	}
}

// inRealTime lets a test that goes on in real time try again: whoever else is
// busy on the machine may keep the generator from its schedule, and a search
// that then says so is right. What holds in none of three attempts is wrong.
func inRealTime(t *testing.T, attempt func() error) {
	t.Helper()
	var errs []error
	for range 3 {
		err := attempt()
		if err == nil {
			return
		}
		errs = append(errs, err)
	}
	t.Error(errors.Join(errs...))
}

// writeSLA writes an SLA that any machine keeps.
func writeSLA(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sla.yaml")
	err := os.WriteFile(file, []byte("rules:\n  - {name: Median, threshold: \"response_time: med < 1m\", judge: run, severity: fail}\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestInterruptedSearchTellsWhatIsKnown(t *testing.T) {
	interrupts := make(chan struct{}, 2)
	var once sync.Once
	var requests atomic.Int64
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if requests.Add(1) > 60 {
			once.Do(func() { interrupts <- struct{}{} })
		}
	})
	code, found := search(t, interrupts, h, "--trial", "300ms", "--precision", "100%", "--start", "20", "--sla", writeSLA(t))
	r := found.Results[0]
	if code != 105 || found.Verdict != "interrupted" || r.End != capacity.Stopped || r.Lower == nil || r.Confirmed {
		t.Errorf("exit code %d: %s %+v", code, found.Verdict, r)
	}
	if !strings.Contains(r.Sentence, "seems to hold") {
		t.Errorf("%q tells more than is known", r.Sentence)
	}
}

// TestCapacityOfAServerWithAHardLimit searches real servers in real time, with
// trials too short for the precision that they have by default.
func TestCapacityOfAServerWithAHardLimit(t *testing.T) {
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
	for name, h := range map[string]*hardServer{
		"refuses":  newHardServer(4, 17*time.Millisecond, time.Second),
		"queues":   newHardServer(8, 15*time.Millisecond, time.Hour),
		"is quick": newHardServer(3, 2900*time.Microsecond, 100*time.Millisecond),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // half a minute each, nearly all of it waiting
			inRealTime(t, func() error {
				code, report := search(t, nil, h, "--start", "150", "--trial", "1s", "--precision", "10%")
				r := report.Results[0]
				// Trials of a second tell a rate from one that is a twentieth higher,
				// no more.
				if code != 0 || r.End != capacity.Found || *r.Lower > 1.05*h.capacity() || *r.Upper < 0.95*h.capacity() || *r.Width > 0.1 {
					return fmt.Errorf("capacity %.1f/s: exit code %d: %s", h.capacity(), code, r.Sentence)
				}
				return nil
			})
		})
	}
}
