package main

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestARunThatIsKilledCanBeRead kills runs at random instants, the first seconds among
// them, with kill -9. What they had measured is there, up to the last second.
func TestARunThatIsKilledCanBeRead(t *testing.T) {
	needsServers(t)
	kills, dir := 4, t.TempDir()
	if thorough {
		kills = 100
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)) //nolint:gosec // instants
	for i := range kills {
		run := "r" + strconv.Itoa(i)
		c := exec.Command("perfctl", "run", "smoke", "--scenario", "cache", "--rate", "100", "-d", "30s", "--run-dir", run, "-q", "--fault", "redis: delay 1ms")
		c.Dir = dir
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		after := time.Duration(rng.Int64N(int64(3500 * time.Millisecond)))
		time.Sleep(after) // the instant is the point of it
		began, _ := os.Stat(filepath.Join(dir, run, "run.json"))
		killed := time.Now()
		_ = c.Process.Kill()
		_ = c.Wait()
		if began == nil {
			continue // it had offered nothing
		}
		checkKilled(t, dir, run, after, killed)
	}
	if _, stderr, code := command(t, dir, "reset", "--scenario", "cache"); code != 0 {
		t.Fatalf("reset: exit code %d\n%s", code, stderr)
	}
	stdout, stderr, code := command(t, dir, "run", "smoke", "--scenario", "cache", "--rate", "60", "-d", "5s", "--run-dir", "next", "--json", "--fault", "broken=redis: delay 1ms at 1s for 1s")
	var s told
	if err := json.Unmarshal([]byte(stdout), &s); err != nil {
		t.Fatalf("the next run: %v\n%s", err, stderr)
	}
	s.accountedFor(t, code)
}

// mostLost is how many seconds a kill may cost: the one that goes on, and as much again
// for a machine that is busy.
const mostLost = 2.0

func checkKilled(t *testing.T, dir, run string, after time.Duration, killed time.Time) {
	t.Helper()
	stdout, stderr, code := command(t, dir, "report", run, "--json")
	var s told
	if err := json.Unmarshal([]byte(stdout), &s); err != nil {
		t.Errorf("killed after %v: exit code %d, %v\n%s", after, code, err, stderr)
		return
	}
	info, err := os.ReadFile(filepath.Join(dir, run, "run.json"))
	var of struct{ Started time.Time }
	if err != nil || json.Unmarshal(info, &of) != nil {
		t.Errorf("killed after %v: run.json cannot be read: %v", after, err)
		return
	}
	if lost := killed.Sub(of.Started).Seconds() - s.Run.Duration; lost > mostLost {
		t.Errorf("killed after %v: %.2f s of what was measured are lost", after, lost)
	}
	a := s.Arrivals
	if code != 111 || s.Verdict != "incomplete" || !s.Run.Incomplete || a.Planned != a.Succeeded+a.Failed+a.Dropped+a.Unfinished {
		t.Errorf("killed after %v: exit code %d, %s, %+v", after, code, s.Verdict, a)
	}
	for _, out := range []string{run + "-a", run + "-b"} {
		if _, stderr, code := command(t, dir, "merge", run, "--run-dir", out); code == 1 || code == 109 {
			t.Errorf("merge: exit code %d\n%s", code, stderr)
		}
	}
	same(t, filepath.Join(dir, run+"-a"), filepath.Join(dir, run+"-b"))
}

// same compares two merges of one run.
func same(t *testing.T, a, b string) {
	t.Helper()
	for _, file := range []string{"series.ndjson", "latency.hlog"} {
		x, err1 := os.ReadFile(filepath.Join(a, file))
		y, err2 := os.ReadFile(filepath.Join(b, file))
		if (err1 == nil) != (err2 == nil) || string(x) != string(y) {
			t.Errorf("%s: two merges of one run differ (%d and %d bytes)", file, len(x), len(y))
		}
	}
}
