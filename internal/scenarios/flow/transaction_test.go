package flow

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// count returns what a counter holds.
func count(tr *trial, q metrics.Selector) int64 {
	n, _ := tr.totals().Counter(q)
	return n
}

func TestFaultsOfATransactionAreFoundWhenTheFileIsRead(t *testing.T) {
	for text, want := range map[string]string{
		"{steps: []}":                       "the steps of a transaction are empty",
		"{}":                                `needs the key "steps"`,
		"{steps: [{sql: {query: COMMIT}}]}": "cannot be a step of a transaction",
		"{steps: [{http: {path: /}}]}":      "http cannot be a step of a transaction",
		"{steps: [{redis: [GET, a]}]}":      "redis cannot be a step of a transaction",
		"{steps: [{if: 'true', then: [{http: {path: /}}]}]}":                 "http cannot be a step of a transaction",
		"{steps: [{sql: {query: SELECT 1}, on_failure: continue}]}":          "fails as a whole",
		"{steps: [{transaction: {steps: [{sql: {query: SELECT 1}}]}}]}":      "within another one",
		"{isolation: snapshot, steps: [{sql: {query: SELECT 1}}]}":           `"snapshot" is not one of read committed`,
		"{retries: -1, steps: [{sql: {query: SELECT 1}}]}":                   "0 … 1000",
		"{end: abort, steps: [{sql: {query: SELECT 1}}]}":                    "commit, rollback",
		"{steps: [{sql: {query: SELECT 1}}]}\n    check: {rows: 1}":          "check does not belong to a step of transaction",
		"{steps: [{sql: {query: SELECT 1}}]}\n  - sql: {query: SAVEPOINT a}": "belongs to a transaction",
		"{steps: [{sql: {query: SELECT $1, args: [{jsn: 1}]}}]}":             `did you mean "json"?`,
		"{steps: [{sql: {query: SELECT $1, args: [{base64: '*'}]}}]}":        "base64",
		"{steps: [{sql: {query: SELECT $1, args: [{}]}}]}":                   "an arg is a value, a list, or one of",
	} {
		_, err := newTrial(t, resolve(t, nil), "steps:\n  - transaction: "+text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

// Money that is moved between two accounts in many transactions at once is neither
// made nor lost, however often the server gives one of them up.
func TestATransactionMovesMoney(t *testing.T) {
	s := servers(t)
	c, table := database(t, s)
	for _, isolation := range []string{"", "read committed", "serializable"} {
		line := ""
		if isolation != "" {
			line = "\n      isolation: " + isolation
		}
		tr := begin(t, s, strings.NewReplacer("TABLE", table, "ISOLATION", line).Replace(`
setup:
  - transaction:
      steps:
        - sql: {query: "DELETE FROM TABLE"}
        - sql: {query: "INSERT INTO TABLE (id, score) VALUES (1, 1000), (2, 1000)"}
vars: {from: 1, to: 2, amount: "{{random -9 9}}"}
steps:
  - name: move
    group: money
    transaction:
      retries: 1000ISOLATION
      steps:
        - name: take
          sql: {query: "UPDATE TABLE SET score = score - $2 WHERE id = $1 RETURNING score", args: ["{{from}}", "{{amount}}"]}
          check: {rows: 1}
          capture: {left: column score}
        - if: n % 10 == 9
          then:
            - name: nobody
              sql: {query: "UPDATE TABLE SET score = 0 WHERE id = 99"}
              check: {rows: 1}
        - name: give
          sql: {query: "UPDATE TABLE SET score = score + $2 WHERE id = $1", args: ["{{to}}", "{{amount}}"]}
          check: {rows: 1}
`))
		const n = 100
		tr.offer(t.Context(), n)
		if tr.failed[answer.KindCheck] != n/10 || len(tr.failed) != 1 || !strings.Contains(fmt.Sprint(tr.first), "step nobody (") {
			t.Errorf("%s: failures %v (%v), want those of the check that fails", isolation, tr.failed, tr.first)
		}
		var sum, least float64
		if err := c.QueryRow(t.Context(), "SELECT sum(score), count(*) FROM "+table).Scan(&sum, &least); err != nil || sum != 2000 || least != 2 {
			t.Errorf("%s: the accounts hold %v (%v), want 2000", isolation, sum, err)
		}
		ends := func(outcome string) int64 {
			return count(tr, metrics.Selector{Name: "db_transactions", Tags: metrics.Tags{Operation: "move", Outcome: outcome}})
		}
		tries := count(tr, metrics.Selector{Name: "db_retries"})
		if ends("committed") != n-n/10 || ends("rolled_back") != n/10+tries || ends("unknown") != 0 {
			t.Errorf("%s: %d committed, %d rolled back, %d tries more", isolation, ends("committed"), ends("rolled_back"), tries)
		}
		if isolation == "serializable" && tries == 0 {
			t.Error("nothing was tried again, though everything conflicts")
		}
		for _, name := range []string{"db_transaction_duration", "flow_step_duration", "db_pool_wait"} {
			want := int64(n - n/10)
			if name == "db_pool_wait" {
				want = n
			}
			if h := tr.totals().Trend(metrics.Selector{Name: name, Tags: metrics.Tags{Operation: "move", Group: "money"}}); h == nil || h.N != want {
				t.Errorf("%s: %s holds %+v, want %d", isolation, name, h, want)
			}
		}
	}
}

func TestATransactionThatIsRolledBackLeavesNothing(t *testing.T) {
	s := servers(t)
	c, table := database(t, s)
	tr := begin(t, s, strings.ReplaceAll(`
steps:
  - name: try
    transaction:
      end: rollback
      steps:
        - sql: {query: "INSERT INTO TABLE (id) VALUES ($1)", args: ["{{n}}"]}
        - sql: {query: SAVEPOINT a}
        - sql: {query: "DELETE FROM TABLE"}
        - sql: {query: ROLLBACK TO a}
        - sql: {query: "SELECT count(*) AS n FROM TABLE WHERE id = $1", args: ["{{n}}"]}
          check: {column n: 1}
  - name: twice
    on_failure: continue
    transaction:
      steps:
        - sql: {query: "INSERT INTO TABLE (id) VALUES (-1)"}
        - sql: {query: "INSERT INTO TABLE (id) VALUES (-1)"}
  - name: after
    sql: {query: "SELECT count(*) AS n FROM TABLE"}
    check: {column n: 0}
`, "TABLE", table))
	tr.offer(t.Context(), 50)
	var rows int
	if err := c.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows are left (%v)", rows, err)
	}
	if tr.failed[postgres.KindConstraint] != 50 || tr.count("after") != 50 || tr.count("try") != 50 {
		t.Errorf("%d went on, failures %v (%v)", tr.count("after"), tr.failed, tr.first)
	}
	if n := count(tr, metrics.Selector{Name: "db_reconnects"}); n != 0 {
		t.Errorf("%d connections were replaced", n)
	}
}

// An arrival whose time is over in a transaction leaves neither locks nor a broken
// connection to the next one.
func TestATransactionEndsWithItsArrival(t *testing.T) {
	s := servers(t)
	_, table := database(t, s)
	tr := begin(t, s, strings.ReplaceAll(`
setup: [{sql: {query: "INSERT INTO TABLE (id, score) VALUES (1, 0)"}}]
steps:
  - transaction:
      steps:
        - sql: {query: "UPDATE TABLE SET score = score + 1 WHERE id = 1"}
        - sql: {query: "SELECT pg_sleep(0.2)"}
`, "TABLE", table), "timeout=50ms", "pool_size=1")
	for range 3 {
		tr.offer(t.Context(), 1)
	}
	if tr.failed[work.KindTimeout] != 3 {
		t.Errorf("failures %v (%v)", tr.failed, tr.first)
	}
	if n := count(tr, metrics.Selector{Name: "db_transactions", Tags: metrics.Tags{Outcome: "rolled_back"}}); n != 3 {
		t.Errorf("%d were rolled back", n)
	}
}

func TestArgumentsKeepTheirType(t *testing.T) {
	s := servers(t)
	tr := begin(t, s, `
setup:
  - sql: {query: "SELECT ($1::jsonb->>1)::int AS j, ($2::int[])[2] AS a", args: [[1, 2], [3, 4]]}
    check: {column j: 2, column a: 4}
  - sql: {query: "SELECT NULL AS nothing, '{\"a\":1}'::json AS object"}
    capture: {nothing: column nothing, object: column object}
vars: {odd: "a\"b\\c,{d} é"}
steps:
  - name: scalars
    sql: {query: "SELECT $1::int + 1 AS i, $2::bool AS b, $3::float8 * 2 AS f, $4::text AS t, $5::text IS NULL AS n", args: [41, true, 1.5, "42", null]}
    check: {column i: 42, column b: true, column f: 3, column t: "42", column n: true}
  - name: captured
    sql: {query: "SELECT $1::text IS NULL AS n, $2::json->>'a' AS a, $3::text = '' AS e", args: ["{{nothing}}", "{{object}}", " {{nothing}}"]}
    check: {column n: true, column a: 1, column e: false}
  - name: json
    sql: {query: "SELECT $1::jsonb->'list'->>1 AS x, $1::jsonb->>'odd' = $2 AS odd, jsonb_typeof($1::jsonb->'n') AS sort, $3::jsonb->>'odd' = $2::text AS given", args: [{json: {list: [1, "{{n}}"], odd: "{{odd}}", n: 5, o: {p: null}}}, "{{odd}}", {json: '{"odd":"{{odd}}"}'}]}
    check: {column x: "{{n}}", column odd: true, column sort: number, column given: true}
  - name: lists
    sql: {query: "SELECT $1::text[] = ARRAY['a\"b\\c,{d} é', NULL, '', 'x y', 'null'] AS same, $2::int[] = ARRAY[[1,2],[3,4]] AS nested, $3::jsonb->>0 = 'a\"b\\c,{d} é' AS js, 3 = ANY($4::bigint[]) AS found", args: [["{{odd}}", null, "", "x y", "null"], [[1, 2], [3, 4]], ["{{odd}}", 2, true], [1, 3]]}
    check: {column same: true, column nested: true, column js: true, column found: true}
  - name: bytes
    sql: {query: "SELECT encode($1::bytea, 'escape') AS a, length($2::bytea) AS n, encode($2::bytea, 'hex') AS h", args: [{bytes: 'a\b'}, {base64: "AP8="}]}
    check: {column a: 'a\\b', column n: 2, column h: 00ff}
`)
	tr.offer(t.Context(), 5)
	if len(tr.failed) > 0 {
		t.Errorf("failures %v: %v", tr.failed, tr.first)
	}
	if n := count(tr, metrics.Selector{Name: "db_transactions", Tags: metrics.Tags{Outcome: "committed"}}); n != 25 {
		t.Errorf("%d statements are transactions of their own, want 25", n)
	}
}
