package flow

import (
	"net/url"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
)

// Transfers that take their locks in both orders wait for each other. The server gives
// one of them up (40P01), and it is executed again.
func TestADeadlockIsTriedAgain(t *testing.T) {
	at := *servers(t).Postgres.URL
	q := at.Query()
	q.Set("options", "-c deadlock_timeout=10ms")
	at.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	s := resolve(t, map[string]string{"DATABASE_URL": at.String(), "DB_HOST": "", "DB_PORT": "", "DB_USER": "", "DB_PASSWORD": "", "DB_NAME": ""})
	if _, err := url.Parse(at.String()); err != nil {
		t.Fatal(err)
	}
	c, table := database(t, s)
	const text = `
setup:
  - sql: {query: "DELETE FROM TABLE"}
  - sql: {query: "INSERT INTO TABLE (id, score) VALUES (1, 1000), (2, 1000)"}
vars: {from: "{{choice 1 2}}", amount: "{{random 1 9}}"}
steps:
  - name: transfer
    transaction:
      retries: RETRIES
      steps:
        - sql: {query: "UPDATE TABLE SET score = score - $2 WHERE id = $1", args: ["{{from}}", "{{amount}}"]}
          check: {rows: 1}
        - sql: {query: "SELECT pg_sleep(0.002)::text"}
        - sql: {query: "UPDATE TABLE SET score = score + $2 WHERE id = 3 - $1::int", args: ["{{from}}", "{{amount}}"]}
          check: {rows: 1}
`
	for _, retries := range []string{"1000", "0"} {
		tr := begin(t, s, strings.NewReplacer("TABLE", table, "RETRIES", retries).Replace(text))
		const n = 200
		tr.offer(t.Context(), n)
		tries := count(tr, metrics.Selector{Name: "db_retries", Tags: metrics.Tags{Operation: "40P01"}})
		switch {
		case retries == "0" && (len(tr.failed) != 1 || !strings.Contains(tr.first.Error(), "40P01") || tries != 0):
			t.Errorf("without another try: %d tries more, failures %v: %v", tries, tr.failed, tr.first)
		case retries != "0" && (len(tr.failed) > 0 || tries == 0):
			t.Errorf("%d tries more, failures %v: %v", tries, tr.failed, tr.first)
		}
		var sum float64
		if err := c.QueryRow(t.Context(), "SELECT sum(score) FROM "+table).Scan(&sum); err != nil || sum != 2000 {
			t.Errorf("the accounts hold %v (%v), want 2000", sum, err)
		}
	}
}
