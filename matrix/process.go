package main

import (
	"bufio"
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

// home is a folder of a server's own: as this machine sees it, and as the server does.
type home struct{ outside, inside string }

func (h home) path(name string) string { return filepath.Join(h.inside, name) }

// newHome makes a folder for a server that runs as a user of the place.
func (m *matrix) newHome(p place, owner string) (home, *syscall.Credential, error) {
	m.serial++
	inside := filepath.Join("/tmp", fmt.Sprintf("perfctl-matrix-%d", os.Getpid()), strconv.Itoa(m.serial))
	h := home{filepath.Join(p.root, inside), inside}
	m.folders = append(m.folders, filepath.Dir(h.outside))
	if err := os.MkdirAll(h.outside, 0o755); err != nil { //nolint:gosec // the server runs as another user
		return h, nil, err
	}
	c, err := p.user(owner)
	if err != nil {
		return h, nil, err
	}
	return h, c, os.Chown(h.outside, int(c.Uid), int(c.Gid))
}

// write puts a file into the folder, for its owner to read.
func (h home) write(c *syscall.Credential, name, text string) error {
	at := filepath.Join(h.outside, name)
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Chown(at, int(c.Uid), int(c.Gid))
}

// user finds a user of the place.
func (p place) user(name string) (*syscall.Credential, error) {
	f, err := os.Open(filepath.Join(p.root, "etc/passwd"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Split(s.Text(), ":")
		if len(fields) < 4 || fields[0] != name {
			continue
		}
		uid, err1 := strconv.ParseUint(fields[2], 10, 32)
		gid, err2 := strconv.ParseUint(fields[3], 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: true}, errors.Join(err1, err2)
	}
	return nil, fmt.Errorf("%s has no user %s\n  next: install the package of the server", p.title, name)
}

// process is a server that was started, with what started it.
type process struct {
	cmd   *exec.Cmd
	make  func() *exec.Cmd
	port  int
	ended chan struct{}
}

// start starts a program as a user of the place, and waits until its port is listened
// on.
func (m *matrix) start(ctx context.Context, p place, c *syscall.Credential, h home, port int, env []string, args ...string) (*process, error) {
	x := &process{port: port, make: func() *exec.Cmd {
		cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // it lives until it is stopped
		cmd.Dir, cmd.Env = h.inside, append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=" + h.inside}, env...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c, Pdeathsig: syscall.SIGKILL}
		if p.root != "/" {
			cmd.SysProcAttr.Chroot = p.root
			if !filepath.IsAbs(args[0]) {
				cmd.Path = filepath.Join("/usr/bin", args[0])
				cmd.Err = nil
			}
		}
		if log, err := os.OpenFile(filepath.Join(h.outside, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err == nil { //nolint:gosec // a log
			cmd.Stdout, cmd.Stderr = log, log
		}
		return cmd
	}}
	m.running = append(m.running, x)
	if err := x.begin(ctx); err != nil {
		log, _ := os.ReadFile(filepath.Join(h.outside, "log"))
		return nil, fmt.Errorf("%s does not start: %w: %s", args[0], err, tail(string(log), 800))
	}
	return x, nil
}

// begin starts the server and waits until it listens.
func (x *process) begin(ctx context.Context) error {
	x.cmd = x.make()
	if err := x.cmd.Start(); err != nil {
		return err
	}
	x.ended = make(chan struct{})
	go func(c *exec.Cmd, ended chan struct{}) { _ = c.Wait(); close(ended) }(x.cmd, x.ended)
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(x.port))
		if err == nil {
			return c.Close()
		}
		select {
		case <-x.ended:
			return errors.New("it ended")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("nobody listens on port %d", x.port)
}

// signal sends a signal to the server and to all that it started.
func (x *process) signal(s syscall.Signal) {
	if x.cmd != nil && x.cmd.Process != nil {
		_ = syscall.Kill(-x.cmd.Process.Pid, s)
	}
}

// stop ends the server at once.
func (x *process) stop() {
	if x.ended == nil {
		return
	}
	x.signal(syscall.SIGKILL)
	<-x.ended
}

// freePorts returns n ports that are free now, each below the one where a node's bus
// would have no port left.
func freePorts(ctx context.Context, n int) (out []int, err error) {
	for len(out) < n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all are held until the last is found, so that they differ
		if port := l.Addr().(*net.TCPAddr).Port; port < 55000 {
			out = append(out, port)
		}
	}
	return out, nil
}
