package evidence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// The parts of the kernel's interface for listing sockets, sock_diag(7), that are used.
const (
	sockDiagByFamily = 20
	requestSize      = 56
	messageSize      = 72
	attributeInfo    = 2 // INET_DIAG_INFO: struct tcp_info
	established      = 1 << 1
	offsetResent     = 100 // tcpi_total_retrans
	offsetNeedless   = 216 // tcpi_dsack_dups
)

// sockets gives every established TCP connection of this machine: its ports, how many
// segments were sent again so far, and of how many the other side said that it had them.
func sockets(f func(local, remote uint16, resent, needless uint32)) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return fmt.Errorf("open a socket of the kernel's: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		if err := unix.Sendto(fd, diagRequest(family), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return err
		}
		if err := diagAnswer(fd, buf, f); err != nil {
			return err
		}
	}
	return nil
}

func diagRequest(family byte) []byte {
	b := make([]byte, unix.NLMSG_HDRLEN+requestSize)
	h := binary.NativeEndian
	h.PutUint32(b, uint32(len(b)))
	h.PutUint16(b[4:], sockDiagByFamily)
	h.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	r := b[unix.NLMSG_HDRLEN:]
	r[0], r[1], r[2] = family, unix.IPPROTO_TCP, 1<<(attributeInfo-1)
	h.PutUint32(r[4:], established)
	return b
}

// diagAnswer reads the answer to one request.
func diagAnswer(fd int, buf []byte, f func(local, remote uint16, resent, needless uint32)) error {
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return fmt.Errorf("list the connections: %w", err)
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return fmt.Errorf("list the connections: %w", err)
		}
		for i := range messages {
			switch m := &messages[i]; m.Header.Type {
			case unix.NLMSG_DONE:
				return nil
			case unix.NLMSG_ERROR:
				if len(m.Data) >= 4 {
					return fmt.Errorf("list the connections: %w", syscall.Errno(-int32(binary.NativeEndian.Uint32(m.Data))))
				}
				return errors.New("list the connections: the kernel refuses it")
			default:
				diagMessage(m.Data, f)
			}
		}
	}
}

// diagMessage reads what is said of one connection.
func diagMessage(b []byte, f func(local, remote uint16, resent, needless uint32)) {
	if len(b) < messageSize {
		return
	}
	local, remote := binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	for rest := b[messageSize:]; len(rest) >= 4; {
		size, kind := int(binary.NativeEndian.Uint16(rest)), binary.NativeEndian.Uint16(rest[2:])
		if size < 4 || size > len(rest) {
			return
		}
		if info := rest[4:size]; kind == attributeInfo && len(info) >= offsetResent+4 {
			needless := uint32(0)
			if len(info) >= offsetNeedless+4 {
				needless = binary.NativeEndian.Uint32(info[offsetNeedless:])
			}
			f(local, remote, binary.NativeEndian.Uint32(info[offsetResent:]), needless)
		}
		rest = rest[min((size+3)&^3, len(rest)):]
	}
}
