package script

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets/postgres/postgrestest"
	"github.com/perfctl/perfctl/internal/targets/redis/redistest"
)

func TestMain(m *testing.M) { postgrestest.Exit(m.Run()) }

func TestScriptsReachRedisAndPostgreSQL(t *testing.T) {
	env := map[string]string{"DATABASE_URL": postgrestest.Address(t).URL.String(), "RUN": "script"}
	redistest.Need(t)
	env["RABBITMQ_URL"] = os.Getenv("RABBITMQ_URL")
	env["REDIS_URL"] = "redis://" + redistest.Start(t).Address()
	for file, want := range map[string][]string{
		"redis.js": {"got back", "counted", "listed", "hashed", "missed", "sent"},
		"amqp.js":  {"declared", "inspected", "listened", "properties", "bytes", "waited", "late", "returned", "gone", "immediate", "unknown", "purged"},
		"sql.js":   {"inserted", "selected", "dated", "old way", "refused"},
	} {
		p, err := load(t, filepath.Join("testdata", "stores", file), env)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.run(t.Context()); err != nil {
			t.Error(err)
		}
		for _, e := range p.errs {
			t.Errorf("%s: an iteration failed: %v", file, e)
		}
		got := p.rates("checks")
		for _, name := range want {
			if got[name] != "4/4" {
				t.Errorf("%s: check %q: %s, want 4/4", file, name, got[name])
			}
		}
		if t.Failed() {
			t.Logf("log:\n%s", p.log.text())
		}
	}
}

func TestAScriptReachesTheNodesOfACluster(t *testing.T) {
	nodes := redistest.Cluster(t)
	env := map[string]string{"A": nodes[0].Address(), "B": nodes[1].Address()}
	file := filepath.Join(t.TempDir(), "x.js")
	if err := os.WriteFile(file, []byte(`import redis from 'k6/experimental/redis'; import { check } from 'k6';
const [host, port] = __ENV.B.split(':');
const clients = [
  new redis.Client({ cluster: { nodes: ['redis://' + __ENV.A, { socket: { host, port: parseInt(port) } }] } }),
  new redis.Client('redis://' + __ENV.A), // which says itself that it is one of several
];
export default async function () {
  for (const [n, client] of clients.entries()) {
    let same = 0;
    for (let i = 0; i < 20; i++) { // in slots of every node
      await client.set('perfctl-test:script:' + i, 'v' + i);
      if (await client.get('perfctl-test:script:' + i) === 'v' + i) { same++; }
    }
    check(same, { ['client ' + n]: (x) => x === 20 });
  }
}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := load(t, file, env)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.run(t.Context()); err != nil {
		t.Error(err)
	}
	for _, e := range p.errs {
		t.Errorf("an iteration failed: %v", e)
	}
	if got := p.rates("checks"); got["client 0"] != "4/4" || got["client 1"] != "4/4" {
		t.Errorf("%v\nlog:\n%s", got, p.log.text())
	}
}

func TestStoresOfAScriptAreGuarded(t *testing.T) {
	for text, want := range map[string]string{
		`import sql from 'k6/x/sql'; const db = sql.open('postgres', 'postgres://u:hush@db.invalid/shop_test'); export default function () { db.query('SELECT 1'); }`:                            "--allow-target db.invalid",
		`import sql from 'k6/x/sql'; const db = sql.open('postgres', 'host=127.0.0.1 user=u password=hush dbname=shop'); export default function () { db.exec('SELECT 1'); }`:                    "--allow-database shop",
		`import { Client } from 'k6/x/redis'; const c = new Client({ socket: { host: 'cache.invalid', port: 6379 }, password: 'hush' }); export default async function () { await c.get('x'); }`: "--allow-target cache.invalid",
		`import amqp from 'k6/x/amqp'; amqp.start({ connection_url: 'amqp://u:hush@queue.invalid/' }); export default function () { amqp.publish({ queue_name: 'q', body: 'x' }); }`:             "--allow-target queue.invalid",
	} {
		file := filepath.Join(t.TempDir(), "x.js")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := load(t, file, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.run(t.Context()); err != nil {
			t.Error(err)
		}
		if len(p.errs) == 0 || !strings.Contains(p.errs[0].Error(), want) || strings.Contains(p.errs[0].Error(), "hush") {
			t.Errorf("got %v, want %s", p.errs, want)
		}
		if err := p.s.Aborted(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the run goes on: %v", err)
		}
	}
}

func TestAddressesInWordsBecomeURLs(t *testing.T) {
	got, err := urlOf("host=127.0.0.1 port=5433 user=u password='p@ss' dbname=shop_test sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(got)
	if err != nil || u.Host != "127.0.0.1:5433" || u.Path != "/shop_test" || u.Query().Get("sslmode") != "disable" {
		t.Errorf("%s, %v", got, err)
	}
	if pw, _ := u.User.Password(); pw != "p@ss" {
		t.Errorf("the password is %q", pw)
	}
	if _, err := urlOf("nonsense"); err == nil {
		t.Error("no address is silent")
	}
}

var _ scenarios.Aborter = (*scenario)(nil)
