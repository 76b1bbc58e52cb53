package health

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// read takes the counters from the kernel. What cannot be read stays 0.
func read() reading {
	r := reading{at: time.Now()}
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &ru) == nil {
		r.cpu = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	}
	r.runDelay = runDelay()
	r.throttled = throttledTime("/proc/self/cgroup", "/sys/fs/cgroup")
	r.stealTime, r.idleTime, r.totalTime = cpuTimes()
	r.segments, r.repeated = tcpSegments()
	if f := fields("/proc/self/statm"); len(f) > 1 {
		r.rss = int64(number(f[1])) * int64(os.Getpagesize())
	}
	if d, err := os.ReadDir("/proc/self/fd"); err == nil {
		r.fds = int64(len(d))
	}
	var lim syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim) == nil {
		r.fdLimit = int64(min(lim.Cur, 1<<40))
	}
	return r
}

// runDelay sums, over the threads, the time spent ready without a core: the
// second field of schedstat. A thread that ended takes its time with it, so
// that the sum may shrink by a little.
func runDelay() (sum time.Duration) {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return 0
	}
	for _, t := range tasks {
		if f := fields("/proc/self/task/" + t.Name() + "/schedstat"); len(f) > 1 {
			sum += time.Duration(number(f[1]))
		}
	}
	return sum
}

// throttledTime is how long the CPU quota of the process's cgroup has held it up, 0
// where that is not told. own is /proc/self/cgroup, root where cgroups are mounted.
// Version 2 has one line "0::PATH" and counts microseconds; version 1 has one of the
// controller cpu and counts nanoseconds. In a container the path may be that of the
// host, while root shows the container's own cgroup.
func throttledTime(own, root string) time.Duration {
	text, err := os.ReadFile(own)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		controllers := strings.Split(f[1], ",")
		switch {
		case f[0] == "0" && f[1] == "":
			if v, ok := cgroupValue("throttled_usec", root+f[2], root); ok {
				return time.Duration(v) * time.Microsecond
			}
		case slices.Contains(controllers, "cpu"):
			if v, ok := cgroupValue("throttled_time", root+"/"+f[1]+f[2], root+"/cpu"+f[2], root+"/"+f[1], root+"/cpu"); ok {
				return time.Duration(v)
			}
		}
	}
	return 0
}

// cgroupValue reads one line of cpu.stat in the first folder that has it.
func cgroupValue(name string, folders ...string) (float64, bool) {
	for _, dir := range folders {
		stat, err := os.ReadFile(dir + "/cpu.stat")
		if err != nil {
			continue
		}
		for s := range strings.Lines(string(stat)) {
			if v, ok := strings.CutPrefix(s, name+" "); ok {
				return number(strings.TrimSpace(v)), true
			}
		}
	}
	return 0, false
}

// cpuTimes returns the machine's stolen, idle and total CPU time, from the
// first line of /proc/stat: user nice system idle iowait irq softirq steal.
func cpuTimes() (stolen, idle, total float64) {
	f := fields("/proc/stat")
	if len(f) < 9 || f[0] != "cpu" {
		return 0, 0, 0
	}
	for _, v := range f[1:9] {
		total += number(v)
	}
	return number(f[8]), number(f[4]) + number(f[5]), total
}

// tcpSegments returns how many TCP segments this network namespace sent and
// how many of them it sent again.
func tcpSegments() (sent, again float64) {
	data, err := os.ReadFile("/proc/net/snmp")
	if err != nil {
		return 0, 0
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != "Tcp:" {
			continue
		}
		if names == nil {
			names = f
			continue
		}
		for i := range min(len(names), len(f)) {
			switch names[i] {
			case "OutSegs":
				sent = number(f[i])
			case "RetransSegs":
				again = number(f[i])
			}
		}
	}
	return sent, again
}

// fields returns the words of a file's first line.
func fields(path string) []string {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return strings.Fields(string(line))
}

func number(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64)
	return v
}

// readLimits takes the limits from the kernel.
func readLimits() Limits {
	var l Limits
	var lim syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim) == nil {
		l.OpenFiles = int64(min(lim.Cur, 1<<40))
	}
	if f := fields("/proc/sys/net/ipv4/ip_local_port_range"); len(f) == 2 {
		l.PortLow, l.PortHigh = int64(number(f[0])), int64(number(f[1]))
	}
	if f := fields("/sys/devices/system/clocksource/clocksource0/current_clocksource"); len(f) > 0 {
		l.ClockSource = f[0]
	}
	if f := fields("/proc/loadavg"); len(f) > 0 {
		l.Load = number(f[0])
	}
	const staUnsync = 0x40 // STA_UNSYNC of adjtimex(2)
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err == nil {
		l.Synchronised = t.Status&staUnsync == 0
	}
	return l
}
