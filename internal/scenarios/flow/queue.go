package flow

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/strictyaml"
)

// queueTypeArgument is the argument that says of which type a queue is.
const queueTypeArgument = "x-queue-type"

// queueTypes are the types of a queue.
var queueTypes = []string{"classic", "quorum", "stream"}

func (f *parser) queueType(sp *inboxSpec, v strictyaml.Value) {
	s, ok := v.Word(queueTypes...)
	if !ok {
		return
	}
	if !slices.Contains(queueTypes, s) {
		v.Add("the type of a queue is one of %s, not %q", strings.Join(queueTypes, ", "), s)
		return
	}
	sp.argue(v, queueTypeArgument, s)
}

// queueArguments reads the arguments of a queue, each with the type that it has in YAML.
func (f *parser) queueArguments(sp *inboxSpec, v strictyaml.Value) {
	v.Entries("the arguments", func(name string, _ strictyaml.Pos, of strictyaml.Value) {
		value := f.amqpValue(of)
		switch {
		case !value.isConstant():
			of.Add("an argument of a queue has no fields: the queue is made once, before the first arrival")
		case !strings.HasPrefix(name, "x-"):
			of.Add("%s is no argument of a queue: their names begin with x-, as in x-max-length", name)
		default:
			sp.argue(of, name, value.constant)
		}
	})
}

func (sp *inboxSpec) argue(v strictyaml.Value, name string, value any) {
	if sp.arguments == nil {
		sp.arguments = amqp.Table{}
	}
	if _, twice := sp.arguments[name]; twice {
		v.Add("%s is set twice, by type and in arguments", name)
	}
	sp.arguments[name] = value
}

func (sp *inboxSpec) isStream() bool { return sp.arguments[queueTypeArgument] == "stream" }

// from is where reading begins: a stream of the run's own is read from its first
// message, since it holds nothing but the run's.
func (sp *inboxSpec) from() any {
	if sp.offset == nil && sp.isStream() {
		return "first"
	}
	return sp.offset
}

// interval is an offset as a time that has passed, as RabbitMQ writes it.
var interval = regexp.MustCompile(`^[0-9]+[YMDhms]$`)

// readOffset reads where the reading of a stream begins.
func readOffset(v strictyaml.Value) any {
	s, ok := v.Scalar()
	if !ok {
		return nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		return n
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t
	}
	if s != "first" && s != "last" && s != "next" && !interval.MatchString(s) {
		v.Add("offset is first, last, next, a number, a time as in 2026-01-31T12:00:00Z, or how long ago as in 5m; not %q", s)
	}
	return s
}
