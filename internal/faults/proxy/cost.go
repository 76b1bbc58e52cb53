package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/perfctl/perfctl/internal/faults"
)

// costRounds is how many round trips measure what a proxy adds.
const costRounds = 300

// Cost is what a proxy adds to a round trip, at the median, on this machine and now: so
// many trips of a small message to a server in this process, with a proxy and without
// by turns.
func Cost(ctx context.Context) (time.Duration, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("measure the proxy: %w", err)
	}
	defer l.Close()
	go echo(l)
	s := New([]faults.Fault{{Target: "cost", Kind: faults.Delay, Share: 1}}, 1)
	defer s.Close()
	var d net.Dialer
	plain, err := d.DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		return 0, fmt.Errorf("measure the proxy: %w", err)
	}
	defer plain.Close()
	proxied, err := s.Dial(ctx, d.DialContext, "cost", "tcp", l.Addr().String(), "")
	if err != nil {
		return 0, fmt.Errorf("measure the proxy: %w", err)
	}
	defer proxied.Close()
	var without, with []time.Duration
	for range costRounds {
		a, err1 := trip(plain)
		b, err2 := trip(proxied)
		if err1 != nil || err2 != nil {
			return 0, fmt.Errorf("measure the proxy: %w", cmpError(err1, err2))
		}
		without, with = append(without, a), append(with, b)
	}
	slices.Sort(without)
	slices.Sort(with)
	return max(with[costRounds/2]-without[costRounds/2], 0), nil
}

func cmpError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// echo answers with what it gets, until the listener is closed.
func echo(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c)
		}()
	}
}

// trip measures a round trip of a small message.
func trip(c net.Conn) (time.Duration, error) {
	var b [32]byte
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return 0, err
	}
	start := time.Now()
	if _, err := c.Write(b[:]); err != nil {
		return 0, err
	}
	_, err := io.ReadFull(c, b[:])
	return time.Since(start), err
}
