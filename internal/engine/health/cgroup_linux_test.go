package health

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestThrottlingIsReadOfBothVersionsOfCgroups(t *testing.T) {
	for name, c := range map[string]struct {
		own, file, stat string
		want            time.Duration
	}{
		"version 2":                 {"0::/user/x\n", "user/x", "nr_throttled 3\nthrottled_usec 1500\n", 1500 * time.Microsecond},
		"version 1":                 {"4:memory:/m\n3:cpu,cpuacct:/docker/abc\n", "cpu,cpuacct/docker/abc", "nr_throttled 3\nthrottled_time 2500000\n", 2500 * time.Microsecond},
		"version 1, only cpu":       {"3:cpu,cpuacct:/docker/abc\n", "cpu/docker/abc", "throttled_time 7000\n", 7 * time.Microsecond},
		"version 1 in a container":  {"3:cpuacct,cpu:/kubepods/x\n0::/\n", "cpuacct,cpu", "throttled_time 9000\n", 9 * time.Microsecond},
		"version 2 in a container":  {"0::/../kubepods/x\n", "", "throttled_usec 4\n", 4 * time.Microsecond},
		"not of the controller cpu": {"3:cpuset:/x\n", "cpuset/x", "throttled_time 9000\n", 0},
		"nothing":                   {"", "", "", 0},
	} {
		root, own := t.TempDir(), filepath.Join(t.TempDir(), "cgroup")
		if err := os.MkdirAll(filepath.Join(root, c.file), 0o755); err != nil {
			t.Fatal(err)
		}
		for path, text := range map[string]string{own: c.own, filepath.Join(root, c.file, "cpu.stat"): c.stat} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := throttledTime(own, root); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
