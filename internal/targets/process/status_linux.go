package process

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Look returns what the kernel says of a process now; ok is false where it is gone.
func Look(pid int) (m Status, ok bool) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return Status{}, false
	}
	// proc_pid_stat(5): the command may hold any character, parentheses too.
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(f) < 40 {
		return Status{}, false
	}
	m.Stopped = f[0][0] == 'T'
	m.Faults, m.Disk = number(f[9]), time.Duration(number(f[39]))*tick
	m.Waited = waited(dir)
	m.Throttled = throttled(dir, "/sys/fs/cgroup")
	return m, true
}

// Throttled returns only for how long the limit of a process's control group has held it
// back so far: reading that of every thread costs more.
func Throttled(pid int) time.Duration {
	return throttled(filepath.Join("/proc", strconv.Itoa(pid)), "/sys/fs/cgroup")
}

// waited reads how long the threads of a process waited for a processor.
func waited(dir string) map[int]time.Duration {
	d, err := os.Open(filepath.Join(dir, "task"))
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(maxThreads)
	out := make(map[int]time.Duration, len(names))
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, "task", name, "schedstat"))
		if f := bytes.Fields(text); err == nil && len(f) > 1 {
			id, _ := strconv.Atoi(name) // the kernel writes numbers
			out[id] = time.Duration(number(f[1]))
		}
	}
	return out
}

// throttled is for how long the limit of a process's control group, of either version,
// held it back. What is seen of a container from within is at the root.
func throttled(dir, root string) time.Duration {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) < 3 {
			continue
		}
		switch {
		case f[1] == "": // version 2
			if v := statLine("throttled_usec", root+f[2], root); v > 0 {
				return time.Duration(v) * time.Microsecond
			}
		case strings.Contains(","+f[1]+",", ",cpu,"):
			if v := statLine("throttled_time", root+"/"+f[1]+f[2], root+"/cpu"+f[2], root+"/"+f[1], root+"/cpu"); v > 0 {
				return time.Duration(v)
			}
		}
	}
	return 0
}

// statLine reads a line of cpu.stat in the first folder that has it.
func statLine(name string, folders ...string) int64 {
	for _, dir := range folders {
		text, err := os.ReadFile(filepath.Join(dir, "cpu.stat"))
		if err != nil {
			continue
		}
		for line := range bytes.Lines(text) {
			if f := bytes.Fields(line); len(f) == 2 && string(f[0]) == name {
				return number(f[1])
			}
		}
	}
	return 0
}
