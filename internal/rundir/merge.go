package rundir

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Merge makes one run directory of those of all shards of a run. Histograms,
// counters and rates of the same series add up, second by second; gauges stand
// side by side, told apart by the shard in their operation tag. It returns the
// merged run, which has no summary yet, and the shards in their order, without
// their series' histograms. Folders that are not the shards of one run, each of
// them once, are an error.
func Merge(dirs []string, out string) (whole *Run, parts []*Run, err error) {
	shards := make([]*shard, 0, len(dirs))
	for _, dir := range dirs {
		r, err := openReader(dir)
		if err != nil {
			return nil, nil, err
		}
		r.finish()
		shards = append(shards, &shard{reader: r, cursor: map[*Line]int{}})
	}
	info, err := mergeInfo(shards)
	if err != nil {
		return nil, nil, err
	}
	if err := writeMerged(shards, info, out); err != nil {
		return nil, nil, err
	}
	run, err := Open(out)
	if err != nil {
		return nil, nil, err
	}
	// That there is no summary yet is no loss.
	run.Killed = false
	run.Incomplete = info.Merged.Incomplete
	run.Notes = slices.Clone(info.Merged.Notes)
	for _, s := range shards {
		parts = append(parts, s.run)
	}
	return run, parts, nil
}

// shard is a run directory that is being merged.
type shard struct {
	*reader
	log *logReader
	// cursor is the index of each line's next point, and held the interval that
	// was read from the log and is of a later second.
	cursor map[*Line]int
	held   struct {
		line   *Line
		second int
		hist   *metrics.Hist
	}
}

// mergeInfo checks that the folders are the shards of one run, puts them in
// order and returns the run.json of the whole.
func mergeInfo(shards []*shard) (*RunInfo, error) {
	if len(shards) == 0 {
		return nil, errors.New("merge: no run directory given")
	}
	first := &shards[0].run.Info
	if first.Shards < 2 {
		return nil, fmt.Errorf("%s holds a whole run, not a shard", shards[0].run.Dir)
	}
	seen := map[int]string{}
	for _, s := range shards {
		if err := sameRun(shards[0].run, s.run); err != nil {
			return nil, err
		}
		n := s.run.Info.Shard
		if other, twice := seen[n]; twice {
			return nil, fmt.Errorf("%s and %s are both shard %d", other, s.run.Dir, n)
		}
		seen[n] = s.run.Dir
	}
	var missing []string
	for n := range min(first.Shards, len(shards)+20) {
		if _, ok := seen[n]; !ok {
			missing = append(missing, fmt.Sprint(n))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("the run has %d shards, of which these are missing: %s", first.Shards, strings.Join(missing, ", "))
	}
	slices.SortFunc(shards, func(a, b *shard) int { return a.run.Info.Shard - b.run.Info.Shard })
	return addInfos(shards), nil
}

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
		return p == q
	}):
		return fmt.Errorf("%s and %s are not of one run: their stages differ", a.Dir, b.Dir)
	}
	return nil
}

// addInfos returns the run.json of the whole: what was asked of the shards
// together; the machine and the versions are the first one's.
func addInfos(shards []*shard) *RunInfo {
	info := shards[0].run.Info
	info.Stages = slices.Clone(info.Stages)
	info.Merged = &MergeInfo{Shards: info.Shards}
	info.Shard, info.Shards = 0, 1
	known := map[string]bool{}
	info.Metrics = nil
	for i, s := range shards {
		other := &s.run.Info
		if i > 0 {
			info.Planned += other.Planned
			info.MaxInFlight += other.MaxInFlight
			for k := range info.Stages {
				info.Stages[k].Planned += other.Stages[k].Planned
			}
		}
		for _, name := range sortedKeys(s.descs) {
			if !known[name] {
				known[name] = true
				info.Metrics = append(info.Metrics, infoOf(s.descs[name]))
			}
		}
		if apart := other.Started.Sub(info.Started).Abs(); apart > time.Second {
			info.Merged.Notes = append(info.Merged.Notes,
				fmt.Sprintf("shard %d started %s apart from shard %d", other.Shard, apart.Round(time.Millisecond), shards[0].run.Info.Shard))
		}
	}
	return &info
}

// writeMerged writes the merged run's directory.
func writeMerged(shards []*shard, info *RunInfo, out string) (err error) {
	descs := make([]metrics.Desc, len(info.Metrics))
	for i, m := range info.Metrics {
		descs[i] = m.desc()
	}
	w, err := Create(out, *info, descs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	last := 0
	var elapsed time.Duration
	for _, s := range shards {
		s.log = s.openLog()
		defer s.log.close()
		if n := len(s.run.Seconds); n > 0 {
			last = max(last, bin(s.run.Seconds[n-1].Start))
		}
		elapsed = max(elapsed, s.run.Elapsed)
	}
	sum := newSum(info)
	for i := 0; i <= last && elapsed > 0; i++ {
		snap := metrics.Snapshot{Number: i, Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second, Last: i == last}
		if snap.Last {
			snap.End = max(elapsed, snap.Start)
		}
		snap.At = info.Started.Add(snap.End)
		for _, s := range shards {
			sum.add(s, i, &snap)
		}
		sum.finish(&snap)
		w.Snapshot(&snap)
		sum.reset()
		if err := w.Err(); err != nil {
			return err
		}
	}
	for _, s := range shards {
		s.takeLog(last+1, func(int, *Line, *metrics.Hist) {})
		s.missing()
		for _, n := range s.run.Notes {
			info.Merged.Notes = append(info.Merged.Notes, fmt.Sprintf("shard %d: %s", s.run.Info.Shard, n))
		}
		info.Merged.Incomplete = info.Merged.Incomplete || s.run.Incomplete
	}
	return writeInfo(out, info)
}

// bin returns the full second that an interval began in. Snapshots are taken
// just after full seconds, so that the intervals of all shards fall into line.
func bin(start time.Duration) int { return int(start / time.Second) }

// takeLog calls f with the intervals of the log up to the given full second.
func (s *shard) takeLog(upTo int, f func(second int, l *Line, h *metrics.Hist)) {
	for {
		if s.held.line == nil {
			l, point, h, ok := s.log.next()
			if !ok {
				return
			}
			s.held.line, s.held.second, s.held.hist = l, l.At[point], h
		}
		if bin(s.run.Seconds[s.held.second].Start) > upTo {
			return
		}
		f(s.held.second, s.held.line, s.held.hist)
		s.held.line = nil
	}
}
