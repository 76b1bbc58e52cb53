package rundir

import (
	"errors"
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
