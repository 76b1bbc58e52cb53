package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
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
	cpu, _ := os.ReadFile("/proc/cpuinfo")
	model := ""
	if _, rest, ok := strings.Cut(string(cpu), "model name\t: "); ok {
		model, _, _ = strings.Cut(rest, "\n")
	}
	add("machine", fmt.Sprintf("%d CPUs, %s, %s/%s, kernel %s", runtime.NumCPU(), model, runtime.GOOS, runtime.GOARCH, strings.TrimSpace(string(release))))
	add("Go", runtime.Version())
	add("perfctl", firstLine(ctx, b.tool["perfctl"], "version"))
	add("vegeta", vegetaModule)
	add("k6", firstLine(ctx, b.tool["k6"], "version"))
	add("pgbench", firstLine(ctx, b.tool["pgbench"], "--version"))
	add("redis-benchmark", firstLine(ctx, b.tool["redis-benchmark"], "--version"))
	add("wrk", firstLine(ctx, b.tool["wrk"], "-v"))
	return out
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
