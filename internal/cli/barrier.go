package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/meeting"
	"github.com/perfctl/perfctl/internal/run"
)

// barrierFlags say where the shards of a run meet.
type barrierFlags struct {
	barrier  string
	patience time.Duration
}

// defaultPatience is how long the shards of a run wait for each other to come.
const defaultPatience = time.Minute

func (f *barrierFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.barrier, "barrier", "", "meet the other shards of the run in `DIR`, a folder that all of them see (default for shards that share tables, keys or a queue: one in the temporary folder of this machine)")
	fs.DurationVar(&f.patience, "barrier-timeout", defaultPatience, "how long the other shards may take to come to the barrier")
}

// meet has the shards of a run meet, where one is to be run that shares something with
// the others, or where that was asked for.
func (f *barrierFlags) meet(p *run.Plan, id string, env *run.Environment) (leave func(), err error) {
	shard, shards := p.Shard()
	switch {
	case shards < 2 && f.barrier != "":
		return nil, exitcode.UsageError("--barrier is where the shards of a run meet: give --shard I/N, too")
	case shards < 2, f.barrier == "" && p.Shared() == "":
		return func() {}, nil
	case id == "":
		what := "meet at one --barrier"
		if f.barrier == "" {
			what = "share " + p.Shared()
		}
		return nil, exitcode.UsageError("--shard %d/%d: the shards of this run %s\n  next: give all of them one --run-id, as in --run-id nightly-7", shard, shards, what)
	}
	o := meeting.Options{Dir: f.barrier, Run: id, Shard: shard, Shards: shards, Patience: max(f.patience, time.Until(p.StartAt()))}
	if o.Dir == "" {
		o.Dir = filepath.Join(os.TempDir(), fmt.Sprintf("perfctl-%d", os.Getuid()))
	}
	d, err := meeting.InDir(o)
	if err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	env.Meeting = d
	show := env.Observer
	return func() {
		if err := d.Close(); err != nil {
			show.Warn(fmt.Sprintf("warning: leave the barrier: %v", err))
		}
	}, nil
}
