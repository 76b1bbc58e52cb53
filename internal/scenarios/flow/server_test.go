package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// servers returns the settings of the servers under test.
func servers(t testing.TB) *targets.Settings {
	t.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" {
		t.Skip("needs servers: run make test")
	}
	return resolve(t, nil)
}

// database returns a connection and a table of the user's own in it.
func database(t testing.TB, s *targets.Settings) (c *pgx.Conn, table string) {
	t.Helper()
	c, err := postgres.Connect(t.Context(), s.Postgres, postgres.Options{Run: "test"})
	if err != nil {
		t.Fatal(err)
	}
	table = fmt.Sprintf("users_%x_%d", time.Now().UnixNano(), serial.Add(1))
	if _, err := c.Exec(t.Context(), "CREATE TABLE "+table+" (id bigint PRIMARY KEY, name text, ok bool, score numeric)"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = c.Exec(context.Background(), "DROP TABLE IF EXISTS "+table)
		_ = c.Close(context.Background())
	})
	return c, table
}

func TestStatementsAreExecutedAndTheirRowsChecked(t *testing.T) {
	s := servers(t)
	c, table := database(t, s)
	tr := begin(t, s, strings.ReplaceAll(`
setup:
  - sql: {query: "INSERT INTO TABLE VALUES ($1, 'first', true, 1.5) RETURNING id", args: [-1]}
    capture: {base: column id}
steps:
  - name: insert
    sql:
      query: INSERT INTO TABLE (id, name, ok, score) VALUES ($1, $2, $3, $4)
      args: ["{{n}}", "it's {{text 5}}", true, null]
    check: {rows: 1}
  - name: read
    sql: {query: "SELECT id, name, ok, score FROM TABLE WHERE id = $1 OR id = $2 ORDER BY id", args: ["{{n}}", "{{base}}"]}
    check: {rows: 2, column id: "{{base}}", column ok: true, column score: "1.5"}
    capture: {score: column score, ok: column ok}
  - if: score == 1.5 && ok
    then:
      - name: none
        sql: {query: "SELECT 1 FROM TABLE WHERE id = -5"}
        check: {rows: 0}
teardown:
  - sql: {query: "DELETE FROM TABLE WHERE id = -1"}
`, "TABLE", table))
	const n = 500
	tr.offer(t.Context(), n)
	if len(tr.failed) > 0 {
		t.Fatalf("failures %v: %v", tr.failed, tr.first)
	}
	for _, step := range []string{"insert", "read", "none"} {
		if got := tr.count(step); got != n {
			t.Errorf("step %s has %d successes, want %d", step, got, n)
		}
	}
	if h := tr.totals().Trend(metrics.Selector{Name: "db_query_duration", Tags: metrics.Tags{Operation: "insert"}}); h == nil || h.N != n {
		t.Errorf("db_query_duration holds %+v", h)
	}
	var rows, named int
	if err := c.QueryRow(t.Context(), "SELECT count(*), count(*) FILTER (WHERE name LIKE 'it''s _____' AND ok AND score IS NULL) FROM "+table+" WHERE id >= 0").Scan(&rows, &named); err != nil || rows != n || named != n {
		t.Errorf("the table holds %d rows, %d of them as written (%v)", rows, named, err)
	}
	tr.offer(t.Context(), 1)
	if tr.failed[postgres.KindConstraint] != 1 || !strings.Contains(tr.first.Error(), "step insert (") {
		t.Errorf("a key that is there twice: failures %v (%v)", tr.failed, tr.first)
	}
}

