// Package lab starts throwaway RabbitMQ, PostgreSQL and Redis servers as child
// processes on free loopback ports, breaks them where that is asked for, and takes
// them down again. It loads nothing and judges nothing.
package lab

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// The services, in the order in which their settings are listed.
const (
	RabbitMQ = "rabbitmq"
	Postgres = "postgres"
	Redis    = "redis"
)

// Services lists every service that the lab can start.
func Services() []string { return []string{RabbitMQ, Postgres, Redis} }

// Options say what to start.
type Options struct {
	// Services are the ones to start; empty means all.
	Services []string
	// Dir is the folder in which the lab makes its own; empty means the
	// system's folder for temporary files.
	Dir string
	// Bounded are the services whose data is on a file system of their own, in
	// memory, which Trouble can fill: DiskFull needs it.
	Bounded []string
	// Detached servers outlive the program; others are taken down with it,
	// also when it is killed.
	Detached bool
	// Progress, where given, is told what a service is at. It is called from
	// several goroutines, one at a time.
	Progress func(service, step string)
	// LogTail is how many of the last lines of its log the error of a service
	// that did not come up quotes; 0 means 20.
	LogTail int
}

// Setting is one setting under which a server is reached, by the name that the
// environment uses for it.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Lab is a set of running servers.
type Lab struct {
	dir     string
	servers []*server
	opened  bool // found by Open, not started by this program
}

// startTimeout bounds how long one service may take until it answers.
const startTimeout = 60 * time.Second

// defaultLogTail is how many lines of a log an error quotes.
const defaultLogTail = 20

// dirPrefix begins the name of every lab's folder.
const dirPrefix = "perfctl-lab-"

// attempts is how often a service is started: a port that was free when it was
// chosen may be taken when the server binds it.
const attempts = 2

// Start starts the services side by side and returns when each has answered in
// its own protocol. If one does not, all are taken down and the error says
// why, with the last lines of its log. A missing server program is an error
// that names the package to install; all missing ones are named at once.
func Start(ctx context.Context, o Options) (*Lab, error) {
	quietRedis()
	if len(o.Services) == 0 {
		o.Services = Services()
	}
	if o.LogTail <= 0 {
		o.LogTail = defaultLogTail
	}
	makers, err := find(o.Services)
	if err != nil {
		return nil, err
	}
	dir, err := makeDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("make the lab's folder: %w", err)
	}
	l := &Lab{dir: dir, servers: make([]*server, len(makers))}
	errs := make([]error, len(makers))
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i, m := range makers {
		wg.Go(func() {
			tell := func(step string) {
				if o.Progress != nil {
					mu.Lock()
					defer mu.Unlock()
					o.Progress(o.Services[i], step)
				}
			}
			l.servers[i], errs[i] = startOne(ctx, m, dir, o.Services[i], o, tell)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		return nil, errors.Join(err, l.Stop(stopCtx))
	}
	return l, nil
}

// makeDir makes the lab's folder. Other users may pass through it, because
// servers that refuse to run as root run as one of them, but not list it.
func makeDir(parent string) (string, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	// Each server works in a folder of its own, where a relative path would
	// lead elsewhere; what a link hides from a look at its processes, too.
	parent, err := filepath.Abs(parent)
	if err != nil {
		return "", err
	}
	if parent, err = filepath.EvalSymlinks(parent); err != nil {
		return "", err
	}
	sweep(parent)
	dir, err := os.MkdirTemp(parent, dirPrefix)
	if err != nil {
		return "", err
	}
	return dir, errors.Join(own(dir), os.Chmod(dir, 0o711))
}

// maker prepares one service: it writes what the server reads and returns how
// it is started, asked and reached.
type maker interface {
	prepare(ctx context.Context, dir string, tell func(string)) (*server, error)
}

// startOne starts one service, with other ports if the first ones are taken.
func startOne(ctx context.Context, m maker, dir, service string, o Options, tell func(string)) (*server, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var last error
	for range attempts {
		tell("is starting")
		s, err := prepareOn(ctx, m, dir, service, o, tell)
		if err != nil {
			return nil, err
		}
		if err := s.start(o.Detached); err != nil {
			return nil, fmt.Errorf("start %s: %w", s.Name, err)
		}
		if err = s.await(ctx); err == nil {
			tell("is ready")
			return s, nil
		}
		last = fmt.Errorf("%s did not come up: %w%s", s.Name, err, s.logTail(o.LogTail))
		stopCtx, cancelStop := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
		_ = s.stop(stopCtx) // the error that matters is the one above
		cancelStop()
		if ctx.Err() != nil || !s.portTaken() {
			break
		}
	}
	return nil, last
}

// abortTimeout bounds how long a server has to end that never answered: it
// holds nothing worth an orderly end, and one that is booting may not listen.
const abortTimeout = 2 * time.Second

// Settings returns under which settings the servers are reached.
func (l *Lab) Settings() []Setting {
	var out []Setting
	for _, s := range l.servers {
		if s != nil {
			out = append(out, s.Settings...)
		}
	}
	return out
}

// Pids returns the process that leads each service's group, of those that run.
func (l *Lab) Pids() map[string]int {
	out := map[string]int{}
	for _, s := range l.servers {
		if s != nil && s.running() {
			out[s.Name] = s.Pid
		}
	}
	return out
}

// stopTimeout bounds how long servers have to end when they are told to, where
// the caller gives no bound.
const stopTimeout = 20 * time.Second

// alive says whether anything of the lab still runs.
func (l *Lab) alive() bool {
	return slices.ContainsFunc(l.servers, func(s *server) bool {
		return s != nil && (s.running() || len(family(s.Pid, l.dir)) > 0)
	})
}

// Stop takes every server down and removes the lab's folder. A server that does
// not end in time is killed with everything it started. The error wraps ErrGone
// where an opened lab had ended already.
func (l *Lab) Stop(ctx context.Context) error {
	var gone error
	if l.opened && !l.alive() {
		gone = fmt.Errorf("stop the lab in %s: %w", l.dir, ErrGone)
	}
	errs := make([]error, len(l.servers))
	var wg sync.WaitGroup
	for i, s := range l.servers {
		if s != nil {
			wg.Go(func() { errs[i] = s.stop(ctx) })
		}
	}
	wg.Wait()
	return errors.Join(gone, errors.Join(errs...), unmountBelow(l.dir), os.RemoveAll(l.dir))
}

// find returns the makers of the services; what is missing is named at once.
func find(services []string) ([]maker, error) {
	var out []maker
	var missing, packages []string
	for i, name := range services {
		if slices.Contains(services[:i], name) {
			return nil, fmt.Errorf("the service %s is asked for twice", name)
		}
		if !slices.Contains(Services(), name) {
			return nil, fmt.Errorf("the lab has no service %q; there are %s", name, strings.Join(Services(), ", "))
		}
		m, pkg := finders[name]()
		if m == nil {
			missing = append(missing, name)
			packages = append(packages, pkg)
		}
		out = append(out, m)
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("server programs are not installed: %s\n  next: apt-get install %s, or start configs/compose.yaml and run without --lab",
			strings.Join(missing, ", "), strings.Join(packages, " "))
	}
	return out, nil
}

var finders = map[string]func() (maker, string){
	RabbitMQ: findRabbitMQ,
	Postgres: findPostgres,
	Redis:    findRedis,
}

// secret returns a new password.
func secret() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return hex.EncodeToString(b[:])
}
