//go:build causes

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// group is a control group of the test's own, which bounds processor time.
type group struct{ dir, quota, period string }

// throttleNext is the group of the case that runs.
var throttleNext *group

// newGroup makes a control group, of version 1 or 2.
func newGroup(t *testing.T) *group {
	t.Helper()
	name := "perfctl-causes-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(time.Now().UnixNano()%1e6, 10)
	g := &group{dir: filepath.Join("/sys/fs/cgroup/cpu", name), quota: "cpu.cfs_quota_us"}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		g = &group{dir: filepath.Join("/sys/fs/cgroup", name), quota: "cpu.max"}
	}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		t.Skipf("needs control groups: %v", err)
	}
	t.Cleanup(func() { // its processes go back first
		if text, err := os.ReadFile(filepath.Join(g.dir, "cgroup.procs")); err == nil {
			for _, pid := range regexp.MustCompile(`\d+`).FindAllString(string(text), -1) {
				_ = os.WriteFile(filepath.Join(filepath.Dir(g.dir), "cgroup.procs"), []byte(pid), 0o600)
			}
		}
		_ = os.Remove(g.dir)
	})
	return g
}

func (g *group) write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(g.dir, file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (g *group) add(t *testing.T, pid int) {
	t.Helper()
	g.write(t, "cgroup.procs", strconv.Itoa(pid))
}

// squeeze bounds the group's processor time for a while to so many percent of one.
func (g *group) squeeze(t *testing.T, long time.Duration, percent int) (from, to time.Time) {
	t.Helper()
	bound, free := fmt.Sprint(percent*1000), "-1"
	if g.quota == "cpu.max" {
		bound, free = bound+" 100000", "max 100000"
	}
	return meanwhile(func() {
		g.write(t, g.quota, bound)
		time.Sleep(long)
		g.write(t, g.quota, free)
	})
}

func regexpNumber(t *testing.T, text, pattern string) int {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in %s", pattern, text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func plantedInProcesses() []planted {
	return []planted{
		{name: "processor time that the generator was refused", rate: 400, want: `^(throttled .*perfctl|throttled .*generator)`,
			args:    func(t *testing.T) []string { throttleNext = newGroup(t); return []string{"--scenario", "cache"} },
			started: func(t *testing.T, pid int) { throttleNext.add(t, pid) },
			plant:   func(t *testing.T) (from, to time.Time) { return throttleNext.squeeze(t, 1500*time.Millisecond, 2) }},
	}
}
