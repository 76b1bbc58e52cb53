package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// thisMachine says what the figures are of.
func thisMachine(ctx context.Context, b *bench) []string {
	var out []string
	add := func(name, value string) {
		if value = strings.TrimSpace(value); value != "" {
			out = append(out, fmt.Sprintf("- %s: %s", name, value))
		}
	}
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	kernel, _, _ := strings.Cut(strings.TrimSpace(string(release)), "-") // what follows names somebody's build
	cpu, _ := os.ReadFile("/proc/cpuinfo")
	model := ""
	if _, rest, ok := strings.Cut(string(cpu), "model name\t: "); ok {
		model, _, _ = strings.Cut(rest, "\n")
	}
	add("machine", fmt.Sprintf("%d CPUs, %s, %s/%s, kernel %s", runtime.NumCPU(), model, runtime.GOOS, runtime.GOARCH, kernel))
	add("Go", runtime.Version())
	add("perfctl", firstLine(ctx, b.tool["perfctl"], "version"))
	add("vegeta", vegetaModule)
	add("k6", firstLine(ctx, b.tool["k6"], "version"))
	add("pgbench", firstLine(ctx, b.tool["pgbench"], "--version"))
	add("redis-benchmark", firstLine(ctx, b.tool["redis-benchmark"], "--version"))
	add("wrk", firstLine(ctx, b.tool["wrk"], "-v"))
	return out
}

// processorTimes are the machine's processor times in ticks, over all processors.
type processorTimes struct{ all, stolen int64 }

// readProcessorTimes reads /proc/stat; both are 0 where there is none.
func readProcessorTimes() (t processorTimes) {
	raw, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(raw), "\n")
	// cpu user nice system idle iowait irq softirq steal guest guest_nice; guests are
	// in user and nice already.
	for i, f := range strings.Fields(line) {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil || i > 8 {
			continue
		}
		t.all += n
		if i == 8 {
			t.stolen = n
		}
	}
	return t
}

// stealSince says how much of the processors the hypervisor gave to others.
func stealSince(before processorTimes) string {
	now := readProcessorTimes()
	if now.all <= before.all {
		return ""
	}
	return fmt.Sprintf("- steal: %.1f %% of the processors while this was measured", 100*float64(now.stolen-before.stolen)/float64(now.all-before.all))
}

// firstLine is the first line that a command prints.
func firstLine(ctx context.Context, name string, args ...string) string {
	if name == "" {
		return ""
	}
	out, _ := exec.CommandContext(ctx, name, args...).CombinedOutput() // wrk -v exits with 1
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}
