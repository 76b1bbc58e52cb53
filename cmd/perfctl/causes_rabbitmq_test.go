//go:build causes

package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/targets/rabbitmq/rabbitmqtest"
	"github.com/perfctl/perfctl/internal/targets/redis/redistest"
)

// evaluated has the broker do something in Erlang while it holds, and returns when
// that was, by the broker's clock, which is this machine's.
func evaluated(t *testing.T, b *rabbitmqtest.Broker, begin, end string, long time.Duration) (from, to time.Time) {
	t.Helper()
	text := b.Control(t, "eval", fmt.Sprintf("A = erlang:system_time(millisecond), %s, timer:sleep(%d), %s, B = erlang:system_time(millisecond), [A, B].", begin, long.Milliseconds(), end))
	var a, z int64
	if _, err := fmt.Sscanf(strings.TrimSpace(text), "[%d,%d]", &a, &z); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return time.UnixMilli(a), time.UnixMilli(z)
}

// queueProcess is Erlang that names the process of the run's queue Q.
const queueProcess = `[P | _] = [amqqueue:get_pid(Q) || Q <- rabbit_amqqueue:list(), binary:match(element(4, amqqueue:get_name(Q)), <<"perfctl.tasks">>) =/= nomatch]`

// brokerAt starts a broker of the test's own and returns it, and how it is reached.
func brokerAt(t *testing.T) (*rabbitmqtest.Broker, []string) {
	t.Helper()
	port := redistest.FreePort(t)
	b := rabbitmqtest.Start(t, []string{"rabbitmq_management"}, fmt.Sprintf("management.tcp.port = %d", port), "management.tcp.ip = 127.0.0.1")
	return b, []string{"-e", fmt.Sprintf("RABBITMQ_URL=amqp://%s:%s@127.0.0.1:%d/%%2F", b.User, b.Password, b.Port), "-e", fmt.Sprintf("RABBITMQ_MANAGEMENT_URL=http://127.0.0.1:%d", port)}
}

func plantedInRabbitMQ() []planted {
	var b *rabbitmqtest.Broker
	var work atomic.Int64
	tasks := func(more ...string) func(t *testing.T) []string {
		return func(t *testing.T) (args []string) {
			b, args = brokerAt(t)
			return append(append(args, "--scenario", "tasks"), more...)
		}
	}
	return []planted{
		{name: "a memory alarm in RabbitMQ", args: tasks(), lasts: 16 * time.Second, want: `^alarm `, plant: func(t *testing.T) (from, to time.Time) {
			return evaluated(t, b, "vm_memory_monitor:set_vm_memory_high_watermark(0.0000001)", "vm_memory_monitor:set_vm_memory_high_watermark(0.6)", 1500*time.Millisecond)
		}},
		{name: "a slow consumer", lasts: 16 * time.Second, want: `^backlog .*causes.work`, args: func(t *testing.T) (args []string) {
			b, args = brokerAt(t)
			serve(t, b, &work)
			return append(args, flow(t, answered)...)
		}, plant: func(t *testing.T) (from, to time.Time) {
			return meanwhile(func() {
				work.Store(int64(40 * time.Millisecond))
				time.Sleep(1500 * time.Millisecond)
				work.Store(0)
			})
		}},
		{name: "a channel in flow control", lasts: 30 * time.Second, rate: 500, late: 5 * time.Second /* the broker says it anew every 5 s */, want: `^flow `, args: tasks("--set", "tasks.channels=1", "--set", "tasks.connections=1"),
			plant: func(t *testing.T) (from, to time.Time) {
				return evaluated(t, b, queueProcess+", sys:suspend(P)", "sys:resume(P)", 7*time.Second)
			}},
	}
}

// answered is a flow whose messages the test's own consumer answers.
const answered = `vars:
  id: "{{uuid}}"
steps:
  - name: ask
    publish: {key: causes.work, correlation_id: "{{id}}", reply_to: "{{queue replies}}", body: "{{n}}"}
  - name: answer
    consume: {own_queue: replies, match: {property correlation_id: "{{id}}"}, timeout: 9s}
`

// serve consumes the queue causes.work, one message at a time, and answers each after
// as long as the test says.
func serve(t *testing.T, b *rabbitmqtest.Broker, work *atomic.Int64) {
	t.Helper()
	c, err := amqp.Dial(fmt.Sprintf("amqp://%s:%s@127.0.0.1:%d/%%2F", b.User, b.Password, b.Port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	ch, err := c.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Qos(1, 0, false); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare("causes.work", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	messages, err := ch.Consume("causes.work", "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for m := range messages {
			time.Sleep(time.Duration(work.Load()))
			_ = ch.Publish("", m.ReplyTo, false, false, amqp.Publishing{CorrelationId: m.CorrelationId}) // its loss fails the arrival
			_ = m.Ack(false)
		}
	}()
}
