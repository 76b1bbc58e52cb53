package rundir

import (
	"errors"
	"github.com/perfctl/perfctl/internal/metrics"
	"os"
)

// Redirect makes the writer write its logs to another file.
func Redirect(w *Writer, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	g, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = errors.Join(w.log.Close(), w.series.Close())
	w.log, w.series = f, g
	return err
}

// Meaning is what a metric of that name is where run.json does not say it.
func Meaning(name string) (role metrics.Role, part string, known bool) {
	m, known := meanings[name]
	return m.role, m.part, known
}
