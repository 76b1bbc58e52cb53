package retention_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/retention"
	"github.com/perfctl/perfctl/internal/rundir"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// runs makes a folder with a run for each day before now, and returns it.
func runs(t *testing.T, days int, tags func(day int) map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for d := range days {
		dir := filepath.Join(folder, fmt.Sprintf("day-%02d", d))
		w, err := rundir.Create(dir, rundir.RunInfo{ID: fmt.Sprint(d), Profile: "load", Shards: 1, Started: now.AddDate(0, 0, -d), Tags: tags(d)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		write(t, dir, rundir.SummaryFile, `{"schema":1,"verdict":"pass"}`)
		write(t, dir, "report.html", "<html>")
	}
	return folder
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// gone returns the days whose runs a policy lets go.
func gone(t *testing.T, folder string, p retention.Policy) (days []string) {
	t.Helper()
	dirs, err := rundir.Dirs(folder)
	if err != nil {
		t.Fatal(err)
	}
	all, err := retention.Choose(dirs, p, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Because == "" {
			t.Errorf("%s: nothing says why", c.Dir)
		}
		if c.Remove {
			days = append(days, filepath.Base(c.Dir)[len("day-"):])
		}
	}
	return days
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v go, want %v", what, got, want)
	}
}

func TestWhatGoesIsOldAndMany(t *testing.T) {
	folder := runs(t, 6, func(d int) map[string]string { return map[string]string{"branch": []string{"main", "feature"}[d%2]} })
	same(t, "all but three", gone(t, folder, retention.Policy{Keep: 3}), "03", "04", "05")
	same(t, "older than four days", gone(t, folder, retention.Policy{Keep: -1, OlderThan: 4 * 24 * time.Hour}), "04", "05")
	same(t, "both", gone(t, folder, retention.Policy{Keep: 5, OlderThan: 3 * 24 * time.Hour}), "05")
	same(t, "of a branch all but one", gone(t, folder, retention.Policy{Keep: 1, Tags: map[string]string{"branch": "feature"}}), "03", "05")
}

func TestWhatStaysWhateverThePolicy(t *testing.T) {
	folder := runs(t, 6, func(d int) map[string]string {
		if d == 5 {
			return map[string]string{retention.BaselineTag: "yes"}
		}
		return nil
	})
	day := func(d int) string { return filepath.Join(folder, fmt.Sprintf("day-%02d", d)) }
	write(t, day(0), rundir.SummaryFile, `{"schema":1,"verdict":"pass","comparison":{"base":["elsewhere/day-02"]}}`)
	write(t, day(2), rundir.SummaryFile, `{"schema":1,"verdict":"pass","comparison":{"base":["elsewhere/day-04"]}}`)
	write(t, day(3), "notes.txt", "mine")
	same(t, "all but the newest", gone(t, folder, retention.Policy{Keep: 1}), "01")
	// One that has no summary and was just written may be going on.
	if err := os.Remove(filepath.Join(day(1), rundir.SummaryFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(day(1), rundir.SeriesFile), now, now); err != nil {
		t.Fatal(err)
	}
	same(t, "one that goes on", gone(t, folder, retention.Policy{Keep: 1}))
}

// Only what a run wrote is removed, and a folder that a link leads to never.
func TestDeleteTouchesNothingElse(t *testing.T) {
	folder := runs(t, 2, func(int) map[string]string { return nil })
	dir := filepath.Join(folder, "day-01")
	c := retention.Choice{Dir: dir}
	write(t, dir, "mine.txt", "mine")
	if err := c.Delete(); err == nil {
		t.Error("a folder with another file was removed")
	}
	if _, err := os.Stat(filepath.Join(dir, rundir.InfoFile)); err != nil {
		t.Errorf("the run is gone: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "mine.txt")); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if err := (&retention.Choice{Dir: link}).Delete(); err == nil {
		t.Error("what a link leads to was removed")
	}
	if err := c.Delete(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is there: %v", err)
	}
}
