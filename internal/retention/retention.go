// Package retention chooses which old run directories may go, and removes them. It knows
// no flag and no terminal, and touches nothing that is not a run directory through and
// through.
package retention

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// BaselineTag is the label of runs that are kept whatever their age.
const BaselineTag = "baseline"

// Policy is which runs may go: those that all of it says.
type Policy struct {
	// Keep is how many runs of each profile stay, the newest ones; below 0 for no such
	// bound.
	Keep int
	// OlderThan is how old a run is at least that goes; 0 for any age.
	OlderThan time.Duration
	// Tags are labels that a run has to have, by name.
	Tags map[string]string
}

// Choice is what becomes of a run.
type Choice struct {
	Dir     string            `json:"dir"`
	Profile string            `json:"profile"`
	Started time.Time         `json:"started"`
	Tags    map[string]string `json:"tags,omitempty"`
	// Remove says that it may go, Because why, or why it stays.
	Remove  bool   `json:"remove"`
	Because string `json:"because"`
	// Bytes is what its files take.
	Bytes int64 `json:"bytes"`

	bases []string
}

// files are those that a run directory may hold, run.json last: as long as there is
// anything to remove, it can be told that it was one.
var files = []string{rundir.LogFile, rundir.SeriesFile, rundir.SummaryFile, exemplars.File, exemplars.EvidenceFile, "report.html", rundir.InfoFile}

// goingFor is how recently a run without a summary was written that may be going on.
const goingFor = 10 * time.Minute

// Choose says of each run directory whether it may go by a policy, the newest first. Runs
// that one that stays was compared with stay, too, and so do those that are labelled as
// baselines, those that may be going on, and folders that hold anything else.
func Choose(dirs []string, p Policy, now time.Time) ([]Choice, error) {
	var all []Choice
	for _, dir := range dirs {
		r, err := rundir.OpenHead(dir)
		if err != nil {
			return nil, err
		}
		c := Choice{Dir: dir, Profile: r.Info.Profile, Started: r.Info.Started, Tags: r.Info.Tags}
		c.bases = basesOf(r)
		c.judge(r, p, now)
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b Choice) int { return b.Started.Compare(a.Started) })
	newest := map[string]int{}
	for i := range all {
		c := &all[i]
		if !tagged(c.Tags, p.Tags) {
			continue
		}
		if newest[c.Profile]++; c.Remove && newest[c.Profile] <= p.Keep {
			c.Remove, c.Because = false, fmt.Sprintf("one of the newest %d of %s", p.Keep, c.Profile)
		}
	}
	keepBases(all)
	return all, nil
}

// judge decides by what the run is, without the others.
func (c *Choice) judge(r *rundir.Run, p Policy, now time.Time) {
	other, size, last := contents(c.Dir)
	c.Bytes = size
	_, isBase := c.Tags[BaselineTag]
	switch age := now.Sub(c.Started); {
	case !tagged(c.Tags, p.Tags):
		c.Because = "has other labels"
	case isBase:
		c.Because = "is labelled " + BaselineTag
	case other != "":
		c.Because = "holds " + other + ", which no run wrote"
	case c.Started.IsZero():
		c.Because = "does not say when it began"
	case r.Killed && now.Sub(last) < goingFor:
		c.Because = "may be going on"
	case age < p.OlderThan:
		c.Because = "is younger"
	default:
		c.Remove, c.Because = true, fmt.Sprintf("%d days old", int(age.Hours()/24))
	}
}

func tagged(has, want map[string]string) bool {
	for name, v := range want {
		if got, ok := has[name]; !ok || got != v {
			return false
		}
	}
	return true
}

// contents returns a name in a folder that no run wrote, empty for none, the size of all
// files, and when the last of them was written.
func contents(dir string) (other string, size int64, last time.Time) {
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return "a link to elsewhere", 0, last
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "what cannot be read", 0, last
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !slices.Contains(files, e.Name()) {
			other = cmp.Or(other, e.Name())
			continue
		}
		size += info.Size()
		if info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return other, size, last
}

// basesOf returns the runs that a run was compared with.
func basesOf(r *rundir.Run) []string {
	var s struct {
		Comparison struct {
			Base []string `json:"base"`
		} `json:"comparison"`
	}
	if r.Outcome == nil || json.Unmarshal(r.Outcome.Text, &s) != nil {
		return nil
	}
	return s.Comparison.Base
}

// keepBases keeps what a run that stays was compared with, and what that was. Folders are
// told by their last names: the run may have been made elsewhere.
func keepBases(all []Choice) {
	for changed := true; changed; {
		changed = false
		for _, c := range all {
			if c.Remove {
				continue
			}
			for _, base := range c.bases {
				i := slices.IndexFunc(all, func(o Choice) bool { return o.Remove && filepath.Base(o.Dir) == filepath.Base(base) })
				if i >= 0 {
					all[i].Remove, all[i].Because, changed = false, "is the baseline of "+c.Dir, true
				}
			}
		}
	}
}

// Delete removes a run directory: the files that a run wrote, then the folder. Whatever
// came into it meanwhile stays, and is an error.
func (c *Choice) Delete() error {
	if other, _, _ := contents(c.Dir); other != "" {
		return fmt.Errorf("remove %s: it holds %s, which no run wrote", c.Dir, other)
	}
	for _, file := range files {
		if err := os.Remove(filepath.Join(c.Dir, file)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove a run: %w", err)
		}
	}
	if err := os.Remove(c.Dir); err != nil {
		return fmt.Errorf("remove a run: %w", err)
	}
	return nil
}
