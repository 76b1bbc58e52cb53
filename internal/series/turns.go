package series

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/kballard/go-shellquote"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/rundir"
)

// MaxRepeat bounds how often a run is made.
const MaxRepeat = 1000

// CheckRepeat refuses a number of repetitions that cannot be.
func CheckRepeat(n int) error {
	if n < 1 || n > MaxRepeat {
		return exitcode.UsageError("--repeat %d: want 1 to %d", n, MaxRepeat)
	}
	return nil
}

// Args reads the arguments of perfctl run that a flag has, split as a shell does.
func Args(flag, text string) ([]string, error) {
	args, err := shellquote.Split(text)
	if err != nil {
		return nil, exitcode.UsageError("%s %q: %w", flag, text, err)
	}
	if len(args) > 0 && args[0] == "run" {
		args = args[1:]
	}
	if len(args) == 0 {
		return nil, exitcode.UsageError("%s %q: want the arguments of perfctl run, as in 'load -d 1m'", flag, text)
	}
	return append([]string{"run"}, args...), nil
}

// Turns are the runs of two sides that are to be compared.
type Turns struct {
	// Base and New are the arguments of perfctl, the command among them.
	Base, New []string
	// Repeat is how many runs a side has.
	Repeat int
	// Dir gets the folders base and new.
	Dir string
}

// turn is one run of a comparison.
type turn struct {
	side string
	args []string
	dir  string
}

// The sides of a comparison, and their folders.
const (
	sideBase = "base"
	sideNew  = "new"
)

// order returns the runs of both sides in the order base, new, new, base, base …:
// what drifts evenly then adds as much to the one side as to the other.
func (t *Turns) order() (out []turn) {
	for i := range t.Repeat {
		pair := []turn{{side: sideBase, args: t.Base}, {side: sideNew, args: t.New}}
		if i%2 == 1 {
			pair[0], pair[1] = pair[1], pair[0]
		}
		for _, x := range pair {
			x.dir = filepath.Join(t.Dir, x.side, strconv.Itoa(i+1))
			out = append(out, x)
		}
	}
	return out
}

// Make makes the runs of both sides.
func (t *Turns) Make(ctx context.Context, m Maker) (base, next []*rundir.Run, err error) {
	all := t.order()
	sides := map[string][]*rundir.Run{}
	for i, x := range all {
		m.Say(fmt.Sprintf("run %d of %d: %s", i+1, len(all), x.side))
		r, err := x.make(ctx, m)
		if err != nil {
			return nil, nil, err
		}
		sides[x.side] = append(sides[x.side], r)
	}
	return sides[sideBase], sides[sideNew], nil
}

// mostAttempts is how often a run whose generator was the bottleneck is made.
const mostAttempts = 3

// make makes one run. A broken SLA is no hindrance to a comparison; a run that is
// INVALID is made again, into a folder beside it; all else ends the comparison.
func (t turn) make(ctx context.Context, m Maker) (*rundir.Run, error) {
	for attempt := 1; ; attempt++ {
		dir := t.dir
		if attempt > 1 {
			dir += "-again" + strconv.Itoa(attempt-1)
		}
		code, err := m.Make(ctx, append(slices.Clone(t.args), "--run-dir", dir, "--quiet"), false)
		switch {
		case err != nil:
			return nil, err
		case code == exitcode.Pass, code == exitcode.Breached, code == exitcode.Regression:
			return rundir.Open(dir)
		case code == exitcode.Invalid && attempt < mostAttempts:
			m.Say(fmt.Sprintf("the run in %s is INVALID: once more", dir))
		default:
			return nil, exitcode.With(code, fmt.Errorf("the %s run in %s ended with exit code %d and cannot be compared\n  next: perfctl report %s", t.side, dir, code, dir))
		}
	}
}
