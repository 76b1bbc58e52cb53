package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Pause stops the processes of a service where they are, until Resume. The watchdog
// goes on: it takes a paused server down, too.
func (l *Lab) Pause(service string) error { return l.signal(service, syscall.SIGSTOP) }

// Resume lets a service go on that was paused.
func (l *Lab) Resume(service string) error { return l.signal(service, syscall.SIGCONT) }

// signal signals the processes of a service, its watchdog excepted.
func (l *Lab) signal(service string, what syscall.Signal) error {
	s, err := l.server(service)
	if err != nil {
		return err
	}
	for _, pid := range family(s.Pid, filepath.Dir(s.Log)) {
		if watching(pid) {
			continue
		}
		if err := syscall.Kill(pid, what); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal %s: %w", service, err)
		}
	}
	return nil
}

// watching says whether a process is a shell of the watchdog's.
func watching(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	return err == nil && strings.Contains(string(text), watchdog)
}

// Kill kills a service with all its processes, without a word to any of them, and
// returns when they are gone.
func (l *Lab) Kill(ctx context.Context, service string) error {
	s, err := l.server(service)
	if err != nil {
		return err
	}
	defer s.leash.Close()
	for {
		rest := family(s.Pid, filepath.Dir(s.Log))
		if len(rest) == 0 {
			return nil
		}
		for _, pid := range rest {
			_ = syscall.Kill(pid, syscall.SIGKILL) // whether it helped is seen next
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kill %s: %w", service, ctx.Err())
		case <-time.After(killAgainAfter):
		}
	}
}

// killAgainAfter is how long a killed process may take until it is gone.
const killAgainAfter = 20 * time.Millisecond

// End ends a service in good order.
func (l *Lab) End(ctx context.Context, service string) error {
	s, err := l.server(service)
	if err != nil {
		return err
	}
	return s.stop(ctx)
}

// Revive starts a service again that was killed or ended, where and as it was, and
// returns when it answers.
func (l *Lab) Revive(ctx context.Context, service string) error {
	s, err := l.server(service)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if err := s.start(false); err != nil {
			return fmt.Errorf("start %s again: %w", service, err)
		}
		if err = s.await(ctx); err == nil {
			return nil
		}
		// The kernel may hold a port for a short time.
		if ctx.Err() != nil || !s.portTaken() {
			return fmt.Errorf("%s did not come up again: %w%s", service, err, s.logTail(defaultLogTail))
		}
		time.Sleep(reviveAfter)
	}
}

// reviveAfter is how long a start is not tried again where a port was in use.
const reviveAfter = 200 * time.Millisecond

// server returns the running service of that name, which this program started.
func (l *Lab) server(service string) (*server, error) {
	for _, s := range l.servers {
		if s != nil && s.Name == service && !l.opened {
			return s, nil
		}
	}
	return nil, fmt.Errorf("the lab has no service %s of its own", service)
}
