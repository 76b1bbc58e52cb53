package rundir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Replace writes a file so that a reader finds the old content or the new one, never a
// part of it, and keeps its mode. What is no regular file, as a pipe or a terminal, and a
// file in a folder that takes no others are written as they are.
func Replace(path string, text []byte) (err error) {
	mode := os.FileMode(0o644)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if info, err := os.Stat(path); err == nil {
		if mode = info.Mode().Perm(); !info.Mode().IsRegular() {
			return os.WriteFile(path, text, mode)
		}
	}
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if errors.Is(err, os.ErrPermission) {
		return os.WriteFile(path, text, mode)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), removeLeftover(tmp))
		}
	}()
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