// Only null is NULL, in the first parameter as in any other, for the first arrival of
// a worker as for the next, in the set-up as in the steps.
func TestAnEmptyTextIsNoNull(t *testing.T) {
	servers(t)
	look := `SELECT $1::text IS NULL AS a, $2::text IS NULL AS b, $3::text IS NULL AS c`
	tr := begin(t, resolve(t, map[string]string{"NOTHING": ""}), strings.ReplaceAll(`
setup:
  - sql: {query: "LOOK", args: ["", null, ""]}
    check: {column a: false, column b: true, column c: false}
vars: {nothing: ""}
steps:
  - sql: {query: "LOOK", args: ["", "", null]}
    check: {column a: false, column b: false, column c: true}
  - sql: {query: "LOOK", args: ["{{nothing}}", "x", "{{env NOTHING}}"]}
    check: {column a: false, column b: false, column c: false}
`, "LOOK", look))
	tr.offer(t.Context(), 40)
	if len(tr.failed) > 0 {
		t.Errorf("failures %v: %v", tr.failed, tr.first)
	}
}

func TestStatementsThatTheServerRejectsAreToldBeforeTheFirstArrival(t *testing.T) {
	s := servers(t)
	_, table := database(t, s)
	for query, want := range map[string]string{
		"{query: SELECT nam FROM " + table + "}":  `step find (`,
		"{query: SELECT 1 FROM no_such_table}":    "does not exist",
		"{query: SELEC 1}":                        "syntax error",
		"{query: SELECT $1::int + $2, args: [1]}": "has 2 parameters ($1, $2 …), and there are 1 args",
	} {
		tr, err := newTrial(t, s, "steps:\n  - name: find\n    sql: "+query)
		if err != nil {
			t.Fatal(err)
		}
		err = tr.Setup(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "flow.yaml:2)") {
			t.Errorf("%s: got %v, want %q", query, err, want)
		}
		if err := tr.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestCommandsAreExecutedAndTheirRepliesChecked(t *testing.T) {
	s := servers(t)
	key := fmt.Sprintf("user:%x", time.Now().UnixNano())
	c, err := redis.Open(t.Context(), s.Redis, redis.Options{Connections: 1, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for n := range 200 {
			c.Del(context.Background(), fmt.Sprint(key, n))
		}
		c.Del(context.Background(), key+"hits")
		_ = c.Close()
	})
	tr := begin(t, s, strings.ReplaceAll(`
steps:
  - name: missing
    redis: [GET, "KEY{{n}}"]
    check: {exists: false}
  - redis: [SET, "KEY{{n}}", '{"state":"done","n":{{n}}}', EX, 60]
    check: {body: OK}
  - redis: [get, "KEY{{n}}"]
    check: {exists: true, json state: done, json n: "{{n}}"}
  - name: hits
    redis: [INCR, KEYhits]
    capture: {hits: body}
  - if: hits > 0
    then:
      - name: both
        redis: [MGET, "KEY{{n}}", KEYnone]
        check: {rows: 2, body contains: done}
`, "KEY", key))
	const n = 200
	tr.offer(t.Context(), n)
	if len(tr.failed) > 0 || tr.count("both") != n {
		t.Fatalf("%d of %d came to the end, failures %v: %v", tr.count("both"), n, tr.failed, tr.first)
	}
	if hits, err := c.Get(t.Context(), key+"hits").Int(); err != nil || hits != n {
		t.Errorf("the server counted %d hits (%v), want %d", hits, err, n)
	}
	bad := begin(t, s, "steps: [{redis: [INCR, '"+key+"0']}]")
	bad.offer(t.Context(), 1)
	if bad.failed[work.KindRejected] != 1 {
		t.Errorf("a command that the server rejects: failures %v (%v)", bad.failed, bad.first)
	}
}

func TestSeveralCommandsAreOneStep(t *testing.T) {
	s := servers(t)
	key := fmt.Sprintf("user:%x:", time.Now().UnixNano())
	tr := begin(t, s, strings.ReplaceAll(`
steps:
  - name: pipeline
    redis: {pipeline: [[SET, "KEY{{n}}", '{"n":{{n}}}', EX, 60], [GET, "KEYnone"], [GET, "KEY{{n}}"], [LRANGE, KEYlist, 0, -1], [INCRBY, "KEYc{{n}}", 5]]}
    check: {rows: 5, reply 1: OK, reply 2 present: false, reply 3: '{"n":{{n}}}', reply 5 above: 4}
    capture: {c: reply 5}
  - name: multi
    redis: {multi: [[DECRBY, "KEYc{{n}}", "{{c}}"], [DEL, "KEY{{n}}", "KEYc{{n}}"]]}
    check: {rows: 2, reply 1: 0, reply 2: 2}
`, "KEY", key))
	tr.offer(t.Context(), 100)
	if len(tr.failed) > 0 || tr.count("multi") != 100 {
		t.Fatalf("failures %v: %v", tr.failed, tr.first)
	}
	bad := begin(t, s, "steps: [{redis: {multi: [[SET, '"+key+"x', a], [INCR, '"+key+"x'], [DEL, '"+key+"x']]}}]")
	bad.offer(t.Context(), 1)
	if bad.failed[work.KindRejected] != 1 {
		t.Errorf("a command that the server rejects: failures %v (%v)", bad.failed, bad.first)
	}
}

// agent stands for a user's system: it takes tasks from a queue, and what reply
// returns goes to the exchange, or to reply_to where that is set.
func agent(t testing.TB, s *targets.Settings, reply func(d *amqp.Delivery) []amqp.Publishing) (queue, exchange string) {
	t.Helper()
	conn, err := rabbitmq.Dial(t.Context(), s.RabbitMQ, rabbitmq.Options{Name: "perfctl test"})
	if err != nil {
		t.Fatal(err)
	}
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	queue = fmt.Sprintf("user.%x.%d", time.Now().UnixNano(), serial.Add(1))
	exchange = queue + ".x"
	if err := ch.ExchangeDeclare(exchange, amqp.ExchangeTopic, false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(queue, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	tasks, err := ch.Consume(queue, "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for d := range tasks {
			for _, m := range reply(&d) {
				to, key := exchange, "result.done"
				if d.ReplyTo != "" {
					to, key = "", d.ReplyTo
				}
				if err := ch.Publish(to, key, false, false, m); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	t.Cleanup(func() {
		_, _ = ch.QueueDelete(queue, false, false, false)
		_ = ch.ExchangeDelete(exchange, false, false)
		conn.End(time.Second)
		<-done
	})
	return queue, exchange
}

func echo(d *amqp.Delivery) []amqp.Publishing {
	return []amqp.Publishing{{CorrelationId: d.CorrelationId, Headers: d.Headers, Body: []byte(`{"task":{"id":"` + d.CorrelationId + `","state":"done"}}`)}}
}

func TestEachArrivalGetsTheMessageThatIsItsOwn(t *testing.T) {
	s := servers(t)
	queue, exchange := agent(t, s, echo)
	for name, consume := range map[string]string{
		"by a queue bound to an exchange":  `{own_queue: results, exchange: EXCHANGE, key: "result.#", match: {json task.id: "{{id}}"}}`,
		"by reply_to and a correlation id": `{own_queue: results, match: {property correlation_id: "{{id}}"}}`,
	} {
		replyTo := ""
		if !strings.Contains(consume, "EXCHANGE") {
			replyTo = `reply_to: "{{queue results}}"`
		}
		tr := begin(t, s, strings.NewReplacer("QUEUE", queue, "EXCHANGE", exchange, "REPLY", replyTo).Replace(`
vars: {id: "{{uuid}}"}
steps:
  - name: send
    publish:
      key: QUEUE
      correlation_id: "{{id}}"
      headers: {number: "{{n}}"}
      body: '{"id":"{{id}}"}'
      REPLY
  - name: receive
    consume: `+consume+`
    check: {json task.state: done, header number: "{{n}}", property correlation_id: "{{id}}"}
`))
		const n = 400
		tr.offer(t.Context(), n)
		if len(tr.failed) > 0 || tr.count("send") != n || tr.count("receive") != n {
			t.Errorf("%s: %d sent, %d received, failures %v: %v", name, tr.count("send"), tr.count("receive"), tr.failed, tr.first)
		}
	}
}

func TestAMessageThatDoesNotComeIsATimeout(t *testing.T) {
	s := servers(t)
	queue, exchange := agent(t, s, func(d *amqp.Delivery) []amqp.Publishing {
		if string(d.Body) == "3" {
			return nil
		}
		return echo(d)
	})
	tr := begin(t, s, strings.NewReplacer("QUEUE", queue, "EXCHANGE", exchange).Replace(`
steps:
  - publish: {key: QUEUE, correlation_id: "c{{n}}", body: "{{n}}"}
  - name: receive
    consume: {own_queue: results, exchange: EXCHANGE, timeout: 300ms, match: {property correlation_id: "c{{n}}"}}
`))
	tr.offer(t.Context(), 20)
	if tr.failed[work.KindTimeout] != 1 || len(tr.failed) != 1 || tr.count("receive") != 19 {
		t.Errorf("%d received, failures %v: %v", tr.count("receive"), tr.failed, tr.first)
	}
}

func TestAMessageThatNoQueueTakesIsReturned(t *testing.T) {
	s := servers(t)
	_, exchange := agent(t, s, echo)
	tr := begin(t, s, "steps: [{name: send, publish: {exchange: "+exchange+", key: 'nobody.{{n}}'}}]")
	tr.offer(t.Context(), 50)
	if tr.failed[rabbitmq.KindReturned] != 50 {
		t.Errorf("failures %v: %v", tr.failed, tr.first)
	}
}

func TestAQueueThatIsMissingIsToldBeforeTheFirstArrival(t *testing.T) {
	s := servers(t)
	for steps, want := range map[string]string{
		"[{name: send, publish: {key: no.such.queue}}]":                 "use the queue no.such.queue",
		"[{name: send, publish: {exchange: no.such.exchange, key: a}}]": "use the exchange no.such.exchange",
		"[{name: take, consume: {queue: no.such.queue}}]":               "use the queue no.such.queue",
	} {
		tr, err := newTrial(t, s, "steps: "+steps)
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Setup(t.Context()); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "flow.yaml:1") {
			t.Errorf("%s: got %v, want %q", steps, err, want)
		}
		if err := tr.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestQueuesOfTheRunsOwnAreGoneAfterIt(t *testing.T) {
	s := servers(t)
	tr, err := newTrial(t, s, "steps: [{consume: {own_queue: mine, timeout: 1ms}}]")
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	queue := tr.ownQueue("mine")
	c, err := rabbitmq.OpenControl(t.Context(), s.RabbitMQ, rabbitmq.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if _, err := c.Length(t.Context(), queue); err != nil {
		t.Errorf("the queue is not there in the run: %v", err)
	}
	if err := tr.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Length(t.Context(), queue); err == nil {
		t.Error("the queue is left behind")
	}
}

func TestAConnectionThatIsCutIsRestored(t *testing.T) {
	s := servers(t)
	c, _ := database(t, s)
	tr := begin(t, s, "steps: [{name: ask, sql: {query: SELECT 1}, check: {rows: 1}}]")
	tr.offer(t.Context(), 20)
	if _, err := c.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'perfctl/"+tr.env.RunID+"'"); err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(20 * time.Second)
	for good := 0; good < 20; {
		err := tr.Do(t.Context(), &work.Arrival{})
		if good++; err != nil {
			good = 0
		}
		if time.Now().After(until) {
			t.Fatalf("no connection was restored: %v", err)
		}
	}
	tr.conn = nil // it was cut as well, and closing it would fail
}

func TestKindsOfTargetsFollowFromTheSteps(t *testing.T) {
	p, err := blank().parse("f.yaml", []byte("steps: [{sql: {query: SELECT 1}}, {redis: [GET, a]}, {consume: {queue: q}}, {if: 'true', then: [{http: {path: /}}]}]"))
	if err != nil || len(p.kinds) != 4 {
		t.Errorf("kinds %v (%v)", p.kinds, err)
	}
}

// orchestrator stands for a user's system: an API that takes tasks, an agent that
// works on each, a row in the database, an entry in the cache, a result on an
// exchange. fault says what goes wrong with task i.
func orchestrator(t *testing.T, s *targets.Settings, fault func(i int64) string) (api, exchange, table string) {
	t.Helper()
	c, err := postgres.Open(t.Context(), s.Postgres, postgres.Options{Run: "orchestrator", Size: 4})
	if err != nil {
		t.Fatal(err)
	}
	table = fmt.Sprintf("tasks_%x", time.Now().UnixNano())
	if _, err := c.Exec(t.Context(), "CREATE TABLE "+table+" (id text PRIMARY KEY, status text, agent text)"); err != nil {
		t.Fatal(err)
	}
	cache, err := redis.Open(t.Context(), s.Redis, redis.Options{Connections: 4, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := rabbitmq.Dial(t.Context(), s.RabbitMQ, rabbitmq.Options{Name: "orchestrator"})
	if err != nil {
		t.Fatal(err)
	}
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	exchange = table + ".results"
	if err := ch.ExchangeDeclare(exchange, amqp.ExchangeTopic, false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	var mu sync.Mutex
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		var task struct{ ID string }
		if err := json.NewDecoder(r.Body).Decode(&task); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		i := n.Add(1) - 1
		what := fault(i)
		status := "completed"
		if what == "row" {
			status = "lost"
		}
		ctx := context.Background()
		if _, err := c.Exec(ctx, "INSERT INTO "+table+" VALUES ($1, $2, 'a1')", task.ID, status); err != nil {
			t.Error(err)
		}
		if what != "cache" {
			cache.Set(ctx, "task:"+task.ID, `{"status":"completed"}`, time.Minute)
		}
		if what != "message" {
			mu.Lock()
			err := ch.Publish(exchange, "task.done", false, false, amqp.Publishing{Body: []byte(`{"task_id":"` + task.ID + `","status":"completed","agent":"a1"}`)})
			mu.Unlock()
			if err != nil {
				t.Error(err)
			}
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprintf(w, `{"id":%q}`, task.ID)
	}))
	t.Cleanup(func() {
		srv.Close()
		_ = ch.ExchangeDelete(exchange, false, false)
		conn.End(time.Second)
		_ = cache.Close()
		_, _ = c.Exec(context.Background(), "DROP TABLE "+table)
		_ = c.Close(context.Background())
	})
	return srv.URL, exchange, table
}

// example returns the text of an example with the names of a test's own.
func example(t *testing.T, name, exchange, table string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "configs", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("orchestrator.results", exchange, "FROM tasks", "FROM "+table, "timeout: 10s", "timeout: 2s").Replace(string(text))
}

func TestTheExampleWalksThroughAWholeOrchestrator(t *testing.T) {
	s := servers(t)
	api, exchange, table := orchestrator(t, s, func(int64) string { return "" })
	tr := begin(t, resolve(t, map[string]string{"API_BASE_URL": api}), example(t, "flow-orchestrator.yaml", exchange, table))
	const n = 300
	tr.offer(t.Context(), n)
	if len(tr.failed) > 0 {
		t.Fatalf("failures %v: %v", tr.failed, tr.first)
	}
	for _, step := range []string{"post_task", "wait_for_result", "read_from_database", "read_from_cache"} {
		if got := tr.count(step); got != n {
			t.Errorf("step %s has %d successes, want %d", step, got, n)
		}
	}
}

func TestTheExampleFindsWhatTheOrchestratorLoses(t *testing.T) {
	s := servers(t)
	api, exchange, table := orchestrator(t, s, func(i int64) string {
		return map[int64]string{3: "message", 5: "row", 7: "cache"}[i]
	})
	tr := begin(t, resolve(t, map[string]string{"API_BASE_URL": api}), example(t, "flow-orchestrator.yaml", exchange, table))
	tr.offer(t.Context(), 40)
	if tr.failed[work.KindTimeout] != 1 || tr.failed[answer.KindCheck] != 2 || len(tr.failed) != 2 {
		t.Errorf("failures %v, want one message that did not come and two answers that are wrong", tr.failed)
	}
	for step, want := range map[string]int64{"post_task": 40, "wait_for_result": 39, "read_from_database": 38, "read_from_cache": 37} {
		if got := tr.count(step); got != want {
			t.Errorf("step %s has %d successes, want %d", step, got, want)
		}
	}
}
