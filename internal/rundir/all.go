package rundir

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// OpenAll opens the runs that a word names: a run directory, several with commas
// between, or a folder that holds some.
func OpenAll(word string) (out []*Run, err error) {
	for _, dir := range strings.Split(word, ",") {
		if _, err := os.Stat(filepath.Join(dir, InfoFile)); err == nil {
			r, err := Open(dir)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
			continue
		}
		inside, _ := filepath.Glob(filepath.Join(dir, "*", InfoFile))
		if len(inside) == 0 {
			if _, err := os.Stat(dir); err != nil {
				return nil, fmt.Errorf("open the runs in %s: %w", dir, err)
			}
			return nil, fmt.Errorf("%s holds no run: neither it nor a folder in it has a %s", dir, InfoFile)
		}
		for _, file := range inside {
			r, err := Open(filepath.Dir(file))
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// Tagged returns those of the runs that have a label.
func Tagged(runs []*Run, name, value string) []*Run {
	return slices.DeleteFunc(slices.Clone(runs), func(r *Run) bool {
		v, has := r.Info.Tags[name]
		return !has || v != value
	})
}
