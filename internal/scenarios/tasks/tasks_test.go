package tasks

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

func TestEveryTaskIsConfirmedProcessedAndAccountedFor(t *testing.T) {
	a := broker(t)
	const n = 2000
	tr := begin(t, a, n, 50, keyWorkTime, "1ms", keyPriorities, "3")
	if failed := tr.offer(t.Context(), 0, n, 50); len(failed) > 0 {
		t.Fatalf("failures: %v", failed)
	}
	tr.Sample(t.Context())
	wantFailed(t, tr.verdicts(t))

	for name, want := range map[string]int64{
		"tasks_published": n, "tasks_confirmed": n, "tasks_processed": n, "tasks_nacked": 0, "tasks_returned": 0,
		"tasks_unknown": 0, "tasks_duplicated": 0, "tasks_unexpected": 0, "rabbitmq_reconnects": 0,
	} {
		if got := tr.count(name); got != want {
			t.Errorf("%s = %d, want %d", name, got, want)
		}
	}
	q, err := channel(t, a).QueueDeclarePassive(tr.queue, true, false, false, false, nil)
	if err != nil || q.Messages != 0 {
		t.Errorf("the broker holds %d tasks, %v", q.Messages, err)
	}
}

func TestTrendsAreTakenForEveryTaskInItsStage(t *testing.T) {
	const n = 400
	tr := begin(t, broker(t), n, 10, keyWorkTime, "1ms")
	tr.offer(t.Context(), 0, n, 10)
	tr.Sample(t.Context())
	tr.verdicts(t)
	totals := tr.totals()
	for _, name := range []string{"rabbitmq_publish_latency", "rabbitmq_consume_latency", "rabbitmq_ack_latency", "agent_task_latency", "agent_wait_time"} {
		for _, stage := range []string{"first", "second"} {
			h := totals.Trend(metrics.Selector{Name: name, Tags: metrics.Tags{Stage: stage, Scenario: "tasks"}})
			if h == nil || h.N != n/2 {
				t.Errorf("%s in stage %s: got %+v, want %d values", name, stage, h, n/2)
			}
		}
	}
	work := totals.Trend(metrics.Selector{Name: "rabbitmq_ack_latency"})
	if work.Min < int64(time.Millisecond) {
		t.Errorf("an acknowledgement came after %v, before the work of 1ms was done", time.Duration(work.Min))
	}
	for _, name := range []string{"rabbitmq_queue_length", "agent_availability", "agents_busy", "rabbitmq_prefetch"} {
		if v := totals.Gauge(metrics.Selector{Name: name}); len(v) != 1 {
			t.Errorf("gauge %s has readings %v, want one", name, v)
		}
	}
}

func TestQuorumQueueAndOneAgentWithoutWork(t *testing.T) {
	const n = 100
	tr := begin(t, broker(t), n, 5, keyQueueType, "quorum", keyAgents, "1", keyPrefetch, "1", keyWorkTime, "0s", keyBodySize, "5000", keyConnections, "1", keyChannels, "1")
	if failed := tr.offer(t.Context(), 0, n, 5); len(failed) > 0 {
		t.Fatalf("failures: %v", failed)
	}
	wantFailed(t, tr.verdicts(t))
}

func TestConnectionsCutInTheMiddleAreRestoredAndNothingConfirmedIsLost(t *testing.T) {
	a := broker(t)
	p, through := startProxy(t, a)
	const n = 3000
	tr := begin(t, through, n, 40, keyWorkTime, "1ms", keyAgents, "8")

	done := make(chan map[work.Kind]int)
	go func() { done <- tr.offer(t.Context(), 0, n, 40) }()
	await(t, "tasks are processed", func() bool { return tr.ledger.moves.Load() >= n/20 })
	p.cut(false)
	failed := <-done
	sent := int64(n + 200)
	for kind, count := range failed {
		sent -= int64(count)
		if kind != work.KindClosed && kind != rabbitmq.KindUnknown {
			t.Errorf("failures of kind %s; a lost connection is %s or %s", kind, work.KindClosed, rabbitmq.KindUnknown)
		}
	}
	await(t, "the publishers are back", func() bool { return tr.publishersUp(true) })
	if failed := tr.offer(t.Context(), n, n+200, 40); len(failed) > 0 {
		t.Errorf("failures after the connections were restored: %v", failed)
	}
	wantFailed(t, tr.verdicts(t))
	if got := tr.count("rabbitmq_reconnects"); got < 2 {
		t.Errorf("%d reconnects counted", got)
	}
	if got := tr.ledger.account(); got.confirmed != sent {
		t.Errorf("%d tasks confirmed, want the %d whose arrivals succeeded", got.confirmed, sent)
	}
}

