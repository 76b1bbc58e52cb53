package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/rundir"
)

// thisMachine describes where the generator runs, without naming it.
func thisMachine() rundir.Machine {
	m := rundir.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), GOMAXPROCS: runtime.GOMAXPROCS(0)}
	if data, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(data))
	}
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "MemTotal:" {
			kb, _ := strconv.ParseInt(f[1], 10, 64) // 0 where the kernel writes something else
			m.Memory = kb << 10
		}
	}
	return m
}
