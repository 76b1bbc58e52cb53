package redis_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/redis"
	"github.com/perfctl/perfctl/internal/targets/redis/redistest"
	"github.com/perfctl/perfctl/internal/targets/tlstest"
)

func open(t *testing.T, a targets.Address) (*redis.Client, error) {
	t.Helper()
	c, err := redis.Open(t.Context(), a, redis.Options{Connections: 3, Timeout: 2 * time.Second, Name: "perfctl-test"})
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

func mustOpen(t *testing.T, a targets.Address) *redis.Client {
	t.Helper()
	c, err := open(t, a)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// refused checks that an address cannot be opened, within the 15 s that a user is
// promised, and that the error holds every word of want.
func refused(t *testing.T, a targets.Address, want ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	c, err := redis.Open(ctx, a, redis.Options{Connections: 3, Timeout: 2 * time.Second})
	if err == nil {
		_ = c.Close()
		t.Fatalf("%s was opened", a)
	}
	if ctx.Err() != nil {
		t.Errorf("it took longer than 15 s: %v", err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v lacks %q", err, w)
		}
	}
}

func TestTheNumberOfTheDatabaseIsUsed(t *testing.T) {
	s := redistest.Start(t)
	for form, db := range map[string]int{"redis://%s/3": 3, "redis://%s?db=4": 4, "redis://%s": 0} {
		c := mustOpen(t, redistest.At(t, form, s.Address()))
		if err := c.Set(t.Context(), "k", form, 0).Err(); err != nil {
			t.Fatal(err)
		}
		other := driver.NewClient(&driver.Options{Addr: s.Address(), DB: db, Protocol: 2, DisableIdentity: true})
		if v, err := other.Get(t.Context(), "k").Result(); v != form {
			t.Errorf("%s: database %d holds %q, %v", form, db, v, err)
		}
		_ = other.Close()
	}
	refused(t, redistest.At(t, "redis://%s/99", s.Address()), "DB index is out of range", "REDIS_DB")
}

func TestAUserOfAnACLAndWhatIsRefused(t *testing.T) {
	s := redistest.Start(t, "requirepass top", "user app on >pw ~perfctl:* +@all", "user reader on >pw ~* +@read +ping +info")
	c := mustOpen(t, redistest.At(t, "redis://app:pw@%s", s.Address()))
	if who, err := c.Do(t.Context(), "ACL", "WHOAMI").Text(); who != "app" {
		t.Errorf("the server knows the client as %q, %v", who, err)
	}
	refused(t, redistest.At(t, "redis://app:no@%s", s.Address()), "WRONGPASS", "REDIS_USERNAME")
	refused(t, redistest.At(t, "redis://%s", s.Address()), "NOAUTH", "REDIS_PASSWORD")
	c = mustOpen(t, redistest.At(t, "redis://reader:pw@%s", s.Address()))
	err := redis.Explain(redistest.At(t, "redis://h"), "write", c.Set(t.Context(), "k", 1, 0).Err())
	if !strings.Contains(err.Error(), "ACL SETUSER") {
		t.Error(err)
	}
}

func TestAUnixSocket(t *testing.T) {
	redistest.Need(t)
	socket := filepath.Join(t.TempDir(), "r.sock")
	redistest.Start(t, "unixsocket "+socket)
	if err := mustOpen(t, redistest.At(t, "unix://%s?db=1", socket)).Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
	refused(t, redistest.At(t, "unix://%s", socket+"x"), "no such file")
}

func TestTLS(t *testing.T) {
	redistest.Need(t)
	own, foreign := tlstest.New(t), tlstest.New(t)
	cert, key := own.Issue(t, "server", time.Now().Add(time.Hour))
	tls := func(cert, key, clients string) *redistest.Server {
		port := redistest.FreePort(t)
		s := redistest.Start(t, fmt.Sprintf("tls-port %d", port), "tls-cert-file "+cert, "tls-key-file "+key, "tls-ca-cert-file "+own.CA, "tls-auth-clients "+clients)
		return &redistest.Server{Port: port + 0*s.Port}
	}
	s := tls(cert, key, "no")
	mustOpen(t, redistest.At(t, "rediss://%s?tls_ca=%s", s.Address(), own.CA))
	mustOpen(t, redistest.At(t, "rediss://%s?tls_insecure=true", s.Address()))
	refused(t, redistest.At(t, "rediss://%s", s.Address()), "unknown authority", "REDIS_TLS_CA")
	refused(t, redistest.At(t, "rediss://%s?tls_ca=%s", s.Address(), foreign.CA), "unknown authority")
	refused(t, redistest.At(t, "rediss://%s?tls_ca=%s&tls_server_name=other.test", s.Address(), own.CA), "REDIS_TLS_SERVER_NAME")
	refused(t, redistest.At(t, "rediss://%s?tls_ca=/nonexistent/ca", s.Address()), "/nonexistent/ca", "REDIS_TLS_CA")
	refused(t, redistest.At(t, "redis://%s", s.Address()), "rediss://")
	plain := redistest.Start(t)
	refused(t, redistest.At(t, "rediss://%s", plain.Address()), "redis:// in REDIS_URL")

	mutual := tls(cert, key, "yes")
	mine, mineKey := own.Issue(t, "client", time.Now().Add(time.Hour))
	mustOpen(t, redistest.At(t, "rediss://%s?tls_ca=%s&tls_cert=%s&tls_key=%s", mutual.Address(), own.CA, mine, mineKey))
	refused(t, redistest.At(t, "rediss://%s?tls_ca=%s", mutual.Address(), own.CA), "client's certificate", "REDIS_TLS_CERT")

	old, oldKey := own.Issue(t, "expired", time.Now().Add(-time.Hour))
	expired := tls(old, oldKey, "no")
	refused(t, redistest.At(t, "rediss://%s?tls_ca=%s", expired.Address(), own.CA), "renew it")
}

func TestAReplicaRefusesWritesInItsOwnWords(t *testing.T) {
	primary := redistest.Start(t)
	replica := redistest.Start(t, fmt.Sprintf("replicaof 127.0.0.1 %d", primary.Port))
	c := mustOpen(t, redistest.At(t, "redis://%s", replica.Address()))
	err := redis.Explain(redistest.At(t, "redis://h"), "write", c.Set(t.Context(), "k", 1, 0).Err())
	if !strings.Contains(err.Error(), "read-only replica") || !strings.Contains(err.Error(), "primary") {
		t.Error(err)
	}
}

func TestSomethingElseOnThePort(t *testing.T) {
	redistest.Need(t)
	for name, greet := range map[string]string{"http": "HTTP/1.1 400 Bad Request\r\n\r\n", "silent": "", "closing": "close"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				if greet == "close" {
					_ = c.Close()
					continue
				}
				_, _ = c.Write([]byte(greet))
				t.Cleanup(func() { _ = c.Close() })
			}
		}()
		want := "something else than Redis"
		if name == "silent" {
			want = "no answer in time"
		}
		t.Run(name, func(t *testing.T) { refused(t, redistest.At(t, "redis://%s", l.Addr()), want) })
	}
}

