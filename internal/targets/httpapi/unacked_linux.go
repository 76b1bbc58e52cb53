package httpapi

import (
	"golang.org/x/sys/unix"
)

// unacknowledged returns how many of the bytes that were written the other side has
// not acknowledged.
func unacknowledged(c *countedConn) (n int64, known bool) {
	rc, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = rc.Control(func(fd uintptr) {
		queued, failed := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		n, known = int64(queued), failed == nil
	})
	return n, known && err == nil
}
