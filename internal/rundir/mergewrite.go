package rundir

import (
	"errors"
	"fmt"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

// writeMerged writes the merged run's directory. What is missing is noted before what was
// left out without a loss, for the first note is why the run is incomplete.
func writeMerged(shards []*shard, info *RunInfo, copies []string, added []Addition, out string) (err error) {
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
	sum := newSum(info, shards)
	for i := 0; i <= last && elapsed > 0; i++ {
		snap := metrics.Snapshot{Number: i, Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second, Last: i == last}
		if snap.Last {
			snap.End = max(elapsed, snap.Start)
		}
		snap.At = info.Started.Add(snap.End)
		for _, s := range shards {
			sum.add(s, i, &snap)
		}
		sum.addMore(added, i, last, info.Started)
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
	info.Merged.Notes = append(info.Merged.Notes, copies...)
	if err := mergeExemplars(shards, info, out); err != nil {
		return err
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