func TestAClusterIsFoundOut(t *testing.T) {
	nodes := redistest.Cluster(t)
	for _, form := range []string{"redis://%s", "redis+cluster://%s", "redis://%s?cluster=true"} {
		c := mustOpen(t, redistest.At(t, form, nodes[1].Address()))
		if !c.IsCluster() {
			t.Errorf("%s is taken for one server", form)
		}
		before, err := c.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		const keys = 300
		for i := range keys {
			key := fmt.Sprintf("perfctl:x:%d", i)
			if err := c.Set(t.Context(), key, i, 0).Err(); err != nil {
				t.Fatal(err)
			}
			if v, err := c.Get(t.Context(), key).Int(); v != i || err != nil {
				t.Fatalf("%s: %d, %v", key, v, err)
			}
			if err := c.Get(t.Context(), key+":none").Err(); !errors.Is(err, driver.Nil) {
				t.Fatal(err)
			}
		}
		after, err := c.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if after.Hits-before.Hits != keys || after.Misses-before.Misses != keys {
			t.Errorf("the nodes counted %d hits and %d misses, want %d each", after.Hits-before.Hits, after.Misses-before.Misses, keys)
		}
		if n := c.Redirects(); n != 0 {
			t.Errorf("%d redirects of a cluster at rest", n)
		}
	}
	for _, n := range nodes {
		if size := n.Client(t).DBSize(t.Context()).Val(); size < 50 {
			t.Errorf("node %d holds %d of 300 keys: they are not spread", n.Port, size)
		}
	}
	refused(t, redistest.At(t, "redis://%s/2", nodes[0].Address()), "cluster", "database 0")
}