func TestWhileTheBrokerIsGoneArrivalsFailAtOnce(t *testing.T) {
	p, through := startProxy(t, broker(t))
	tr := begin(t, through, 100, 10)
	p.cut(true)
	await(t, "the loss is noticed", func() bool { return tr.publishersUp(false) })
	if failed := tr.offer(t.Context(), 0, 100, 10); failed[work.KindClosed] != 100 {
		t.Errorf("failures: %v, want 100 of kind %s", failed, work.KindClosed)
	}
	tr.Sample(within(t, 5*time.Second))
	p.mu.Lock()
	p.down = false
	p.mu.Unlock()
	await(t, "the publishers are back", func() bool { return tr.publishersUp(true) })
	wantFailed(t, tr.verdicts(t))
}

func TestBrokerThatStandsStillMakesTimeoutsAndItsTasksAreRecovered(t *testing.T) {
	p, through := startProxy(t, broker(t))
	tr := begin(t, through, 40, 10, keyTimeout, "150ms")
	p.gate.Lock()
	failed := tr.offer(t.Context(), 0, 20, 10)
	p.gate.Unlock()
	if failed[work.KindTimeout] != 20 {
		t.Errorf("failures: %v, want 20 of kind %s", failed, work.KindTimeout)
	}
	// What was written before is on its way all the same.
	await(t, "the tasks are processed", func() bool { return tr.ledger.moves.Load() == 20 })
	got := tr.verdicts(t)
	wantFailed(t, got)
	if d := got["tasks_lost"].Detail; !strings.Contains(d, "20 of unknown outcome, of which 20 were processed") {
		t.Errorf("detail: %s", d)
	}
}

