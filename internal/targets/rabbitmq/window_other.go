//go:build !linux

package rabbitmq

import "net"

// closedWindow cannot tell flow control and the network apart here.
func closedWindow(net.Conn) bool { return false }
