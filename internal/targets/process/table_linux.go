package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is the unit of processor time in /proc: USER_HZ, 100 on every Linux
// architecture that Go runs on (proc_pid_stat(5), time(7)).
const tick = time.Second / 100

var pageSize = int64(os.Getpagesize())

// table returns all processes that can be read.
func table() ([]proc, error) {
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("read the processes: %w", err)
	}
	var out []proc
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		if p, ok := read(pid); ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// read reads one process; one that has ended meanwhile, or a zombie, is none.
func read(pid int) (proc, bool) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return proc{}, false
	}
	p, ok := parseStat(stat)
	if !ok {
		return proc{}, false
	}
	statm, err := os.ReadFile(filepath.Join(dir, "statm"))
	if err != nil {
		return proc{}, false
	}
	if f := bytes.Fields(statm); len(f) > 2 {
		p.resident, p.shared = number(f[1])*pageSize, number(f[2])*pageSize
	}
	return p, true
}

// parseStat reads /proc/PID/stat (proc_pid_stat(5)). The command stands in
// parentheses and may itself hold any character, parentheses too.
func parseStat(line []byte) (p proc, ok bool) {
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 1 || end < open {
		return proc{}, false
	}
	f := bytes.Fields(line[end+1:])
	if len(f) < 20 || f[0][0] == 'Z' || f[0][0] == 'X' {
		return proc{}, false
	}
	return proc{
		pid: int(number(bytes.TrimSpace(line[:open]))), command: string(line[open+1 : end]),
		parent: int(number(f[1])), cpu: time.Duration(number(f[11])+number(f[12])) * tick,
		threads: int(number(f[17])), born: uint64(number(f[19])),
	}, true
}

func number(b []byte) int64 {
	n, _ := strconv.ParseInt(string(b), 10, 64) // the kernel writes numbers
	return n
}

// files counts the process's file descriptors; 0 where they may not be seen.
func (p proc) files() int {
	d, err := os.Open(filepath.Join("/proc", strconv.Itoa(p.pid), "fd"))
	if err != nil {
		return 0
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	return len(names)
}
