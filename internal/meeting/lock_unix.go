//go:build unix

package meeting

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// canLock says whether a file's lock tells that a process lives.
const canLock = true

// lockFile takes the lock of an open file, until it is closed; free is false where
// another has it.
func lockFile(f *os.File) (free bool, err error) {
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, err
		}
	}
}
