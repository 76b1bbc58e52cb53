package rabbitmq

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// closedWindow says whether data waits to be sent and none is under way: the other
// side acknowledged all that it took and takes no more (RFC 9293, 3.8.6.1). Where the
// network is gone, what was sent last stays unacknowledged.
func closedWindow(c net.Conn) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	closed := false
	err = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return
		}
		queued, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		closed = err == nil && queued > 0 && info.Unacked == 0
	})
	return err == nil && closed
}
