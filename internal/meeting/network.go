package meeting

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
)

// Dial opens a connection.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Listen waits for connections.
type Listen func(ctx context.Context, network, address string) (net.Listener, error)

// Network is a meeting place that shards reach over a network.
type Network struct {
	// Address is the HOST:PORT at which shard 0 waits for the others.
	Address string
	// Key is what all shards have in common; "" on one machine.
	Key    string
	Dial   Dial
	Listen Listen
	// Say takes a line for the user.
	Say func(string)
}

// AtAddress opens the meeting place, where this is shard 0, or goes there.
func AtAddress(ctx context.Context, n Network, o Options) (*Place, error) {
	address := "tcp://" + n.Address
	if o.Shard > 0 {
		g := &guest{n: n, o: o, address: address, process: rand.Text(), words: map[string][]byte{}, lost: map[int]bool{}}
		ctx, g.end = context.WithCancel(context.WithoutCancel(ctx))
		g.beside.Go(func() { g.stay(ctx) })
		return &Place{o: o, board: g}, nil
	}
	l, err := n.Listen(ctx, "tcp", n.Address)
	if err != nil {
		return nil, fmt.Errorf("--barrier %s: shard 0 cannot wait there for the others: %w\n  next: name an address of the machine of shard 0, and a port that is free", address, err)
	}
	return &Place{o: o, board: newHub(l, address, n.Key, o)}, nil
}
