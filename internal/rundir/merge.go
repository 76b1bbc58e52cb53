package rundir

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
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
