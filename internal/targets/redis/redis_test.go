package redis

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"syscall"
	"testing"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
)

func TestInfoIsReadByName(t *testing.T) {
	in := parseInfo("# Server\r\nredis_version:7.0.15\r\nrun_id:0a1b\r\nnew_field:7\r\n# Memory\r\nused_memory:1048576\r\nused_memory_dataset:4096\r\n" +
		"keyspace_hits:12\r\nkeyspace_misses:3\r\nevicted_keys:1\r\nconnected_clients:9\r\n")
	want := Info{Version: "7.0.15", Instance: "0a1b", UsedMemory: 1 << 20, Dataset: 4096, Hits: 12, Misses: 3, Evicted: 1, Clients: 9}
	if in != want {
		t.Errorf("got %+v, want %+v", in, want)
	}
	if v := parseInfo("redis_version:7.2.4\nvalkey_version:8.0.1\n").Version; v != "valkey 8.0.1" {
		t.Errorf("Valkey is called %q", v)
	}
}

func FuzzParseInfo(f *testing.F) {
	f.Add("used_memory:1\r\nkeyspace_hits:-3\n:::\n")
	f.Fuzz(func(_ *testing.T, s string) { parseInfo(s) })
}

func address(t *testing.T, raw string) targets.Address {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return targets.Address{Kind: targets.Redis, URL: u}
}

func TestExplainNamesTheStep(t *testing.T) {
	for reply, want := range map[string]string{
		"WRONGPASS invalid username-password pair": "REDIS_PASSWORD",
		"NOAUTH Authentication required.":          "REDIS_PASSWORD",
		"NOPERM this user has no permissions":      "ACL SETUSER",
		"LOADING Redis is loading the dataset":     "wait",
		"MISCONF Redis is configured to save":      "disk space",
	} {
		if err := Explain(address(t, "redis://:pw@localhost"), "connect", errors.New(reply)); !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v lacks %q", reply, err, want)
		}
	}
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		err  error
		want work.Kind
	}{
		{driver.ErrPoolTimeout, work.KindTimeout},
		{context.DeadlineExceeded, work.KindTimeout},
		{io.EOF, work.KindClosed},
		{syscall.ECONNREFUSED, work.KindRefused},
		{errors.New("odd"), work.KindOther},
	} {
		if got := work.KindOf(Classify(c.err)); got != c.want {
			t.Errorf("%v is %s, want %s", c.err, got, c.want)
		}
	}
}

func TestAWrongDatabaseNumberIsRefused(t *testing.T) {
	if _, err := Open(t.Context(), address(t, "redis://localhost/abc"), Options{Connections: 1}); err == nil || !strings.Contains(err.Error(), "abc") {
		t.Errorf("got %v", err)
	}
}

func TestTheModeOfAServerIsReadOfRedisAndOfValkey(t *testing.T) {
	for info, want := range map[string]string{
		"# Server\r\nredis_version:7.0.15\r\nredis_mode:cluster\r\n":                        "cluster",
		"# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nserver_mode:sentinel\r\n": "sentinel",
		"# Server\r\nredis_version:7.2.4\r\nserver_mode:standalone\r\n":                     "standalone",
		"": "",
	} {
		if got := modeIn(info); got != want {
			t.Errorf("%q: %q, want %q", info, got, want)
		}
	}
}
