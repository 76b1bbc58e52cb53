package targets

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	amqp "github.com/rabbitmq/amqp091-go"
)

// Destination is where a driver goes with an address, as the driver itself
// reads it: parameters of the query, files and the environment included.
type Destination struct {
	// Hosts are all hosts that may be connected to, without their ports.
	Hosts []string
	// Database and User are those of PostgreSQL; the server takes the user's
	// name for the database's where none is given.
	Database, User string
}

// Destination asks the kind's driver where the address leads. Its error holds
// no secret.
func (a Address) Destination() (Destination, error) {
	d, err := a.parsed()
	if err != nil {
		return d, redacted{err, Redact(err.Error(), a)}
	}
	// What else is done with the address, as measuring a round trip, takes the
	// URL's own hosts.
	for h := range strings.SplitSeq(a.URL.Host, ",") {
		d.add((&url.URL{Host: h}).Hostname())
	}
	return d, nil
}

func (a Address) parsed() (d Destination, err error) {
	switch a.Kind {
	case Postgres:
		c, err := pgconn.ParseConfig(a.URL.String())
		if err != nil {
			return d, err
		}
		d.User, d.Database = c.User, c.Database
		if d.Database == "" {
			d.Database = c.User
		}
		d.add(c.Host)
		for _, f := range c.Fallbacks {
			d.add(f.Host)
		}
	case RabbitMQ:
		for h := range strings.SplitSeq(a.URL.Host, ",") {
			one := *a.URL
			one.Host = h
			u, err := amqp.ParseURI(one.String())
			if err != nil {
				return d, err
			}
			d.add(u.Host)
		}
	case Redis:
		r, err := a.Redis()
		if err != nil {
			return d, err
		}
		for _, h := range r.Hosts {
			d.add((&url.URL{Host: h}).Hostname())
		}
	case API:
		d.add(a.URL.Hostname())
	default:
		return d, fmt.Errorf("%q is not a kind of target", a.Kind)
	}
	return d, nil
}

func (d *Destination) add(host string) {
	if host != "" && !slices.Contains(d.Hosts, host) {
		d.Hosts = append(d.Hosts, host)
	}
}
