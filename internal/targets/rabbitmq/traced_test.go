package rabbitmq

import (
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

func TestATracedMessageKeepsItsHeadersAndItsOwnTrace(t *testing.T) {
	h := amqp.Table{"a": "b"}
	got := traced(h, "00-1-2-01")
	if got["a"] != "b" || got["traceparent"] != "00-1-2-01" || len(h) != 1 {
		t.Errorf("headers %v of %v", got, h)
	}
	own := amqp.Table{"traceparent": "mine"}
	if got := traced(own, "00-1-2-01"); got["traceparent"] != "mine" {
		t.Errorf("a user's own trace became %v", got)
	}
	if got := traced(nil, "x"); got["traceparent"] != "x" {
		t.Errorf("headers %v of none", got)
	}
}
