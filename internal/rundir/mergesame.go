package rundir

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// sameRun says in what b is not another shard of the run that a is of.
func sameRun(a, b *Run) error {
	x, y := &a.Info, &b.Info
	differ := func(what string, v, w any) error {
		return fmt.Errorf("%s and %s are not of one run: %s %v and %v", a.Dir, b.Dir, what, v, w)
	}
	switch {
	case x.ID != y.ID:
		return differ("ids", x.ID, y.ID)
	case x.Profile != y.Profile:
		return differ("profiles", x.Profile, y.Profile)
	case x.Seed != y.Seed:
		return differ("seeds", x.Seed, y.Seed)
	case x.Version != y.Version:
		return differ("versions of perfctl", x.Version, y.Version)
	case max(x.MaxInFlight-y.MaxInFlight, y.MaxInFlight-x.MaxInFlight) > 1: // each has its part
		return differ("bounds (-u)", x.MaxInFlight, y.MaxInFlight)
	case x.Tolerance != y.Tolerance:
		return differ("tolerances in seconds", x.Tolerance, y.Tolerance)
	case x.Process != y.Process:
		return differ("arrival processes", x.Process, y.Process)
	case x.Shards != y.Shards:
		return differ("numbers of shards", x.Shards, y.Shards)
	case y.Shard < 0 || y.Shard >= y.Shards:
		return fmt.Errorf("%s is shard %d of %d, which cannot be", b.Dir, y.Shard, y.Shards)
	case !slices.Equal(x.Scenarios, y.Scenarios):
		return differ("scenarios", x.Scenarios, y.Scenarios)
	case !slices.EqualFunc(x.Stages, y.Stages, func(p, q StageInfo) bool {
		p.Planned, q.Planned = 0, 0 // each shard's own
		return reflect.DeepEqual(p, q)
	}):
		return fmt.Errorf("%s and %s are not of one run: their stages differ: %s and %s", a.Dir, b.Dir, stagesText(x), stagesText(y))
	}
	if name, v, w, differs := differingSetting(x.Settings, y.Settings); differs {
		return fmt.Errorf("shard %d in %s and shard %d in %s are not of one run: %s is %q and %q", x.Shard, a.Dir, y.Shard, b.Dir, name, v, w)
	}
	if x.Schedule != y.Schedule && x.Schedule != "" && y.Schedule != "" {
		return differ("fingerprints of the schedules", x.Schedule, y.Schedule)
	}
	return nil
}

// ofOneShard are the settings that are a shard's own; all others are the run's.
var ofOneShard = map[string]bool{
	"--shard": true, "--run-dir": true, "--out": true, "--watch": true, "--barrier": true, "--barrier-timeout": true, "--env-file": true, "--log-format": true,
	"--verbose": true, "--no-color": true, "--tag": true, "--start-at": true,
}

// OfOneShard says whether a setting may differ from shard to shard of a run: where its
// files are, what it watches on its machine.
func OfOneShard(name string) bool { return ofOneShard[name] }

// differingSetting returns the first setting in which two shards differ. A setting that
// one of them does not know is left to the versions.
func differingSetting(a, b []Setting) (name, inA, inB string, differ bool) {
	other := make(map[string]string, len(b))
	for _, s := range b {
		other[s.Name] = s.Value
	}
	for _, s := range a {
		if v, known := other[s.Name]; known && v != s.Value && !OfOneShard(s.Name) {
			return s.Name, s.Value, v, true
		}
	}
	return "", "", "", false
}

// stagesText tells stages in few words.
func stagesText(i *RunInfo) string {
	var out []string
	for _, s := range i.Stages {
		out = append(out, fmt.Sprintf("%s %gs %g→%g/s", s.Name, s.Duration, s.From, s.To))
	}
	return strings.Join(out, ", ")
}
