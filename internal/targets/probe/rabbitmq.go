package probe

import (
	"context"
	"net/url"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets"
)

// What is read of RabbitMQ, from its Prometheus plugin or, where there is none, from
// its management API. The broker itself refreshes most of it every 5 seconds.
var (
	mqMemory      = Gauge("rabbitmq_memory_bytes", metrics.UnitBytes, "memory of the broker's node").As(metrics.RoleMemory)
	mqLimit       = Gauge("rabbitmq_memory_limit_bytes", metrics.UnitBytes, "memory from which on the broker blocks publishers")
	mqDisk        = Gauge("rabbitmq_disk_free_bytes", metrics.UnitBytes, "disk space that the broker has left")
	mqAlarms      = Gauge("rabbitmq_alarms", metrics.UnitCount, "alarms of memory or disk in effect: publishers are blocked")
	mqConnections = Gauge("rabbitmq_connections", metrics.UnitCount, "connections to the broker").As(metrics.RoleConnections)
	mqChannels    = Gauge("rabbitmq_channels", metrics.UnitCount, "channels of all connections").As(metrics.RoleConnections)
	mqConsumers   = Gauge("rabbitmq_consumers", metrics.UnitCount, "consumers of all queues")
	mqReady       = Gauge("rabbitmq_messages_ready", metrics.UnitCount, "messages of all queues that no consumer holds").As(metrics.RoleQueue)
	mqUnacked     = Gauge("rabbitmq_messages_unacked", metrics.UnitCount, "messages of all queues that consumers hold and have not acknowledged").As(metrics.RoleQueue)

	mqPublished   = Counter("rabbitmq_messages_published", "messages that the broker received, of all clients")
	mqConfirmed   = Counter("rabbitmq_messages_confirmed", "messages that the broker confirmed to all publishers")
	mqDelivered   = Counter("rabbitmq_messages_delivered", "messages that the broker handed to all consumers")
	mqAcked       = Counter("rabbitmq_messages_acknowledged", "messages that all consumers acknowledged")
	mqRedelivered = Counter("rabbitmq_messages_redelivered", "messages that the broker handed out again, to all consumers").As(metrics.RoleRetries)
	mqReturned    = Counter("rabbitmq_messages_returned", "messages that no queue took and that went back to their publishers")
)

func rabbitMQMetrics() []metrics.Desc {
	return []metrics.Desc{mqMemory, mqLimit, mqDisk, mqAlarms, mqConnections, mqChannels, mqConsumers, mqReady, mqUnacked,
		mqPublished, mqConfirmed, mqDelivered, mqAcked, mqRedelivered, mqReturned}
}

// mqPlace is where a reading stands in the plugin's metrics and in the management
// API; several places add up.
type mqPlace struct {
	desc       metrics.Desc
	prometheus []string
	overview   []string
	nodes      []string
}

var mqPlaces = []mqPlace{
	{mqMemory, []string{"rabbitmq_process_resident_memory_bytes"}, nil, []string{"mem_used"}},
	{mqLimit, []string{"rabbitmq_resident_memory_limit_bytes"}, nil, []string{"mem_limit"}},
	{mqDisk, []string{"rabbitmq_disk_space_available_bytes"}, nil, []string{"disk_free"}},
	{mqAlarms, []string{"rabbitmq_alarms_memory_used_watermark", "rabbitmq_alarms_free_disk_space_watermark"}, nil, []string{"mem_alarm", "disk_free_alarm"}},
	{mqConnections, []string{"rabbitmq_connections"}, []string{"object_totals.connections"}, nil},
	{mqChannels, []string{"rabbitmq_channels"}, []string{"object_totals.channels"}, nil},
	{mqConsumers, []string{"rabbitmq_consumers"}, []string{"object_totals.consumers"}, nil},
	{mqReady, []string{"rabbitmq_queue_messages_ready"}, []string{"queue_totals.messages_ready"}, nil},
	{mqUnacked, []string{"rabbitmq_queue_messages_unacked"}, []string{"queue_totals.messages_unacknowledged"}, nil},
	// Sums over channels fall when channels close; those that are global do not.
	{mqPublished, []string{"rabbitmq_global_messages_received_total"}, []string{"message_stats.publish"}, nil},
	{mqConfirmed, []string{"rabbitmq_global_messages_confirmed_total"}, []string{"message_stats.confirm"}, nil},
	{mqDelivered, []string{"rabbitmq_global_messages_delivered_total"}, []string{"message_stats.deliver_get"}, nil},
	{mqAcked, []string{"rabbitmq_global_messages_acknowledged_total"}, []string{"message_stats.ack"}, nil},
	{mqRedelivered, []string{"rabbitmq_global_messages_redelivered_total"}, []string{"message_stats.redeliver"}, nil},
	{mqReturned, []string{"rabbitmq_global_messages_unroutable_returned_total"}, []string{"message_stats.return_unroutable"}, nil},
}

