package rundir_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
)

// TestWhatIsGatheredWhileARunGoesOnIsWhatMergingGives feeds the files of shards in pieces
// of any length, each file in its order.
func TestWhatIsGatheredWhileARunGoesOnIsWhatMergingGives(t *testing.T) {
	base := t.TempDir()
	var dirs []string
	files := map[int]map[string][]byte{}
	for i := range 3 {
		info := rundirtest.Info()
		info.Shard, info.Shards = i, 3
		dir := filepath.Join(base, fmt.Sprint(i))
		rundirtest.RecordAs(t, dir, info, uint64(i))
		dirs = append(dirs, dir)
		files[i] = map[string][]byte{}
		for _, name := range []string{rundir.InfoFile, rundir.LogFile, rundir.SeriesFile} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			files[i][name] = text
		}
	}
	var stages []string
	for _, s := range rundirtest.Info().Stages {
		stages = append(stages, s.Name)
	}
	g := rundir.NewGather(3, stages, rundirtest.Started)
	got := metrics.NewTotals()
	seconds, last := 0, false
	take := func(s *metrics.Snapshot) {
		if s.Number != seconds || last {
			t.Errorf("second %d after %d, last %v", s.Number, seconds, last)
		}
		seconds, last = seconds+1, s.Last
		got.Add(s)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 3 { // what a run is, and all of the log's first half
		g.Take(i, rundir.InfoFile, files[i][rundir.InfoFile][:100])
		g.Take(i, rundir.InfoFile, files[i][rundir.InfoFile][100:])
		g.Take(i, rundir.LogFile, files[i][rundir.LogFile])
	}
	for left := 3; left > 0; {
		i := random.IntN(3)
		text := files[i][rundir.SeriesFile]
		if len(text) == 0 {
			continue
		}
		n := min(1+random.IntN(5000), len(text))
		g.Take(i, rundir.SeriesFile, text[:n])
		files[i][rundir.SeriesFile] = text[n:]
		if n == len(text) {
			left--
		}
		g.Deliver(false, take)
	}
	g.Deliver(true, take)
	if seconds == 0 {
		t.Fatal("nothing was delivered")
	}
	merged, _, err := rundir.Merge(dirs, filepath.Join(base, "whole"), nil)
	if err != nil {
		t.Fatal(err)
	}
	rundirtest.SameTotals(t, merged.Totals, got)
}
