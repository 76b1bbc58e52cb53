package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is one running service. The exported fields are what a detached lab
// remembers.
type server struct {
	Name string `json:"name"`
	// Pid leads the process group of everything that the service started, Born
	// is when the kernel says it began: a recycled number is never signalled.
	Pid  int    `json:"pid"`
	Born string `json:"born"`
	// Settings are how the server is reached.
	Settings []Setting `json:"settings"`
	// Log is the file that holds what it printed.
	Log string `json:"log"`
	// Quit is the signal that makes it end in good order.
	Quit syscall.Signal `json:"quit"`

	args       []string
	env        []string
	dir        string
	credential *syscall.Credential
	ready      func(context.Context) error
	done       chan struct{} // closed when the process was reaped
	leash      *os.File
}

// watchdog runs a server and takes its whole process group down when the pipe
// on descriptor 3 closes, which happens when perfctl ends in whatever way. The
// kernel's parent-death signal would not do: it follows the thread that
// started the child, and reaches only the child itself.
const watchdog = `trap '' INT HUP
"$@" 3<&- &
child=$!
trap 'kill -"$PERFCTL_QUIT" $child 2>/dev/null' TERM
( read -r _ <&3; kill -"$PERFCTL_QUIT" $child 2>/dev/null; sleep 10; kill -KILL 0 ) >/dev/null 2>&1 &
exec 3<&-
while kill -0 $child 2>/dev/null; do wait $child; done
trap '' TERM
kill -TERM 0
`

// start starts the process in a group of its own, so that a Ctrl-C on the
// terminal reaches perfctl alone and the servers live until it has drained.
func (s *server) start(detached bool) error {
	log, err := os.OpenFile(s.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	// The context of a server's life is not the one of its start.
	cmd := exec.CommandContext(context.Background(), "/bin/sh", append([]string{"-c", watchdog, "sh"}, s.args...)...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Env = append(cmd.Env, "PERFCTL_QUIT="+strings.TrimPrefix(signalName(s.Quit), "SIG"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: s.credential}
	held, leash, err := s.leashFor(detached)
	if err != nil {
		return err
	}
	defer held.Close()
	cmd.ExtraFiles = []*os.File{held}
	if err := cmd.Start(); err != nil {
		_ = leash.Close()
		return err
	}
	s.leash = leash
	s.Pid, s.Born = cmd.Process.Pid, born(cmd.Process.Pid)
	s.done = make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is told by its log
		close(s.done)
	}()
	return nil
}

// leashFor returns the descriptor that the watchdog reads and the one that
// perfctl holds. A detached server gets a pipe that nobody ever closes: a FIFO
// opened for reading and writing by the reader itself.
func (s *server) leashFor(detached bool) (held, leash *os.File, err error) {
	if !detached {
		return os.Pipe()
	}
	path := filepath.Join(filepath.Dir(s.Log), s.Name+".leash")
	if err := syscall.Mkfifo(path, 0o600); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, nil, err
	}
	held, err = os.OpenFile(path, os.O_RDWR, 0)
	return held, nil, err
}

// await returns nil once the server answers, or an error when it ended or ctx
// did.
func (s *server) await(ctx context.Context) error {
	var last error
	for {
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		last = s.ready(try)
		cancel()
		if last == nil {
			return nil
		}
		select {
		case <-s.done:
			return errors.New("the server ended")
		case <-ctx.Done():
			return fmt.Errorf("%w (last: %w)", context.Cause(ctx), last)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stop ends the server in good order, and kills its group when ctx ends first.
func (s *server) stop(ctx context.Context) error {
	if s.leash != nil {
		defer s.leash.Close()
	}
	if !s.running() {
		return nil
	}
	if err := syscall.Kill(s.Pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop %s: %w", s.Name, err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for s.running() {
		select {
		case <-ctx.Done():
			_ = syscall.Kill(-s.Pid, syscall.SIGKILL)
			return nil
		case <-tick.C:
		}
	}
	// What the service left in its group, as a port mapper, goes with it.
	_ = syscall.Kill(-s.Pid, syscall.SIGKILL)
	return nil
}

// running says whether the process that was started still is.
func (s *server) running() bool {
	return s.Pid > 0 && s.Born != "" && born(s.Pid) == s.Born
}

// born returns when a process began, in the kernel's ticks since boot, with
// the boot's identity; empty if it is gone or a zombie.
func born(pid int) string {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The second field, the name, may hold spaces and brackets.
	_, rest, ok := strings.Cut(string(data), ") ")
	f := strings.Fields(rest)
	if !ok || len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return ""
	}
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(boot)) + "/" + f[19]
}

// logTailBytes is how much of a server's log an error quotes.
const logTailBytes = 1500

func (s *server) logTail() string {
	data, err := os.ReadFile(s.Log)
	if err != nil || len(data) == 0 {
		return ""
	}
	text := string(data[max(0, len(data)-logTailBytes):])
	return "\n  its log ends:\n    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}

// portTaken says whether the log tells that an address was in use.
func (s *server) portTaken() bool {
	data, _ := os.ReadFile(s.Log)
	text := strings.ToLower(string(data))
	return strings.Contains(text, "address already in use") || strings.Contains(text, "eaddrinuse")
}

// freePorts returns n loopback ports that are free now.
func freePorts(n int) ([]int, error) {
	var out []int
	for range n {
		var config net.ListenConfig
		l, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		// All are held until the last is found, so that they differ.
		defer l.Close()
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out, nil
}

func signalName(s syscall.Signal) string {
	switch s {
	case syscall.SIGINT:
		return "INT"
	case syscall.SIGQUIT:
		return "QUIT"
	}
	return "TERM"
}
