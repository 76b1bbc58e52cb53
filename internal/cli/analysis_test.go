package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/cli/terminal"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/summary"
)

// bruisedServer is an HTTP server that answers in 100 ms, from the hurt on in
// 600 ms, and from the cure on in 100 ms again: slowly, so that what a busy
// machine adds does not matter. Its time counts from the first request.
type bruisedServer struct {
	hurt, cure time.Duration
	once       sync.Once
	start      time.Time
}

func (b *bruisedServer) ServeHTTP(http.ResponseWriter, *http.Request) {
	b.once.Do(func() { b.start = time.Now() })
	pause := 100 * time.Millisecond
	if at := time.Since(b.start); at >= b.hurt && at < b.cure {
		pause = 600 * time.Millisecond
	}
	time.Sleep(pause)
}

const shortSpike = `name: short-spike
description: a spike of five seconds
scenarios: {api: 1}
stages:
  - {name: normal, duration: 8s, rate: 60}
  - {name: spike, duration: 5s, rate: 240, class: spike}
  - {name: recovery, duration: 26s, rate: 60}
`

// spiked offers the spike to a server and returns the summary and its analysis.
func spiked(t *testing.T, h http.Handler) (*summary.Summary, *analysis.Analysis, string) {
	t.Helper()
	s := httptest.NewServer(h)
	defer s.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "spike.yaml")
	if err := os.WriteFile(file, []byte(shortSpike), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := together(t, s.URL, "run", file, "--run-dir", filepath.Join(dir, "run"), "--json",
		"--threshold", "recovery_time: < 15s")
	// A busy machine may make the run invalid; its recovery can be told all the same.
	if code != 0 && code != 99 && code != 111 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	sum := new(summary.Summary)
	if err := json.Unmarshal([]byte(stdout), sum); err != nil {
		t.Fatal(err)
	}
	a := sum.Analysis
	_, text, _ := together(t, s.URL, "report", filepath.Join(dir, "run"), "--no-color")
	first := strings.Join(strings.Fields(a.Sentences[0])[:6], " ")
	// A killed run has no summary, and is analysed when it is shown.
	if err := os.Remove(filepath.Join(dir, "run", rundir.SummaryFile)); err != nil {
		t.Fatal(err)
	}
	if code, killed, _ := together(t, s.URL, "report", filepath.Join(dir, "run"), "--no-color"); code != 111 || !strings.Contains(killed, first) {
		t.Errorf("killed, exit code %d, it shows\n%s\nwithout %q", code, killed, a.Sentences[0])
	}
	return sum, a, text
}

// together is command for runs that go on at the same time: GOMAXPROCS in the
// environment keeps each of them from setting the runtime's processors.
func together(t *testing.T, url string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	zero := func() int { return 0 }
	env := map[string]string{"API_BASE_URL": url, "GOMAXPROCS": "2"}
	a := &app{args: args, Terminal: &terminal.Terminal{
		Stdout: &out, Stderr: &errs, OutWidth: zero, ErrWidth: zero, ErrHeight: zero, Interrupts: make(chan struct{}),
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	}}
	code = a.main(t.Context())
	return code, out.String(), errs.String()
}

// TestRecoveryOfServersWhoseTruthIsKnown spikes real servers in real time.
func TestRecoveryOfServersWhoseTruthIsKnown(t *testing.T) {
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
	second := time.Second
	for name, c := range map[string]struct {
		server func() http.Handler
		want   float64 // seconds, -1 for never
		status string
	}{
		"at once": {func() http.Handler { return &bruisedServer{hurt: 8 * second, cure: 13 * second} }, 0, "pass"},
		"later":   {func() http.Handler { return &bruisedServer{hurt: 8 * second, cure: 18 * second} }, 5, "pass"},
		"never":   {func() http.Handler { return &bruisedServer{hurt: 8 * second, cure: time.Hour} }, -1, "fail"},
		// 12 workers do 120/s: the spike leaves 600 waiting, of which 60 a second go.
		"backlog": {func() http.Handler { return newHardServer(12, second/10, time.Hour) }, 10, "pass"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // 40 s each, nearly all of it waiting
			inRealTime(t, func() error {
				sum, a, text := spiked(t, c.server())
				if len(a.Recoveries) != 1 || !a.Recoveries[0].Known {
					return fmt.Errorf("%+v", a.Recoveries)
				}
				r := a.Recoveries[0]
				switch {
				case c.want < 0 && (r.Recovered || !strings.Contains(text, "did not recover within")):
					return fmt.Errorf("it never recovers, found %+v", r)
				case c.want >= 0 && (!r.Recovered || math.Abs(*r.Time-c.want) > 2):
					return fmt.Errorf("it recovers after %g s, found %+v", c.want, r)
				}
				for _, res := range sum.SLA {
					if res.Metric == "recovery_time" && string(res.Status) != c.status {
						return fmt.Errorf("the rule is %s (%s), want %s", res.Status, res.Actual, c.status)
					}
				}
				return nil
			})
		})
	}
}
