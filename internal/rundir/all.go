package rundir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
			_, err := Open(dir) // says what is wrong with it
			return nil, errors.Join(err, fmt.Errorf("%s is not a run directory and holds none", dir))
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
