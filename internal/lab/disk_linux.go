package lab

import (
	"errors"
	"fmt"
	"syscall"
)

// The options of the file systems: half of the memory at most, which is the kernel's
// own bound, and no more than what is written is used.
const (
	diskMode = "mode=0711"
	diskRoom = "size=50%," + diskMode
	// fillTries bounds how often it is tried to take the room away from a server that
	// goes on writing.
	fillTries = 100
)

// mountMemory mounts a file system in memory.
func mountMemory(path string) error {
	return syscall.Mount("perfctl-lab", path, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, diskRoom)
}

// fill takes the room that is left away: the file system becomes as large as what is
// on it.
func fill(path string) error {
	var err error
	for range fillTries {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(path, &fs); err != nil {
			return err
		}
		used := (fs.Blocks - fs.Bfree) * uint64(fs.Bsize) //nolint:gosec // the kernel's sizes are positive
		// It is refused where more was written in the meantime.
		if err = remount(path, fmt.Sprintf("size=%d,%s", used, diskMode)); err == nil {
			return nil
		}
	}
	return err
}

// empty gives the room back.
func empty(path string) error { return remount(path, diskRoom) }

func remount(path, options string) error {
	return syscall.Mount("perfctl-lab", path, "tmpfs", syscall.MS_REMOUNT|syscall.MS_NOSUID|syscall.MS_NODEV, options)
}

// unmount takes a file system away; a folder that is none is left as it is.
func unmount(path string) error {
	err := syscall.Unmount(path, syscall.MNT_DETACH)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.EPERM) {
		return nil // it is no file system; without the right to unmount, none was mounted
	}
	return err
}
