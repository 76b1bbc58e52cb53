package compare

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/rundir"
)

// An index says what the run directories say, whatever happened to them since it was
// written, and a damaged one is as good as none.
func TestAnIndexSaysWhatTheRunsSay(t *testing.T) {
	folder := t.TempDir()
	runs := pastRuns(t, append(times(leastIndexed, system{}), times(5, system{failing: 0.05})...)...)
	for _, r := range runs {
		if err := os.Rename(r.Dir, filepath.Join(folder, filepath.Base(r.Dir))); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string) {
		t.Helper()
		opened, err := rundir.OpenAll(folder)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Histories(opened, Options{})
		if err != nil {
			t.Fatal(err)
		}
		dirs, err := rundir.Dirs(folder)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := ReadKept(dirs)
		if err != nil {
			t.Fatal(err)
		}
		got, err := HistoriesOf(kept, "", Options{})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", when, d)
		}
	}
	file := filepath.Join(folder, IndexFile)
	check("without an index")
	if len(readIndex(file).Runs) != len(runs) {
		t.Fatal("no index was written")
	}
	check("with one")
	dirs, err := rundir.Dirs(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dirs[3]); err != nil {
		t.Fatal(err)
	}
	check("a run was removed")
	summary := filepath.Join(dirs[5], rundir.SummaryFile)
	if err := os.WriteFile(summary, []byte(`{"schema":1,"verdict":"fail","exit_code":99}`), 0o600); err != nil {
		t.Fatal(err)
	}
	check("a run was changed")
	if got := readIndex(file); len(got.Runs) != len(runs)-1 {
		t.Errorf("the index holds %d runs", len(got.Runs))
	}
	if err := os.WriteFile(file, []byte("not an index"), 0o600); err != nil {
		t.Fatal(err)
	}
	check("the index is damaged")
	if err := os.Chtimes(summary, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	check("a run is older than it was")
}

// Runs of one load are told apart by a label.
func TestHistoriesByALabel(t *testing.T) {
	var all []*Kept
	for i, r := range pastRuns(t, times(4, system{})...) {
		r.Info.Started = r.Info.Started.Add(time.Duration(i) * time.Hour)
		r.Info.Tags = map[string]string{"branch": []string{"main", "feature"}[i%2]}
		k, err := keep(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	got, err := HistoriesOf(all, "branch", Options{})
	if err != nil || len(got) != 2 || got[0].Tag != "branch=feature" || got[1].Tag != "branch=main" || len(got[0].Runs) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if n := len(Tagged(all, "branch", "main")); n != 2 {
		t.Errorf("%d runs have the label", n)
	}
}
