package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/faults"
)

// told is what these tests read of a summary.
type told struct {
	Verdict  string `json:"verdict"`
	ExitCode int    `json:"exit_code"`
	Run      struct {
		Duration   float64 `json:"duration_s"`
		Incomplete bool    `json:"incomplete"`
	} `json:"run"`
	Arrivals struct {
		Planned, Started, Succeeded, Failed, Dropped, Unfinished int64
	} `json:"arrivals"`
	Checks []struct {
		Name   string
		Passed bool
		Detail string
	} `json:"checks"`
	Analysis struct {
		Faults []struct {
			Name string `json:"name"`
			Due  int64  `json:"due"`
		} `json:"faults"`
	} `json:"analysis"`
	Metrics map[string]struct {
		Count float64 `json:"count"`
		Max   float64 `json:"max"`
	} `json:"metrics"`
}

// command runs perfctl and returns what it printed and its exit code.
func command(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "perfctl", args...)
	c.Dir = dir
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if ctx.Err() != nil {
		t.Fatalf("perfctl %s: no end within two minutes\n%s", strings.Join(args, " "), errs.String())
	}
	if err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// counting is an API that counts the requests that it served.
type counting struct{ n atomic.Int64 }

func (c *counting) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	c.n.Add(1)
	fmt.Fprint(w, "served")
}

// systems are the scenarios, each with the targets that it uses and what a run of it
// needs besides.
var systems = []struct {
	scenario string
	targets  []string
	args     []string
	// api says that its requests go to an API that counts them.
	api bool
}{
	{scenario: "tasks", targets: []string{"rabbitmq"}},
	{scenario: "voting", targets: []string{"postgres"}},
	{scenario: "crud", targets: []string{"postgres"}},
	{scenario: "cache", targets: []string{"redis"}},
	{scenario: "api", targets: []string{"http"}, api: true},
	{scenario: "flow", targets: []string{"http"}, api: true, args: []string{"--set", "flow.file=flow.yaml"}},
	{scenario: "script", targets: []string{"http"}, api: true, args: []string{"--set", "script.file=script.js"}},
}

// files are what those runs read: an iteration of the script whose request failed has
// failed.
var files = map[string]string{
	"flow.yaml": "steps:\n  - name: ask\n    http: {path: /}\n",
	"script.js": `import http from 'k6/http';
export default function () {
  const r = http.get(__ENV.API_BASE_URL);
  if (r.status !== 200) { throw new Error('status ' + r.status); }
}
`,
}

// texts are the faults, by what is written behind the target.
var texts = map[faults.Kind]string{
	faults.Delay: "delay 80ms±40ms", faults.Bandwidth: "bandwidth 5kB/s", faults.SlowStart: "slow-start 500B/s", faults.Refuse: "refuse",
	faults.Reset: "reset", faults.BlackHole: "blackhole", faults.HalfOpen: "half-open share 50%", faults.Cut: "cut 2kB", faults.Partition: "partition down",
}

func needsServers(t *testing.T) {
	t.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
}

func TestEveryArrivalIsAccountedForWhateverBreaks(t *testing.T) {
	needsServers(t)
	for i, system := range systems {
		for j, kind := range faults.Kinds() {
			if !thorough && (i+4*j)%11 != 0 { // five that stand for all
				continue
			}
			for _, target := range system.targets {
				t.Run(system.scenario+" "+target+" "+kind, func(t *testing.T) {
					dir := t.TempDir()
					api := &counting{}
					args := []string{"run", "smoke", "--json", "--scenario", system.scenario, "--rate", "60", "-d", "5s", "--graceful-stop", "15s",
						"--run-dir", "r", "--fault", "broken=" + target + ": " + texts[faults.Kind(kind)] + " at 1500ms for 1500ms"}
					if system.api {
						server := httptest.NewServer(api)
						defer server.Close()
						args = append(args, "-e", "API_BASE_URL="+server.URL)
						for name, text := range files {
							if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
								t.Fatal(err)
							}
						}
					}
					stdout, stderr, code := command(t, dir, append(args, system.args...)...)
					var s told
					if err := json.Unmarshal([]byte(stdout), &s); err != nil {
						t.Fatalf("exit code %d, no summary: %v\n%s", code, err, stderr)
					}
					s.accountedFor(t, code)
					if system.api {
						s.servedBy(t, api.n.Load())
					}
				})
			}
		}
	}
}

// accountedFor checks that nothing is missing, by the run's own count and by the
// servers'.
func (s *told) accountedFor(t *testing.T, code int) {
	t.Helper()
	a := s.Arrivals
	if a.Planned != 300 || a.Planned != a.Succeeded+a.Failed+a.Dropped+a.Unfinished {
		t.Errorf("planned %d, succeeded %d, failed %d, dropped %d, unfinished %d", a.Planned, a.Succeeded, a.Failed, a.Dropped, a.Unfinished)
	}
	if code != s.ExitCode || code != 0 && code != 99 && code != 111 {
		t.Errorf("exit code %d, by the summary %d", code, s.ExitCode)
	}
	if len(s.Analysis.Faults) != 1 || s.Analysis.Faults[0].Name != "broken" || s.Analysis.Faults[0].Due == 0 {
		t.Errorf("the fault: %+v", s.Analysis.Faults)
	}
	for _, c := range s.Checks {
		if !c.Passed {
			t.Errorf("%s: %s", c.Name, c.Detail)
		}
	}
}

// servedBy compares successes with what a server counted: one request reached it before
// the first arrival.
func (s *told) servedBy(t *testing.T, served int64) {
	t.Helper()
	if served < s.Arrivals.Succeeded || served > s.Arrivals.Planned+1 {
		t.Errorf("the server served %d requests; %d of %d arrivals succeeded", served, s.Arrivals.Succeeded, s.Arrivals.Planned)
	}
}
