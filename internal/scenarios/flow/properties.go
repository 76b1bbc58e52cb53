package flow

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/strictyaml"
)

// properties are those of a message (AMQP 0-9-1, class basic).
type properties struct {
	contentType, encoding, messageID, correlation, replyTo text
	kind, app, user, expiration, priority, timestamp       text
	// headers, where they have no fields, are shared by all messages.
	headers amqpValue
	// mode is the delivery mode; 0 where the file does not say.
	mode uint8
}

// fields are the keys of a step that are about properties.
func (p *properties) fields(f *parser) []strictyaml.Field {
	read := func(into *text) strictyaml.Reader { return request.Text(&f.fields, into) }
	checked := func(into *text, check func(string) error) strictyaml.Reader {
		return func(v strictyaml.Value) {
			read(into)(v)
			if constant, ok := into.Constant(); ok && constant != "" {
				if err := check(constant); err != nil {
					v.Add("%v", err)
				}
			}
		}
	}
	return []strictyaml.Field{
		strictyaml.Optional("content_type", read(&p.contentType)).Help("content type"),
		strictyaml.Optional("content_encoding", read(&p.encoding)).Help("content encoding"),
		strictyaml.Optional("message_id", read(&p.messageID)).Help("message id"),
		strictyaml.Optional("correlation_id", read(&p.correlation)).Help("correlation id"),
		strictyaml.Optional("reply_to", read(&p.replyTo)).Help("where to reply"),
		strictyaml.Optional("type", read(&p.kind)).Help("type of the message"),
		strictyaml.Optional("app_id", read(&p.app)).Help("application id"),
		strictyaml.Optional("user_id", read(&p.user)).Help("user id, which must be the connection's user"),
		strictyaml.Optional("expiration", checked(&p.expiration, func(s string) error { _, err := milliseconds(s); return err })).
			Help("how long the message lives in a queue: milliseconds, or a duration"),
		strictyaml.Optional("priority", checked(&p.priority, func(s string) error { _, err := priority(s); return err })).
			Help("priority of the message, 0 to 255"),
		strictyaml.Optional("timestamp", checked(&p.timestamp, func(s string) error { _, err := parseInstant(s); return err })).
			Help("now, seconds since 1970, or a time"),
		strictyaml.Optional("delivery_mode", p.readMode).Help("transient (1) or persistent (2), in place of persistent"),
		strictyaml.Optional("headers", func(of strictyaml.Value) {
			table := map[string]amqpValue{}
			of.Entries("the headers", func(name string, _ strictyaml.Pos, value strictyaml.Value) { table[name] = f.amqpValue(value) })
			p.headers = amqpValue{table: table}.fold()
		}).Help("headers of the message; each keeps the type that it has here, and {int: TEXT} makes another one of a text"),
	}
}

func (p *properties) readMode(v strictyaml.Value) {
	s, ok := v.Scalar()
	switch s {
	case "":
		if ok {
			v.Add("delivery_mode is empty: it is transient (1) or persistent (2)")
		}
	case "1", "transient":
		p.mode = amqp.Transient
	case "2", "persistent":
		p.mode = amqp.Persistent
	default:
		v.Add("delivery_mode is transient (1) or persistent (2), not %q", s)
	}
}

// milliseconds returns an expiration as AMQP has it: a text of whole milliseconds. A
// broker closes the channel over any other one.
func milliseconds(s string) (string, error) {
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		return strconv.FormatUint(n, 10), nil
	}
	d, err := strictyaml.ParseDuration(s)
	if err != nil || d < 0 {
		return "", fmt.Errorf("expiration %q is neither a number of milliseconds nor a duration as in 60s", s)
	}
	return strconv.FormatInt(d.Milliseconds(), 10), nil
}

func priority(s string) (uint8, error) {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil {
		return 0, fmt.Errorf("priority %q is not a number from 0 to 255", s)
	}
	return uint8(n), nil
}

// set puts the properties into a message.
func (p *properties) set(w *worker, m *amqp.Publishing) error {
	var expiration, prio, instant string
	for _, x := range [...]struct {
		from *text
		into *string
	}{
		{&p.contentType, &m.ContentType}, {&p.encoding, &m.ContentEncoding}, {&p.messageID, &m.MessageId}, {&p.correlation, &m.CorrelationId},
		{&p.replyTo, &m.ReplyTo}, {&p.kind, &m.Type}, {&p.app, &m.AppId}, {&p.user, &m.UserId},
		{&p.expiration, &expiration}, {&p.priority, &prio}, {&p.timestamp, &instant},
	} {
		if x.from.Empty() {
			continue
		}
		var err error
		if *x.into, err = w.filled(x.from); err != nil {
			return err
		}
	}
	var errs [3]error
	if expiration != "" {
		m.Expiration, errs[0] = milliseconds(expiration)
	}
	if prio != "" {
		m.Priority, errs[1] = priority(prio)
	}
	if instant != "" {
		m.Timestamp, errs[2] = parseInstant(instant)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return work.Fail(request.KindTemplate, err)
	}
	headers, err := p.headers.of(w)
	if err != nil {
		return err
	}
	m.Headers, _ = headers.(amqp.Table)
	return nil
}

// filled returns a text with its fields filled in.
func (w *worker) filled(t *text) (string, error) {
	if constant, ok := t.Bytes(); ok {
		return string(constant), nil
	}
	var err error
	if w.text, err = t.Append(w.text[:0], &w.scope); err != nil {
		return "", err
	}
	return string(w.text), nil
}

// propertyOf returns a property of a message that was received, as a text.
func propertyOf(d *amqp.Delivery, name string) (string, bool) {
	switch name {
	case "priority":
		return strconv.Itoa(int(d.Priority)), true
	case "delivery_mode":
		return strconv.Itoa(int(d.DeliveryMode)), true
	case "redelivered":
		return strconv.FormatBool(d.Redelivered), true
	case "timestamp":
		if d.Timestamp.IsZero() {
			return "", false
		}
		return strconv.FormatInt(d.Timestamp.Unix(), 10), true
	}
	for _, p := range [...]struct{ name, value string }{
		{"correlation_id", d.CorrelationId}, {"message_id", d.MessageId}, {"reply_to", d.ReplyTo}, {"type", d.Type},
		{"content_type", d.ContentType}, {"content_encoding", d.ContentEncoding}, {"app_id", d.AppId}, {"user_id", d.UserId},
		{"expiration", d.Expiration}, {"routing_key", d.RoutingKey}, {"exchange", d.Exchange},
	} {
		if p.name == name {
			return p.value, p.value != ""
		}
	}
	return "", false
}

// headerText is a header's value as a text.
func headerText(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case []byte:
		return string(x)
	case time.Time:
		return strconv.FormatInt(x.Unix(), 10)
	case []any:
		var items []string
		for _, item := range x {
			items = append(items, headerText(item))
		}
		return strings.Join(items, ", ")
	}
	return fmt.Sprint(v)
}
