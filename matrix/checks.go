package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The exit codes that the checks tell apart.
const (
	exitPass        = 0
	exitSLA         = 99
	exitUnreachable = 107
	exitInvalid     = 111
)

// rate is the arrivals a second of each run; recovered is how many must succeed around a
// fault that comes after about 3 s of load.
const (
	rate      = 40
	recovered = 6 * rate
)

// outcome is what a run left.
type outcome struct {
	code     int
	dir      string
	printed  string
	Arrivals struct{ Planned, Succeeded, Failed, Dropped, Unfinished int64 } `json:"arrivals"`
	Metrics  map[string]json.RawMessage                                      `json:"metrics"`
}

// perfctl runs the smoke profile against servers.
func (m *matrix) perfctl(ctx context.Context, at map[string]string, scenario string, d time.Duration, more ...string) (*outcome, error) {
	m.serial++
	o := &outcome{dir: filepath.Join(m.dir, fmt.Sprintf("run-%d", m.serial))}
	args := append([]string{"run", "smoke", "--scenario", scenario, "--rate", strconv.Itoa(rate), "-d", d.String(), "--run-dir", o.dir, "-q"}, more...)
	c := exec.CommandContext(ctx, m.program, args...)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + m.dir}
	for _, k := range slices.Sorted(maps.Keys(at)) {
		c.Env = append(c.Env, k+"="+at[k])
	}
	out, err := c.CombinedOutput()
	o.printed = strings.ReplaceAll(string(out), secret, "xxx")
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	o.code = c.ProcessState.ExitCode()
	text, err := os.ReadFile(filepath.Join(o.dir, "summary.json"))
	if err != nil {
		return o, nil //nolint:nilerr // a run that was refused leaves none
	}
	return o, json.Unmarshal(text, o)
}

// adds says what is wrong with the account of a run.
func (o *outcome) adds() error {
	a := o.Arrivals
	if a.Planned == 0 || a.Planned != a.Succeeded+a.Failed+a.Dropped+a.Unfinished {
		return fmt.Errorf("the account does not add up: %+v", a)
	}
	return nil
}

func (o *outcome) wants(codes ...int) error {
	if slices.Contains(codes, o.code) {
		return nil
	}
	return fmt.Errorf("exit code %d, wanted one of %v: %s", o.code, codes, tail(o.printed, 700))
}

// scenarios checks that every arrival of the scenarios succeeds. A machine that is busy
// may make a run invalid or miss a time, which says nothing about the server.
func (m *matrix) scenarios(ctx context.Context, at map[string]string, list string) (*outcome, error) {
	o, err := m.perfctl(ctx, at, list, 5*time.Second)
	if err != nil {
		return nil, err
	}
	if err := o.wants(exitPass, exitSLA, exitInvalid); err != nil {
		return nil, err
	}
	if err := o.adds(); err != nil {
		return nil, err
	}
	if o.Arrivals.Succeeded != o.Arrivals.Planned {
		return nil, fmt.Errorf("%+v: %s", o.Arrivals, tail(o.printed, 700))
	}
	return o, nil
}

// probes checks that a run read what the servers say of themselves.
func (o *outcome) probes(names ...string) error {
	for _, n := range names {
		if _, ok := o.Metrics[n]; !ok {
			return fmt.Errorf("the probes read no %s", n)
		}
	}
	return nil
}

// fault checks that a run whose way to the server is delayed (--fault) loses nothing, and
// that one in which the server was paused and another one in which it was
// killed and started again go on to their ends, and account for every arrival.
func (m *matrix) fault(ctx context.Context, s *server, kind, list string, back time.Duration) error {
	o, err := m.perfctl(ctx, s.plain, list, 6*time.Second, "--fault", kind+": delay 20ms at 2s for 2s")
	if err == nil {
		err = errors.Join(o.wants(exitPass, exitSLA, exitInvalid), o.adds())
	}
	if err == nil && o.Arrivals.Succeeded != o.Arrivals.Planned {
		err = fmt.Errorf("%+v: %s", o.Arrivals, tail(o.printed, 700))
	}
	if err != nil {
		return fmt.Errorf("delayed: %w", err)
	}
	for _, f := range []struct {
		name string
		wait time.Duration
		hit  func()
	}{
		{"paused", 2 * time.Second, func() {
			for _, p := range s.processes {
				p.signal(syscall.SIGSTOP)
			}
			time.Sleep(time.Second)
			for _, p := range s.processes {
				p.signal(syscall.SIGCONT)
			}
		}},
		{"killed", back, func() {
			for _, p := range s.processes {
				p.stop()
			}
			for _, p := range s.processes {
				// What a killed server leaves behind may keep it from starting for a short time.
				// Whether it is back shows in what succeeds.
				for try := 0; try < 20 && p.begin(ctx) != nil; try++ {
					time.Sleep(200 * time.Millisecond)
				}
			}
		}},
	} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			select {
			case <-time.After(4 * time.Second): // the set-up is over by then
				f.hit()
			case <-ctx.Done():
			}
		}()
		o, err := m.perfctl(ctx, s.plain, list, 8*time.Second+f.wait)
		<-done
		if err == nil {
			err = errors.Join(o.wants(exitPass, exitSLA, exitInvalid), o.adds())
		}
		// How long a server takes to be back is its own affair: some seconds of success
		// before the fault and some after it are what is asked.
		if err == nil && o.Arrivals.Succeeded < recovered {
			err = fmt.Errorf("%+v: it did not recover: %s", o.Arrivals, tail(o.printed, 700))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// secure checks that TLS is used, and that a server that nobody vouches for is refused
// with its own words.
func (m *matrix) secure(ctx context.Context, s *server, list string) error {
	if _, err := m.scenarios(ctx, s.tls, list); err != nil {
		return err
	}
	strange := maps.Clone(s.tls)
	other, err := newAuthority()
	if err != nil {
		return err
	}
	file := filepath.Join(m.dir, "other.pem")
	if err := os.WriteFile(file, []byte(other.text), 0o600); err != nil {
		return err
	}
	for k, v := range strange {
		if v == m.ca {
			strange[k] = file
		}
	}
	o, err := m.perfctl(ctx, strange, list, time.Second)
	if err != nil {
		return err
	}
	if err := o.wants(exitUnreachable); err != nil {
		return err
	}
	if !strings.Contains(o.printed, "authority") {
		return fmt.Errorf("a foreign authority is not named: %s", tail(o.printed, 400))
	}
	return nil
}

// createDatabase makes the database of the runs, with psql of this machine.
func (m *matrix) createDatabase(ctx context.Context, at map[string]string) error {
	psql, err := exec.LookPath("psql")
	if err != nil {
		return errors.New("psql is missing\n  next: apt-get install postgresql-client")
	}
	c := exec.CommandContext(ctx, psql, "-h", at["DB_HOST"], "-p", at["DB_PORT"], "-U", at["DB_USER"], "-d", "postgres", "-c", "CREATE DATABASE "+at["DB_NAME"])
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "PGPASSWORD=" + at["DB_PASSWORD"], "PGSSLMODE=disable"}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("create the database: %w: %s", err, tail(string(out), 300))
	}
	return nil
}

func pause(ctx context.Context) {
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
	}
}