func TestArrivalEndsWithItsContext(t *testing.T) {
	p, through := startProxy(t, broker(t))
	tr := begin(t, through, 1, 1)
	p.gate.Lock()
	defer p.gate.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := tr.Do(ctx, &work.Arrival{Due: tr.clock.Now()}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestStolenTaskIsFoundLost(t *testing.T) {
	a := broker(t)
	tr := begin(t, a, 20, 1, keyAgents, "1", keyPrefetch, "1", keyWorkTime, "30ms", keySettle, "200ms")
	ch := channel(t, a)
	tr.offer(t.Context(), 0, 20, 1)
	if _, ok, err := ch.Get(tr.queue, true); !ok || err != nil {
		t.Fatalf("nothing to steal: %v, %v", ok, err)
	}
	got := tr.verdicts(t)
	wantFailed(t, got, "tasks_lost")
	if d := got["tasks_lost"].Detail; !strings.HasPrefix(d, "1 of 20 confirmed tasks were never processed: number ") {
		t.Errorf("detail: %s", d)
	}
}

func TestForeignAndDoubledMessagesAreFound(t *testing.T) {
	a := broker(t)
	tr := begin(t, a, 10, 1)
	tr.offer(t.Context(), 0, 10, 1)
	ch := channel(t, a)
	own, never, foreign := make([]byte, 64), make([]byte, 64), make([]byte, 64)
	(&task{run: tr.run, n: 3}).encode(own)
	(&task{run: tr.run, n: 12345}).encode(never)
	(&task{run: tr.run + 1, n: 3}).encode(foreign)
	for _, body := range [][]byte{own, never, foreign, []byte("hello")} {
		if err := ch.Publish("", tr.queue, false, false, amqp.Publishing{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "all messages were taken", func() bool { return tr.ledger.moves.Load() == 14 })
	got := tr.verdicts(t)
	wantFailed(t, got, "tasks_duplicated", "tasks_unexpected")
	if d := got["tasks_unexpected"].Detail; !strings.HasPrefix(d, "3 messages") {
		t.Errorf("detail: %s", d)
	}
	if d := got["tasks_duplicated"].Detail; !strings.HasPrefix(d, "1 of 10 processed tasks were delivered more often than they were published: number 3;") {
		t.Errorf("detail: %s", d)
	}
}

func TestTaskThatNoQueueTakesIsReturned(t *testing.T) {
	a := broker(t)
	tr := begin(t, a, 200, 20)
	// Without its name the queue cannot be reached by the default exchange.
	queue := tr.queue
	tr.queue = queue + ".missing"
	failed := tr.offer(t.Context(), 0, 200, 20)
	tr.queue = queue
	if failed[rabbitmq.KindReturned] != 200 {
		t.Errorf("failures: %v, want 200 of kind %s", failed, rabbitmq.KindReturned)
	}
	wantFailed(t, tr.verdicts(t))
	if got := tr.count("tasks_returned"); got != 200 {
		t.Errorf("tasks_returned = %d", got)
	}
}

func TestSetupExplainsWhyItCannotUseTheBroker(t *testing.T) {
	a := broker(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := *a.URL
	refused.Host = free.Addr().String()
	_ = free.Close()
	for name, c := range map[string]struct {
		address targets.Address
		want    string
	}{
		"wrong password": {with(a, "guest", "wr0ng-secret"), "RABBITMQ_PASSWORD"},
		"refused port":   {targets.Address{Kind: a.Kind, URL: &refused}, "nothing listens there"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t, c.address, 1, 1)
			err := tr.Setup(within(t, 20*time.Second))
			if _, ok := errors.AsType[*targets.UnreachableError](err); !ok || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an UnreachableError with %q", err, c.want)
			}
			if strings.Contains(err.Error(), "wr0ng-secret") {
				t.Errorf("the error holds the password: %v", err)
			}
			if err := tr.Close(within(t, 5*time.Second)); err != nil {
				t.Errorf("close after a failed setup: %v", err)
			}
		})
	}
}

func TestCloseLeavesNothingAndResetRemovesWhatKilledRunsLeft(t *testing.T) {
	a := broker(t)
	ctx := within(t, 30*time.Second)
	// A killed run: its queue and its record stay.
	control, err := rabbitmq.OpenControl(ctx, a, rabbitmq.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = control.Close(context.Background()) }()
	left := newTrial(t, a, 1, 1)
	// Other tests may be using the broker: Reset is to see this test's queues only.
	left.queue = "perfctl.reset-" + left.queue
	if err := control.Record(ctx, left.queue); err != nil {
		t.Fatal(err)
	}
	if err := control.Do(ctx, left.declare); err != nil {
		t.Fatal(err)
	}

	tr := newTrial(t, a, 10, 1)
	tr.prefix = "perfctl.reset-"
	tr.queue = tr.prefix + tr.queue
	if err := tr.Setup(ctx); err != nil {
		t.Fatal(err)
	}
	tr.offer(t.Context(), 0, 10, 1)
	if err := tr.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Length(ctx, tr.queue); err == nil {
		t.Errorf("queue %s is still there after Close", tr.queue)
	}
	removed, err := tr.Reset(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(removed, "\n"); !strings.Contains(text, "queue "+left.queue+" with 0 messages") || strings.Contains(text, tr.queue) {
		t.Errorf("removed: %q, want %s and not %s", removed, left.queue, tr.queue)
	}
	if removed, err := tr.Reset(ctx); err != nil || len(removed) > 0 {
		t.Errorf("a second reset removed %q, %v", removed, err)
	}
}
