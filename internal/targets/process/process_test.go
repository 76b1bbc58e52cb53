package process

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Watch{
		"postgres":      {Name: "postgres", Command: "postgres"},
		"api=node":      {Name: "api", Command: "node"},
		"api=4711":      {Name: "api", PID: 4711},
		"4711":          {Name: "pid-4711", PID: 4711},
		"beam.smp":      {Name: "beam.smp", Command: "beam.smp"},
		"":              {},
		"=12":           {},
		"a b":           {},
		"api=":          {},
		"api=-3":        {},
		"0":             {},
		"api=/bin/true": {},
	} {
		got, err := Parse(text)
		if got != want || (err == nil) != (want.Name != "") {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
		if err == nil {
			if again, err := Parse(got.String()); err != nil || again != got {
				t.Errorf("%v printed and read is %v, %v", got, again, err)
			}
		}
	}
}

// start starts a shell that waits, with a child that works, and returns its
// number.
func start(t *testing.T) *exec.Cmd {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("processes can be watched on Linux only")
	}
	c := exec.CommandContext(t.Context(), "sh", "-c", `sh -c 'i=0; while [ $i -lt 100000000 ]; do i=$((i+1)); done' & wait`)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("pkill", "-P", itoa(c.Process.Pid)).Run()
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c
}

func itoa(n int) string { return strings.TrimPrefix(Watch{Name: "x", PID: n}.String(), "x=") }

// gauges returns the last readings by name.
func gauges(reg *metrics.Registry) map[string]float64 {
	out := map[string]float64{}
	c := metrics.NewCollector(reg, func() time.Duration { return time.Second }, func(time.Duration) int { return 0 })
	c.Subscribe(func(s *metrics.Snapshot) {
		for _, g := range s.Gauges {
			out[g.Series.Name] = g.Value
		}
		for _, x := range s.Counters {
			out[x.Series.Name] += float64(x.Delta)
		}
	})
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	c.Run(ended) // takes one snapshot
	return out
}

func TestAProcessAndItsDescendantsAreWatched(t *testing.T) {
	c := start(t)
	reg := metrics.NewRegistry([]string{"all"})
	s := New(reg, []Watch{{Name: "shell", PID: c.Process.Pid}}, slog.New(slog.DiscardHandler))
	if err := s.Find(); err != nil {
		t.Fatal(err)
	}
	// The child is there as soon as the shell got to it, and then uses its core.
	var got map[string]float64
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); runtime.Gosched() {
		s.Sample(0)
		if got = gauges(reg); got[Threads.Name] == 2 && got[CPU.Name] > 0 {
			break
		}
	}
	if got[Threads.Name] != 2 || got[CPU.Name] <= 0 || got[Memory.Name] < 100_000 || got[Files.Name] < 2 || got[Restarts.Name] != 0 {
		t.Fatalf("%v", got)
	}
	_ = exec.Command("pkill", "-P", itoa(c.Process.Pid)).Run()
	_ = c.Wait()
	s.Sample(0)
	s.Sample(0)
	if got := gauges(reg); got[Restarts.Name] != 1 {
		t.Errorf("its end was counted %v times", got[Restarts.Name])
	}
	if err := s.Find(); err == nil || !strings.Contains(err.Error(), "shell=") {
		t.Errorf("a process that is gone: %v", err)
	}
}

func TestAProgramsProcessesAreFoundByName(t *testing.T) {
	all := []proc{
		{pid: 1, command: "init"}, {pid: 10, parent: 1, command: "postgres", born: 5, resident: 150, shared: 100},
		{pid: 11, parent: 10, command: "postgres", resident: 130, shared: 120}, {pid: 12, parent: 10, command: "archiver", resident: 10},
		{pid: 20, parent: 1, command: "postgres", born: 9, resident: 20}, {pid: 30, parent: 1, command: "other"},
		{pid: os.Getpid(), parent: 1, command: "postgres"}, {pid: 41, parent: 42}, {pid: 42, parent: 41},
	}
	w := Watch{Name: "db", Command: "postgres"}
	tr := w.tree(all)
	if len(tr.all) != 4 || len(tr.roots) != 2 || tr.roots[10] != 5 || tr.roots[20] != 9 {
		t.Errorf("%+v", tr)
	}
	// 50 + 10 + 10 + 20 alone, and the buffers of 120 once.
	if m := tr.memory(); m != 210 {
		t.Errorf("memory is %d", m)
	}
	long := Watch{Name: "l", Command: "a-very-long-program-name"}
	if tr := long.tree([]proc{{pid: 7, command: "a-very-long-pro"}}); len(tr.all) != 1 {
		t.Error("a name that the kernel cuts off is not found")
	}
}
