//go:build unix

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// inForeground says whether the terminal is this program's to set: changing it from
// the background would stop the program.
func inForeground(f *os.File) bool {
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
