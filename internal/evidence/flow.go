package evidence

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/probe"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// What of a queue is worth a note: so many messages that no consumer has yet.
const leastBacklog = 10

const (
	// lists is how often the management API is asked for connections, channels and
	// queues.
	lists = time.Second
	// refreshed is how old what the broker says of a connection may be, in milliseconds.
	refreshed = 5000.0
	// mostQueues bounds how many queues are asked for their length.
	mostQueues = 10
)

type flowWatcher struct {
	address    targets.Address
	management *url.URL
	run        string

	mu     sync.Mutex
	queues []string
}

// NewFlow returns a watcher of what a broker holds back, by its management API: the
// run's own connections and channels in flow control, and queues whose consumers do not
// keep up. run is the run's identity.
func NewFlow(a targets.Address, management *url.URL, run string) Watcher {
	return &flowWatcher{address: a, management: management, run: run}
}

func (w *flowWatcher) String() string {
	return "the management API of RabbitMQ at " + targets.Address{URL: w.management}.String()
}

func (w *flowWatcher) Watch(ctx context.Context, j *Journal) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var lengths sync.WaitGroup
	defer lengths.Wait()
	defer cancel()
	m := probe.NewManagement(w.address, w.management)
	defer m.Close()
	if err := w.list(ctx, m, nil, 0, 0); err != nil {
		return err
	}
	lengths.Go(func() { w.lengths(ctx, j) })
	open := newSpans(j)
	defer open.end()
	return every(ctx, j, lists, func(before float64) error {
		if err := w.list(ctx, m, open, before, j.Now()); err != nil {
			return err
		}
		open.sweep()
		return nil
	})
}

// list notes what is in flow control, where open is not nil, and which queues there are.
func (w *flowWatcher) list(ctx context.Context, m *probe.Management, open *spans, before, now float64) error {
	all, err := m.Connections(ctx)
	if err != nil {
		return err
	}
	for _, h := range all {
		if h.State != "flow" || !strings.HasPrefix(h.Given, "perfctl/"+w.run) || open == nil {
			continue
		}
		what := "held a connection of the run back by flow control: it took messages faster than its queue does"
		if h.Channel > 0 {
			what = "held a channel of the run back by flow control: it took messages faster than its queue does"
		}
		open.see("flow", exemplars.Evidence{From: max(before-refreshed, 0), To: now, Source: "rabbitmq", Kind: exemplars.Flow, What: what})
	}
	queues, err := m.Queues(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, q := range queues {
		if !q.Exclusive && q.VHost == w.vhost() && len(names) < mostQueues && !strings.HasPrefix(q.Name, "amq.") {
			names = append(names, q.Name)
		}
	}
	w.mu.Lock()
	w.queues = names
	w.mu.Unlock()
	return nil
}

func (w *flowWatcher) vhost() string {
	if v := strings.TrimPrefix(w.address.URL.Path, "/"); v != "" {
		return v
	}
	return "/"
}

// lengths asks for the queues' lengths until ctx ends: the broker says at once what the
// management API says seconds later.
func (w *flowWatcher) lengths(ctx context.Context, j *Journal) {
	c, err := rabbitmq.Dial(ctx, w.address, rabbitmq.Options{Name: "perfctl/" + w.run + " evidence of queues"})
	if err != nil {
		return
	}
	defer c.End(time.Second)
	var ch *amqp.Channel
	open := newSpans(j)
	defer open.end()
	_ = every(ctx, j, asks, func(before float64) error { // without lengths the rest works
		w.mu.Lock()
		names := w.queues
		w.mu.Unlock()
		for _, name := range names {
			if ch == nil || ch.IsClosed() {
				if ch, err = c.Channel(); err != nil {
					return err
				}
			}
			q, err := ch.QueueDeclarePassive(name, false, false, false, false, nil)
			if err != nil {
				continue // it is gone, or somebody's own
			}
			if q.Messages >= leastBacklog {
				open.see(name, exemplars.Evidence{From: before, To: j.Now(), Source: "rabbitmq", Kind: exemplars.Backlog, By: name,
					What: fmt.Sprintf("kept messages waiting in the queue %s, whose %d consumers did not keep up", name, q.Consumers)})
			}
		}
		open.sweep()
		return nil
	})
}
