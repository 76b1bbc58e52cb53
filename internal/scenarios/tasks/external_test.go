package tasks

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
)

// orchestrator stands for a user's system: it takes tasks from its queue and
// replies as answer says; i counts the tasks from 0.
func orchestrator(t *testing.T, a targets.Address, queue string, answer func(ch *amqp.Channel, i int, d *amqp.Delivery) error) (exchange string) {
	t.Helper()
	ch := channel(t, a)
	exchange = queue + ".x"
	if err := ch.ExchangeDeclare(exchange, amqp.ExchangeTopic, false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(queue, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind(queue, "task.#", exchange, false, nil); err != nil {
		t.Fatal(err)
	}
	tasks, err := ch.Consume(queue, "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		i := 0
		for d := range tasks {
			if err := answer(ch, i, &d); err != nil {
				t.Error(err)
			}
			if err := d.Ack(false); err != nil {
				t.Error(err)
			}
			i++
		}
	}()
	t.Cleanup(func() {
		_, _ = ch.QueueDelete(queue, false, false, false)
		_ = ch.Close()
		<-done
	})
	return exchange
}

// echo replies as AMQP's convention has it.
func echo(ch *amqp.Channel, d *amqp.Delivery) error {
	return ch.Publish("", d.ReplyTo, false, false, amqp.Publishing{CorrelationId: d.CorrelationId, Body: []byte("done")})
}

func userQueue() string { return fmt.Sprintf("user.tasks.%x", time.Now().UnixNano()) }

// wantOutside fails the test unless exactly the named checks failed.
func wantOutside(t *testing.T, got map[string]scenarios.Check, names ...string) {
	t.Helper()
	for _, n := range []string{"tasks_lost", "tasks_duplicated", "tasks_unexpected", "replies_late"} {
		want := false
		for _, f := range names {
			want = want || f == n
		}
		if c, ok := got[n]; !ok || c.Passed == want {
			t.Errorf("check %s: got %+v, want failed %v", n, c, want)
		}
	}
}

func TestExternalAgentsAreGivenTasksAndTheirRepliesAreTimed(t *testing.T) {
	a := broker(t)
	queue := userQueue()
	var bad atomic.Int64
	exchange := orchestrator(t, a, queue, func(ch *amqp.Channel, _ int, d *amqp.Delivery) error {
		var body struct {
			ID string `json:"task_id"`
		}
		if json.Unmarshal(d.Body, &body) != nil || body.ID != d.CorrelationId || d.ContentType != "application/json" {
			bad.Add(1)
		}
		return echo(ch, d)
	})
	const n = 500
	tr := begin(t, a, n, 20, keyAgents, external, keyExchange, exchange, keyRoutingKey, "task.new", keyWatchQueue, queue)
	if failed := tr.offer(t.Context(), 0, n, 20); len(failed) > 0 {
		t.Fatalf("failures: %v", failed)
	}
	tr.Sample(t.Context())
	wantOutside(t, tr.verdicts(t))
	if bad.Load() > 0 {
		t.Errorf("%d tasks did not carry what they should", bad.Load())
	}
	totals := tr.totals()
	for name, want := range map[string]int64{"tasks_published": n, "tasks_confirmed": n, "tasks_processed": n, "tasks_late": 0, "tasks_duplicated": 0} {
		if got := tr.count(name); got != want {
			t.Errorf("%s = %d, want %d", name, got, want)
		}
	}
	if h := totals.Trend(selector("agent_task_latency")); h == nil || h.N != n || h.Min <= 0 {
		t.Errorf("agent_task_latency: %+v, want %d values", h, n)
	}
	if g := totals.Gauge(selector("rabbitmq_queue_length")); len(g) == 0 || g[0] != 0 {
		t.Errorf("queue length %v", g)
	}
}

func TestWhatExternalAgentsDoWrongIsFoundAndNamed(t *testing.T) {
	a := broker(t)
	queue := userQueue()
	const n = 40
	exchange := orchestrator(t, a, queue, func(ch *amqp.Channel, i int, d *amqp.Delivery) error {
		switch i {
		case 3: // keeps the task to itself
			return nil
		case 5: // replies twice
			if err := echo(ch, d); err != nil {
				return err
			}
		case 7: // replies to somebody else's
			return ch.Publish("", d.ReplyTo, false, false, amqp.Publishing{CorrelationId: "order-7"})
		case 9: // invents a task
			if err := ch.Publish("", d.ReplyTo, false, false, amqp.Publishing{CorrelationId: forge(d.CorrelationId)}); err != nil {
				return err
			}
		}
		return echo(ch, d)
	})
	tr := begin(t, a, n, 1, keyAgents, external, keyExchange, exchange, keyRoutingKey, "task.new", keyReplyTimeout, "300ms", keySettle, "300ms")
	if failed := tr.offer(t.Context(), 0, n, 1); len(failed) > 0 {
		t.Fatalf("failures: %v", failed)
	}
	got := tr.verdicts(t)
	wantOutside(t, got, "tasks_lost", "tasks_duplicated", "tasks_unexpected")
	for name, want := range map[string]string{
		"tasks_lost":       "2 of 40 confirmed tasks have no reply: number 3, 7 ",
		"tasks_duplicated": "1 of 38 tasks have more than one reply: number 5;",
		"tasks_unexpected": "1 replies to tasks that this run never published; 1 messages that are no reply",
	} {
		if d := got[name].Detail; !strings.HasPrefix(d, want) {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// forge returns the id of another task of the same run.
func forge(id string) string { return id[:len(id)-4] + "ffff" }

func TestLateRepliesAreToldAndCounted(t *testing.T) {
	a := broker(t)
	queue := userQueue()
	release := make(chan struct{})
	exchange := orchestrator(t, a, queue, func(ch *amqp.Channel, i int, d *amqp.Delivery) error {
		if i == 4 {
			<-release
		}
		return echo(ch, d)
	})
	tr := begin(t, a, 5, 1, keyAgents, external, keyExchange, exchange, keyRoutingKey, "task.new", keyReplyTimeout, "20ms", keySettle, "20s")
	tr.offer(t.Context(), 0, 5, 1)
	await(t, "the others are replied to", func() bool { return tr.ledger.moves.Load() == 4 })
	due, _ := tr.outside.times.get(4)
	await(t, "a reply would be late", func() bool { return tr.clock.Now() > due+20*time.Millisecond })
	close(release)
	got := tr.verdicts(t)
	if c := got["replies_late"]; c.Passed || got["tasks_lost"].Passed != true {
		t.Errorf("got %+v", got)
	}
	if n := tr.count("tasks_late"); n < 1 {
		t.Errorf("tasks_late = %d", n)
	}
}

func TestRepliesMayComeThroughTheUsersExchangeWithTheIDInTheirBody(t *testing.T) {
	a := broker(t)
	queue := userQueue()
	exchange := orchestrator(t, a, queue, func(ch *amqp.Channel, _ int, d *amqp.Delivery) error {
		body := fmt.Sprintf(`{"status":"done","task":{"id":%q}}`, d.MessageId)
		return ch.Publish(d.Exchange, "result.done", false, false, amqp.Publishing{Body: []byte(body)})
	})
	const n = 50
	tr := begin(t, a, n, 5, keyAgents, external, keyExchange, exchange, keyRoutingKey, "task.new",
		keyReplyExchange, exchange, keyReplyKey, "result.*", keyReplyID, "body.task.id")
	tr.offer(t.Context(), 0, n, 5)
	wantOutside(t, tr.verdicts(t))
}

func TestAQueueOfTheUsersIsNeitherMadeNorRemoved(t *testing.T) {
	a := broker(t)
	ch := channel(t, a)
	replies := userQueue() + ".replies"
	if _, err := ch.QueueDeclare(replies, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = ch.QueueDelete(replies, false, false, false) }()
	queue := userQueue()
	orchestrator(t, a, queue, func(c *amqp.Channel, _ int, d *amqp.Delivery) error {
		return c.Publish("", replies, false, false, amqp.Publishing{CorrelationId: d.CorrelationId})
	})
	tr := newTrial(t, a, 10, 2, keyAgents, external, keyRoutingKey, queue, keyReplyQueue, replies)
	if err := tr.Setup(within(t, 20*time.Second)); err != nil {
		t.Fatal(err)
	}
	tr.offer(t.Context(), 0, 10, 2)
	wantOutside(t, tr.verdicts(t))
	if err := tr.Close(within(t, 20*time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclarePassive(replies, true, false, false, false, nil); err != nil {
		t.Errorf("the user's queue is gone: %v", err)
	}
}

func TestAMissingExchangeIsToldBeforeTheRun(t *testing.T) {
	tr := newTrial(t, broker(t), 1, 1, keyAgents, external, keyExchange, "no.such.exchange", keyRoutingKey, "k")
	err := tr.Setup(within(t, 20*time.Second))
	if err == nil || !strings.Contains(err.Error(), "cannot use the exchange no.such.exchange: the virtual host has none of that name") {
		t.Errorf("got %v", err)
	}
	if err := tr.Close(within(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
}
