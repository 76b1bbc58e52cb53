package outputs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/perfctl/perfctl/internal/exitcode"
)

// Check refuses files that views of the run could not be written to, before
// the run is made. It leaves what they hold alone.
func Check(views []Output) error {
	var errs []error
	for _, v := range views {
		if err := checkFile(v.Where); err != nil {
			errs = append(errs, fmt.Errorf("--out %s: %w", v, err))
		}
	}
	return exitcode.ConfigError(errors.Join(errs...))
}

// checkFile says why a file could not be written. "-" is stdout.
func checkFile(path string) error {
	if path == "-" {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return checkFolder(filepath.Dir(path))
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder\n  next: name a file in it", path)
	}
	// Opening it would tell the reader of a pipe that it is over.
	if err := unix.Access(path, unix.W_OK); err != nil {
		return fmt.Errorf("%s cannot be written: %w\n  next: choose another file", path, err)
	}
	return nil
}

// checkFolder says why no file could be made in a folder.
func checkFolder(dir string) error {
	_, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no folder %s\n  next: mkdir -p %s", dir, dir)
	case err != nil:
		return err
	}
	f, err := os.CreateTemp(dir, ".perfctl-*")
	if err != nil {
		return fmt.Errorf("no file can be made in %s: %w\n  next: choose another folder", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
