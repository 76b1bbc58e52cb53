package flags

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/retention"
)

// Prune are the flags of prune.
type Prune struct {
	// Yes is whether runs are really removed.
	Yes, JSON bool

	keep      int
	olderThan string
	tags      []string
}

// Register makes the flags.
func (f *Prune) Register(fs *pflag.FlagSet) {
	fs.IntVar(&f.keep, "keep", 0, "keep the newest `N` runs of each profile")
	fs.StringVar(&f.olderThan, "older-than", "", "remove only what is older than this `AGE`, as in 30d or 12h")
	fs.StringArrayVar(&f.tags, "tag", nil, "look only at runs with this label, as in `NAME=VALUE` (repeatable)")
	fs.BoolVar(&f.Yes, "yes", false, "really remove them")
	fs.BoolVar(&f.JSON, "json", false, "print what becomes of each run as JSON")
}

// Policy reads the flags.
func (f *Prune) Policy(fs *pflag.FlagSet) (p retention.Policy, err error) {
	keep := fs.Changed("keep")
	p = retention.Policy{Keep: -1, Tags: map[string]string{}}
	if keep {
		p.Keep = f.keep
	}
	switch {
	case !keep && f.olderThan == "":
		return p, exitcode.UsageError("prune needs --keep or --older-than\n  next: perfctl prune RUNS --keep 20 says which runs would go")
	case keep && f.keep < 0:
		return p, exitcode.UsageError("--keep %d: want 0 or more", f.keep)
	}
	if f.olderThan != "" {
		if p.OlderThan, err = age(f.olderThan); err != nil {
			return p, err
		}
	}
	for _, t := range f.tags {
		name, value, ok := strings.Cut(t, "=")
		if !ok || name == "" {
			return p, exitcode.UsageError("--tag %q: want NAME=VALUE, as in env=staging", t)
		}
		p.Tags[name] = value
	}
	return p, nil
}

// age reads a length of time that may be in days.
func age(text string) (time.Duration, error) {
	var days int
	if _, err := fmt.Sscanf(text, "%dd", &days); err == nil && fmt.Sprintf("%dd", days) == text && days >= 0 {
		return time.Duration(days) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, exitcode.UsageError("--older-than %q: want an age, as in 30d or 12h", text)
	}
	return d, nil
}
