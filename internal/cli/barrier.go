package cli

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/meeting"
	"github.com/perfctl/perfctl/internal/run"
	"github.com/perfctl/perfctl/internal/secrets"
)

// barrierFlags say where the shards of a run meet.
type barrierFlags struct {
	barrier  string
	patience time.Duration
}

// defaultPatience is how long the shards of a run wait for each other to come.
const defaultPatience = time.Minute

func (f *barrierFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.barrier, "barrier", "", "meet the other shards of the run in `DIR`, a folder that all of them see, or at tcp://HOST:PORT, where shard 0 waits for them (default for shards that share tables, keys or a queue: one in the temporary folder of this machine)")
	fs.DurationVar(&f.patience, "barrier-timeout", defaultPatience, "how long the other shards may take to come to the barrier")
}

// meet has the shards of a run meet, where one is to be run that shares something with
// the others, or where that was asked for.
func (f *barrierFlags) meet(ctx context.Context, p *run.Plan, id string, env *run.Environment) (leave func(), err error) {
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
	o := meeting.Options{Run: id, Shard: shard, Shards: shards, Patience: max(f.patience, time.Until(p.StartAt()))}
	d, err := f.place(ctx, p, o, env.Observer)
	if err != nil {
		return nil, err
	}
	env.Meeting = d
	show := env.Observer
	return func() {
		if err := d.Close(); err != nil {
			show.Warn(fmt.Sprintf("warning: leave the barrier: %v", err))
		}
	}, nil
}

// place opens the place at which the shards meet.
func (f *barrierFlags) place(ctx context.Context, p *run.Plan, o meeting.Options, show run.Observer) (*meeting.Place, error) {
	if scheme, _, ok := strings.Cut(f.barrier, "://"); ok {
		u, err := url.Parse(f.barrier)
		if err != nil || scheme != "tcp" || u.Hostname() == "" || u.Port() == "" || u.User != nil || strings.Trim(u.Path, "/")+u.RawQuery != "" {
			return nil, exitcode.UsageError("--barrier %s: want a folder, or tcp://HOST:PORT", secrets.Text(f.barrier))
		}
		key, err := p.CheckMeeting(ctx, u)
		if err != nil {
			return nil, err
		}
		d, err := meeting.AtAddress(ctx, meeting.Network{Address: u.Host, Key: key, Dial: p.Dial, Listen: (&net.ListenConfig{}).Listen, Say: show.Say}, o)
		return d, exitcode.With(exitcode.Unreachable, err)
	}
	dir := f.barrier
	if dir == "" {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("perfctl-%d", os.Getuid()))
	}
	d, err := meeting.InDir(dir, o)
	if err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	return d, nil
}
