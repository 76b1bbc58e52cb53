package rundir

import (
	"cmp"
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
// their series' histograms.
//
// It takes what is there: a shard that is missing, was late or killed, or cannot be
// read makes the whole incomplete, and of one that is there twice the fuller folder
// counts. Only folders that cannot be of one run are an error.
//
// more, where it is not nil, is asked for values that only the whole can tell, once it
// is clear which shards it is made of.
func Merge(dirs []string, out string, more func(parts []*Run) []Addition) (whole *Run, parts []*Run, err error) {
	shards := make([]*shard, 0, len(dirs))
	var unread []string
	for _, dir := range dirs {
		r, err := openReader(dir)
		if err == nil && r.run.Info.Schema == 0 {
			err = fmt.Errorf("%s: its %s is damaged", dir, InfoFile)
		}
		if err != nil {
			unread = append(unread, "left out: "+err.Error())
			continue
		}
		r.finish()
		shards = append(shards, &shard{reader: r, cursor: map[*Line]int{}})
	}
	if len(shards) == 0 {
		return nil, nil, errors.New(cmp.Or(strings.Join(unread, "; "), "merge: no run directory given"))
	}
	shards, info, copies, err := mergeInfo(shards)
	if err != nil {
		return nil, nil, err
	}
	info.Merged.Notes = append(unread, info.Merged.Notes...)
	for _, s := range shards {
		parts = append(parts, s.run)
	}
	var added []Addition
	if more != nil {
		added = more(parts)
	}
	if err := writeMerged(shards, info, copies, added, out); err != nil {
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
	return run, parts, nil
}

// Addition is what no shard recorded, because only all of them together tell it: a
// value of a trend, or what a counter counts besides.
type Addition struct {
	Series metrics.Series
	// At is when it was known; a zero one is the end.
	At    time.Time
	Value time.Duration
	Count int64
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

// mergeInfo checks that the folders are of one run, leaves one of each shard, puts
// them in order and returns the run.json of the whole, and what to say of folders that
// were left out without a loss.
func mergeInfo(shards []*shard) (kept []*shard, info *RunInfo, copies []string, err error) {
	first := shards[0].run
	if first.Info.Shards < 2 {
		return nil, nil, nil, fmt.Errorf("%s holds a whole run, not a shard", first.Dir)
	}
	for _, s := range shards {
		if err := sameRun(first, s.run); err != nil {
			return nil, nil, nil, err
		}
	}
	slices.SortStableFunc(shards, func(a, b *shard) int {
		return cmp.Or(a.run.Info.Shard-b.run.Info.Shard, b.fullness()-a.fullness())
	})
	var doubled []int
	var notes []string
	for _, s := range shards {
		n := s.run.Info.Shard
		last := len(kept) - 1
		if last < 0 || kept[last].run.Info.Shard != n {
			kept = append(kept, s)
			continue
		}
		switch other := kept[last].run; {
		case s.run.Info.Late > 0:
			copies = append(copies, fmt.Sprintf("%s is left out: it is shard %d as %s is, and was too late for its instant and sent nothing", s.run.Dir, n, other.Dir))
		case oneExecution(other, s.run):
			copies = append(copies, fmt.Sprintf("%s is left out: it is shard %d as %s is, of the same start", s.run.Dir, n, other.Dir))
		default:
			doubled = append(doubled, n)
			notes = append(notes, fmt.Sprintf("shard %d was run twice, in %s and in %s: its arrivals were offered twice; the former counts", n, other.Dir, s.run.Dir))
		}
	}
	info = addInfos(kept)
	info.Merged.Doubled = slices.Compact(doubled)
	info.Merged.Notes = append(notes, info.Merged.Notes...)
	return kept, info, copies, nil
}

// oneExecution says whether two folders of a shard are copies, cut or not, of what one
// process recorded. Two processes that were given one --start-at share that instant, but
// not the nanosecond at which the first second ended.
func oneExecution(a, b *Run) bool {
	return a.Info.Started.Equal(b.Info.Started) && len(a.Seconds) > 0 && len(b.Seconds) > 0 && a.Seconds[0].At.Equal(b.Seconds[0].At)
}

// fullness ranks folders of one shard: one that was late for its instant last, for it
// sent nothing, one with a summary before one without, then by how much was recorded.
func (s *shard) fullness() int {
	full := len(s.run.Seconds)
	switch {
	case s.run.Info.Late > 0:
		return -1
	case s.run.Outcome != nil:
		full += 1 << 32
	}
	return full
}

// addMissing notes the shards of which there is nothing. What they were to offer is
// as much as another shard, to one arrival of each stage.
func (info *RunInfo) addMissing(shards []*shard) {
	have := map[int]bool{}
	for _, s := range shards {
		have[s.run.Info.Shard] = true
	}
	first := &shards[0].run.Info
	for n := range first.Shards {
		if have[n] {
			continue
		}
		info.Merged.Missing = append(info.Merged.Missing, n)
		info.Planned += first.Planned
		for k := range info.Stages {
			info.Stages[k].Planned += first.Stages[k].Planned
		}
	}
	if m := info.Merged.Missing; len(m) > 0 {
		info.Merged.Incomplete = true
		text := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(m[:min(len(m), 20)])), ", "), "[]")
		if len(m) > 20 {
			text += fmt.Sprintf(" and %d more", len(m)-20)
		}
		info.Merged.Notes = append(info.Merged.Notes, fmt.Sprintf("of %d shards %d are missing: %s", first.Shards, len(m), text))
	}
}

// addStarts notes when each shard started.
func (info *RunInfo) addStarts(shards []*shard) {
	var first time.Time
	for _, s := range shards {
		if t := s.run.Info.Started; s.run.Info.Late == 0 && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	for _, s := range shards {
		i := &s.run.Info
		if i.Late > 0 {
			continue // it has a note of its own
		}
		apart := i.Started.Sub(first)
		info.Merged.Starts = append(info.Merged.Starts, ShardStart{Shard: i.Shard, Started: i.Started, Offset: float64(apart.Microseconds()) / 1e3})
		if apart > apartNoted {
			info.Merged.Notes = append(info.Merged.Notes, fmt.Sprintf("shard %d started %s after the first one", i.Shard, apart.Round(time.Millisecond)))
		}
	}
	if !first.IsZero() {
		info.Started = first
	}
}

// apartNoted is how far apart shards may start before it is said.
const apartNoted = 100 * time.Millisecond

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
		if i > 0 && (other.Table.Text != info.Table.Text || !slices.Equal(other.Rules, info.Rules) || other.Judging != info.Judging) {
			info.Merged.Notes = append(info.Merged.Notes, fmt.Sprintf("shard %d was given other rules than shard %d, by which the whole is judged", other.Shard, shards[0].run.Info.Shard))
		}
	}
	info.Late = 0
	info.addMissing(shards)
	info.addStarts(shards)
	return &info
}
