package probe

import (
	"context"
	"encoding/json"
	"io"
	"net/url"

	"github.com/perfctl/perfctl/internal/targets"
)

// Management reads from RabbitMQ's management API what it holds back. The broker itself
// refreshes that every 5 seconds (collect_statistics_interval).
type Management struct{ connections, channels, queues *endpoint }

// Held is a connection or a channel with its state.
type Held struct {
	// Name is the connection's, as the broker gives it; Given the one that its client
	// gave.
	Name, Given string
	// Channel is the channel's number, 0 for the connection itself.
	Channel int
	State   string
}

// Queue is a queue that clients other than its own may look at.
type Queue struct {
	Name, VHost, State string
	Exclusive          bool
}

// page is how much of each list is read.
const page = "page=1&page_size=500&columns="

// NewManagement returns a reader of a management API. Without a user in its URL the
// broker's own is used on the broker's own host.
func NewManagement(a targets.Address, management *url.URL) *Management {
	at := func(path, query string) *endpoint {
		u := *management
		if u.User == nil && targets.SameHost(u.Hostname(), a.Host()) {
			u.User = a.URL.User
		}
		u.Path += path
		u.RawQuery = query
		return newEndpoint(&u, a.Reach)
	}
	return &Management{
		connections: at("/api/connections", page+"name,user_provided_name,state"),
		channels:    at("/api/channels", page+"connection_details.name,number,state"),
		queues:      at("/api/queues", page+"name,vhost,state,exclusive"),
	}
}

// Connections lists connections and channels.
func (m *Management) Connections(ctx context.Context) (out []Held, err error) {
	var all struct {
		Items []struct {
			Name  string `json:"name"`
			Given string `json:"user_provided_name"`
			State string `json:"state"`
		} `json:"items"`
	}
	if err := m.connections.object(ctx, &all); err != nil {
		return nil, err
	}
	given := map[string]string{}
	for _, c := range all.Items {
		given[c.Name] = c.Given
		out = append(out, Held{Name: c.Name, Given: c.Given, State: c.State})
	}
	var channels struct {
		Items []struct {
			Number     int    `json:"number"`
			State      string `json:"state"`
			Connection struct {
				Name string `json:"name"`
			} `json:"connection_details"`
		} `json:"items"`
	}
	if err := m.channels.object(ctx, &channels); err != nil {
		return nil, err
	}
	for _, c := range channels.Items {
		out = append(out, Held{Name: c.Connection.Name, Given: given[c.Connection.Name], Channel: c.Number, State: c.State})
	}
	return out, nil
}

// Queues lists queues.
func (m *Management) Queues(ctx context.Context) (out []Queue, err error) {
	var all struct {
		Items []struct {
			Name      string `json:"name"`
			VHost     string `json:"vhost"`
			State     string `json:"state"`
			Exclusive bool   `json:"exclusive"`
		} `json:"items"`
	}
	if err := m.queues.object(ctx, &all); err != nil {
		return nil, err
	}
	for _, q := range all.Items {
		out = append(out, Queue{Name: q.Name, VHost: q.VHost, State: q.State, Exclusive: q.Exclusive})
	}
	return out, nil
}

// Close ends the reader's connections.
func (m *Management) Close() {
	for _, e := range []*endpoint{m.connections, m.channels, m.queues} {
		e.close()
	}
}

// object reads a JSON object.
func (e *endpoint) object(ctx context.Context, into any) error {
	return e.get(ctx, "", func(r io.Reader) error { return json.NewDecoder(r).Decode(into) })
}
