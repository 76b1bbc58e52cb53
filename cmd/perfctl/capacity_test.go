package main

import (
	"bytes"
	"container/heap"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/capacity"
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

// command runs perfctl with a target and returns its exit code and outputs.
func command(t *testing.T, url string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	zero := func() int { return 0 }
	w := &world{
		args: args, stdout: &out, stderr: &errs, outWidth: zero, errWidth: zero, signals: make(chan os.Signal),
		lookupEnv: func(name string) (string, bool) { return url, name == "API_BASE_URL" },
	}
	code = w.main(t.Context())
	return code, out.String(), errs.String()
}

func TestCapacityOfATargetThatAlwaysFails(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	defer s.Close()
	dir := filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := command(t, s.URL, "capacity", "--scenario", "api", "--trial", "300ms", "--run-dir", dir)
	if code != 99 || !strings.Contains(stdout, "Cannot say what load the system holds: the target fails from the first arrival") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	var report capacityReport
	text, err := os.ReadFile(filepath.Join(dir, "capacity.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	if r := report.Results[0]; r.Lower != nil || r.End != capacity.CannotSay || len(r.CannotSay) == 0 || report.Verdict != "fail" {
		t.Errorf("capacity.json says %+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, report.Results[0].Trials[0].Dir, "summary.json")); err != nil {
		t.Errorf("the trial's run directory: %v", err)
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
			s := httptest.NewServer(h)
			defer s.Close()
			code, stdout, stderr := command(t, s.URL, "capacity", "--scenario", "api", "--start", "150", "--trial", "1s",
				"--precision", "10%", "--run-dir", filepath.Join(t.TempDir(), "out"), "--json")
			var report capacityReport
			if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 0 {
				t.Fatalf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
			}
			r := report.Results[0]
			if r.End != capacity.Found || *r.Lower > h.capacity() || *r.Upper < h.capacity() || *r.Width > 0.1 {
				t.Errorf("capacity %.1f/s: %s\n%s", h.capacity(), r.Sentence, stderr)
			}
		})
	}
}
