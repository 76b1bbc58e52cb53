package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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
	// troubles bring it into trouble, each by its name, with its number where it has
	// one, and return what ends that.
	troubles map[Trouble]func(ctx context.Context, n int) (Mend, error)
	done     chan struct{} // closed when the process was reaped
	leash    *os.File
	// lookAtDisk has the server look at how much room its disk has, nil where it does
	// not care.
	lookAtDisk func(context.Context) error
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
	log, err := os.OpenFile(s.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	// The context of a server's life is not the one of its start.
	cmd := exec.CommandContext(context.Background(), "/bin/sh", append([]string{"-c", watchdog, "sh"}, s.args...)...)
	cmd.Env = serverEnv(s.dir, append(s.env, "PERFCTL_QUIT="+signalName(s.Quit))...)
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
		go func() {
			select {
			case <-s.done: // whoever answers now is not the server
				cancel()
			case <-try.Done():
			}
		}()
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

// stop ends the server in good order, or at once when ctx ends first, and then
// whatever it left behind, as a port mapper.
func (s *server) stop(ctx context.Context) error {
	if s.leash != nil {
		defer s.leash.Close()
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	if s.running() {
		if err := syscall.Kill(s.Pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop %s: %w", s.Name, err)
		}
	}
	for ctx.Err() == nil && s.running() {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	// A killed process is gone only when the kernel is done with it, and until
	// then it may write to the folder that is removed next.
	for range killTries {
		rest := family(s.Pid, filepath.Dir(s.Log))
		if len(rest) == 0 {
			return nil
		}
		for _, pid := range rest {
			_ = syscall.Kill(pid, syscall.SIGKILL) // whether it helped is seen next
		}
		<-tick.C
	}
	return fmt.Errorf("stop %s: the processes %v do not end", s.Name, family(s.Pid, filepath.Dir(s.Log)))
}

// killTries bounds, in ticks of 50 ms, how long a killed process may linger.
const killTries = 100

// running says whether the process that was started still is.
func (s *server) running() bool {
	return s.Pid > 0 && s.Born != "" && born(s.Pid) == s.Born
}

// maxLogTail bounds, in bytes, what an error quotes of a log: RabbitMQ writes
// lines that fill a screen.
const maxLogTail = 4000

// logTail returns the last lines of the server's log, for an error.
func (s *server) logTail(lines int) string {
	data, err := os.ReadFile(s.Log)
	text := strings.TrimSpace(string(data))
	if err != nil || text == "" {
		return ""
	}
	all := strings.Split(text, "\n")
	text = strings.Join(all[max(0, len(all)-lines):], "\n    ")
	if cut := len(text) - maxLogTail; cut > 0 {
		text = "… " + strings.ToValidUTF8(text[cut:], "")
	}
	return "\n  its log ends:\n    " + text
}

// portTaken says whether the log tells that an address was in use.
func (s *server) portTaken() bool {
	data, _ := os.ReadFile(s.Log)
	text := strings.ToLower(string(data))
	return strings.Contains(text, "address already in use") || strings.Contains(text, "eaddrinuse")
}

// choosePorts is how a service gets its ports.
var choosePorts = freePorts

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
