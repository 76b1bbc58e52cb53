package rundir

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Dirs returns the run directories that a word names: one, several with commas between,
// or those in a folder.
func Dirs(word string) (out []string, err error) {
	for _, dir := range strings.Split(word, ",") {
		if _, err := os.Stat(filepath.Join(dir, InfoFile)); err == nil {
			out = append(out, dir)
			continue
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("open the runs in %s: %w", dir, err)
		}
		before := len(out)
		for _, e := range entries {
			if _, err := os.Stat(filepath.Join(dir, e.Name(), InfoFile)); err == nil {
				out = append(out, filepath.Join(dir, e.Name()))
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("%s holds no run: neither it nor a folder in it has a %s", dir, InfoFile)
		}
	}
	return out, nil
}

// OpenAll opens the runs that a word names, as Dirs says.
func OpenAll(word string) (out []*Run, err error) {
	dirs, err := Dirs(word)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		r, err := Open(dir)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}
