package run

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/meeting"
	"github.com/perfctl/perfctl/internal/secrets"
)

// Barrier is where the shards of a run meet.
type Barrier struct {
	// Where is a folder that all of them see, or tcp://HOST:PORT; empty for Folder, where
	// they have to meet.
	Where string
	// Folder is one of this machine.
	Folder string
	// Patience is how long the others may take to come.
	Patience time.Duration
	// ID is the identity that they were given; empty for none.
	ID string
}

// Meet has the shards of a run meet, where one is to be run that shares something with
// the others, or where that was asked for. leave ends the meeting.
func (p *Plan) Meet(ctx context.Context, b Barrier, env *Environment) (leave func(), err error) {
	shard, shards := p.Shard()
	switch {
	case shards < 2 && b.Where != "":
		return nil, exitcode.UsageError("--barrier is where the shards of a run meet: give --shard I/N, too")
	case shards < 2, b.Where == "" && p.Shared() == "":
		return func() {}, nil
	case b.ID == "":
		what := "meet at one --barrier"
		if b.Where == "" {
			what = "share " + p.Shared()
		}
		return nil, exitcode.UsageError("--shard %d/%d: the shards of this run %s\n  next: give all of them one --run-id, as in --run-id nightly-7", shard, shards, what)
	}
	o := meeting.Options{Run: b.ID, Shard: shard, Shards: shards, Patience: max(b.Patience, time.Until(p.StartAt()))}
	d, err := p.place(ctx, b, o, env.Observer)
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
func (p *Plan) place(ctx context.Context, b Barrier, o meeting.Options, show Observer) (*meeting.Place, error) {
	if scheme, _, ok := strings.Cut(b.Where, "://"); ok {
		u, err := url.Parse(b.Where)
		if err != nil || scheme != "tcp" || u.Hostname() == "" || u.Port() == "" || u.User != nil || strings.Trim(u.Path, "/")+u.RawQuery != "" {
			return nil, exitcode.UsageError("--barrier %s: want a folder, or tcp://HOST:PORT", secrets.Text(b.Where))
		}
		key, err := p.CheckMeeting(ctx, u)
		if err != nil {
			return nil, err
		}
		d, err := meeting.AtAddress(ctx, meeting.Network{Address: u.Host, Key: key, Dial: p.Dial, Listen: (&net.ListenConfig{}).Listen, Say: show.Say}, o)
		return d, exitcode.With(exitcode.Unreachable, err)
	}
	dir := b.Where
	if dir == "" {
		dir = b.Folder
	}
	d, err := meeting.InDir(dir, o)
	if err != nil {
		return nil, exitcode.UsageError("%w", err)
	}
	return d, nil
}