// mqNames are the names of mqPlaces in the plugin's metrics.
var mqNames = func() map[string]bool {
	out := map[string]bool{}
	for _, p := range mqPlaces {
		for _, name := range p.prometheus {
			out[name] = true
		}
	}
	return out
}()

type rabbitMQReader struct {
	name       string
	prometheus *endpoint // nil where the management API is read
	management *endpoint
	gauges     Gauges // by place, nil for counters
	counters   []*Delta
}

// NewRabbitMQ returns a reader of a broker, whose Prometheus plugin is at one URL,
// or whose management API is at the other; nil where both are nil. Without a user
// in the URL of the management API, the broker's own is used on the broker's own
// host, and none elsewhere: no other host is sent the broker's password.
func NewRabbitMQ(t Target, prometheus, management *url.URL) Reader {
	r := &rabbitMQReader{}
	switch {
	case prometheus != nil:
		u := *prometheus
		if u.Path == "" || u.Path == "/" {
			u.Path = "/metrics"
		}
		r.prometheus, r.name = newEndpoint(&u, t.Address.Reach), "the Prometheus plugin of RabbitMQ at "+targets.Address{URL: &u}.String()
	case management != nil:
		u := *management
		if u.User == nil && targets.SameHost(u.Hostname(), t.Address.Host()) {
			u.User = t.Address.URL.User
		}
		r.management, r.name = newEndpoint(&u, t.Address.Reach), "the management API of RabbitMQ at "+targets.Address{URL: &u}.String()
	default:
		return nil
	}
	for _, p := range mqPlaces {
		var g *metrics.Gauge
		var d *Delta
		if p.desc.Kind == metrics.KindGauge {
			g = t.Metrics.Gauge(p.desc, metrics.Tags{})
		} else {
			d = NewDelta(t.Metrics.Counter(p.desc, metrics.Tags{}))
		}
		r.gauges, r.counters = append(r.gauges, g), append(r.counters, d)
	}
	return r
}

func (r *rabbitMQReader) String() string { return r.name }

func (r *rabbitMQReader) Read(ctx context.Context, stage int) error {
	get, err := r.readings(ctx)
	for i := range mqPlaces {
		v, ok := 0.0, false
		if err == nil {
			v, ok = get(&mqPlaces[i])
		}
		switch g := r.gauges[i]; {
		case g == nil && ok:
			r.counters[i].See(stage, v)
		case g == nil:
		case ok:
			g.Set(v)
		default:
			g.Unset()
		}
	}
	return err
}

// readings returns what finds a place in a fresh answer.
func (r *rabbitMQReader) readings(ctx context.Context) (func(*mqPlace) (float64, bool), error) {
	if r.prometheus != nil {
		f, err := r.prometheus.scrape(ctx, mqNames)
		return func(p *mqPlace) (v float64, ok bool) {
			for _, name := range p.prometheus {
				x, found := f.sum(name, nil)
				v, ok = v+x, ok || found
			}
			return v, ok
		}, err
	}
	overview, err := r.management.numbers(ctx, "/api/overview")
	if err != nil {
		return nil, err
	}
	nodes, err := r.management.numbers(ctx, "/api/nodes")
	return func(p *mqPlace) (v float64, ok bool) {
		for _, name := range p.overview {
			x, found := overview[name]
			v, ok = v+x, ok || found
		}
		for _, name := range p.nodes {
			x, found := nodes[name]
			v, ok = v+x, ok || found
		}
		return v, ok
	}, err
}

func (r *rabbitMQReader) Close(context.Context) {
	if r.prometheus != nil {
		r.prometheus.close()
	}
	if r.management != nil {
		r.management.close()
	}
}
