package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is a tool at work.
type process struct {
	cmd      *exec.Cmd
	out, err bytes.Buffer
	done     chan error
}

// start starts a tool. Its own deadline is a bound only: tools end by
// themselves.
func (b *bench) start(ctx context.Context, limit time.Duration, args ...string) (*process, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	p := &process{cmd: exec.CommandContext(ctx, args[0], args[1:]...), done: make(chan error, 1)}
	p.cmd.Env, p.cmd.Dir = b.environ(), b.temp
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = 5 * time.Second
	if err := p.cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	go func() {
		p.done <- p.cmd.Wait()
		cancel()
	}()
	return p, nil
}

// wait waits for the end. An exit code is no error: perfctl and k6 have
// verdicts.
func (p *process) wait() error {
	err := <-p.done
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil
	}
	return err
}

// cpu returns the CPU time that the process has used, over all its threads. The
// scheduler's own count is exact to the nanosecond, unlike the clock ticks of
// /proc/PID/stat.
func (p *process) cpu() (time.Duration, error) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if len(files) == 0 {
		return 0, fmt.Errorf("%s has ended before it was measured: %.300s %.300s", p.cmd.Args[0], p.err.Bytes(), p.out.Bytes())
	}
	var sum int64
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		first, _, _ := strings.Cut(string(raw), " ")
		n, _ := strconv.ParseInt(first, 10, 64)
		sum += n
	}
	return time.Duration(sum), nil
}

// resident returns the process's resident memory in bytes.
func (p *process) resident() (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the memory of %s: %w", p.cmd.Args[0], err)
	}
	f := strings.Fields(string(raw))
	n, err := strconv.ParseInt(f[1], 10, 64)
	return n * int64(os.Getpagesize()), err
}

// sleep waits, or ends with ctx.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
