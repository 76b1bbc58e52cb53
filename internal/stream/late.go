package stream

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// lateFile is a file that keeps what it holds until something is there to take its
// place: a run that does not come to its first second leaves it as it was.
type lateFile struct {
	*os.File
	// made says that there was no such file.
	made    bool
	written bool
}

// openLate opens a file for writing; what cannot be written is an error now.
func openLate(path string) (*lateFile, error) {
	_, err := os.Lstat(path)
	l := &lateFile{made: errors.Is(err, fs.ErrNotExist)}
	// Non-blocking, so that a pipe that nobody reads is an error now and not a run
	// that never starts.
	l.File, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|syscall.O_NONBLOCK, 0o644)
	return l, err
}

// Write writes to the file, the first time in place of what it held.
func (l *lateFile) Write(p []byte) (int, error) {
	if !l.written {
		if err := l.empty(); err != nil {
			return 0, err
		}
		l.written = true
	}
	return l.File.Write(p)
}

// empty removes what the file held; a pipe or a device holds nothing.
func (l *lateFile) empty() error {
	info, err := l.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	return l.Truncate(0)
}

// Close closes the file, and removes one that was made and never written.
func (l *lateFile) Close() error {
	err := l.File.Close()
	if l.made && !l.written {
		err = errors.Join(err, os.Remove(l.Name()))
	}
	return err
}