func TestTheDriverFollowsAMovedSlotAndTriesNothingTwice(t *testing.T) {
	nodes := redistest.Cluster(t)
	c := mustOpen(t, redistest.At(t, "redis://%s", nodes[0].Address()))
	ctx := t.Context()
	slot := int(c.ClusterKeySlot(ctx, "k").Val())
	from, to := owner(t, nodes, slot), nodes[0]
	if from == to {
		to = nodes[1]
	}
	id := to.Client(t).ClusterMyID(ctx).Val()
	for _, n := range nodes {
		if err := n.Client(t).Do(ctx, "CLUSTER", "SETSLOT", slot, "NODE", id).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if c.Redirects() == 0 {
		t.Error("a slot was moved and no redirect counted")
	}
	to.Stop()
	err := c.Incr(ctx, "k").Err()
	if err == nil {
		t.Fatal("a command to a stopped node succeeded")
	}
	if kind := work.KindOf(redis.Classify(err)); kind != work.KindClosed && kind != work.KindRefused {
		t.Errorf("%v is of kind %s", err, kind)
	}
	refused(t, redistest.At(t, "redis://%s", from.Address()), "a node of the cluster cannot be reached")
}

func owner(t *testing.T, nodes []*redistest.Server, slot int) *redistest.Server {
	t.Helper()
	for _, s := range nodes[0].Client(t).ClusterSlots(t.Context()).Val() { //nolint:staticcheck // servers of version 6 know no other
		for _, n := range nodes {
			if slot >= s.Start && slot <= s.End && s.Nodes[0].Addr == n.Address() {
				return n
			}
		}
	}
	t.Fatal("nobody owns the slot")
	return nil
}

func TestAClusterThatNamesAnotherHostIsGuarded(t *testing.T) {
	nodes := redistest.Cluster(t)
	if err := nodes[1].Client(t).ConfigSet(t.Context(), "cluster-announce-ip", "192.0.2.7").Err(); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, func() error {
		text, err := nodes[0].Client(t).Do(t.Context(), "CLUSTER", "NODES").Text()
		if err == nil && !strings.Contains(text, "192.0.2.7") {
			err = errors.New("not announced yet")
		}
		return err
	})
	refused(t, redistest.At(t, "redis://%s", nodes[0].Address()), "192.0.2.7", "--allow-target 192.0.2.7")
}

func TestSentinel(t *testing.T) {
	primary := redistest.Start(t)
	replica := redistest.Start(t, fmt.Sprintf("replicaof 127.0.0.1 %d", primary.Port))
	redistest.Until(t, func() error {
		text, err := replica.Client(t).Info(t.Context(), "replication").Result()
		if err == nil && !strings.Contains(text, "master_link_status:up") {
			err = errors.New("not in step yet")
		}
		return err
	})
	sentinel := redistest.StartSentinel(t, fmt.Sprintf("sentinel monitor main 127.0.0.1 %d 1", primary.Port),
		"sentinel down-after-milliseconds main 500", "sentinel failover-timeout main 2000")
	at := redistest.At(t, "redis+sentinel://127.0.0.1:1,%s/main", sentinel.Address())
	c := mustOpen(t, at)
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	refused(t, redistest.At(t, "redis+sentinel://%s/other", sentinel.Address()), `no primary of the name "other"`, "SENTINEL MASTERS")
	refused(t, redistest.At(t, "redis+sentinel://127.0.0.1:1/main"), "no Sentinel says", "26379")
	refused(t, redistest.At(t, "redis://%s", sentinel.Address()), "this is a Sentinel", "redis+sentinel://")

	// The Sentinel must know the replica before the primary goes.
	redistest.Until(t, func() error {
		text, err := sentinel.Client(t).Info(t.Context(), "sentinel").Result()
		if err == nil && !strings.Contains(text, "slaves=1") {
			err = errors.New("the replica is not known yet")
		}
		return err
	})
	primary.Stop()
	redistest.Until(t, func() error { return c.Set(t.Context(), "k", "w", 0).Err() })
	if got := replica.Client(t).Get(t.Context(), "k").Val(); got != "w" {
		t.Errorf("the replica that took over holds %q", got)
	}
	replica.Stop()
	refused(t, at, "the Sentinels name", "connection refused")
}

func TestAClusterOfWhichHalfIsDown(t *testing.T) {
	nodes := redistest.Cluster(t)
	at := redistest.At(t, "redis://%s", nodes[0].Address())
	nodes[1].Stop()
	nodes[2].Stop()
	refused(t, at, "a node of the cluster cannot be reached", "next: ")
	// So it is once the node that is left has noticed.
	redistest.Until(t, func() error {
		info, err := nodes[0].Client(t).ClusterInfo(t.Context()).Result()
		if err == nil && !strings.Contains(info, "cluster_state:fail") {
			err = errors.New("not noticed yet")
		}
		return err
	})
	refused(t, at, "next: ")
}

func TestAClusterWithoutAllItsSlots(t *testing.T) {
	n := redistest.Start(t, "cluster-enabled yes")
	refused(t, redistest.At(t, "redis://%s", n.Address()), "next: part of the cluster is down")
}

func TestSentinelsWithoutAQuorum(t *testing.T) {
	primary := redistest.Start(t)
	sentinel := redistest.StartSentinel(t, fmt.Sprintf("sentinel monitor main 127.0.0.1 %d 2", primary.Port), "sentinel down-after-milliseconds main 300")
	primary.Stop()
	refused(t, redistest.At(t, "redis+sentinel://%s/main", sentinel.Address()), "too few Sentinels see each other")
}
