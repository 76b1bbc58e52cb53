package targets

import (
	"context"
	"net"
)

// Dialling opens a connection, as net.Dialer.DialContext does.
type Dialling func(ctx context.Context, network, address string) (net.Conn, error)

// Route opens a connection to an address by way of something in front of the server,
// whose own side is opened by dial. asked is host and port by the name that was asked
// for, where address is one that the name leads to. A nil Route goes straight.
type Route func(ctx context.Context, dial Dialling, network, address, asked string) (net.Conn, error)

// Dial opens a connection to an address by its route.
func (r Route) Dial(ctx context.Context, dial Dialling, network, address, asked string) (net.Conn, error) {
	if r != nil {
		return r(ctx, dial, network, address, asked)
	}
	return dial(ctx, network, address)
}

// RouteBy gives each address the route that of returns for its kind, those that nobody
// set among them: a script reaches others by them.
func (s *Settings) RouteBy(of func(Kind) Route) {
	s.RabbitMQ.Route, s.Postgres.Route, s.Redis.Route, s.API.Route = of(RabbitMQ), of(Postgres), of(Redis), of(API)
}
