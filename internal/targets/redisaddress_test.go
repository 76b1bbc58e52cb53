package targets

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func redisAt(t *testing.T, raw string) Address {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return Address{Kind: Redis, URL: u}
}

func TestTheAddressOfARedisIsReadAsOtherLibrariesWriteIt(t *testing.T) {
	for raw, want := range map[string]RedisAddress{
		"redis://h":                     {Hosts: []string{"h:6379"}},
		"redis://h/3":                   {Hosts: []string{"h:6379"}, DB: 3},
		"redis://h:7?db=4":              {Hosts: []string{"h:7"}, DB: 4},
		"redis://:pw@[::1]:7/1":         {Hosts: []string{"[::1]:7"}, Password: "pw", DB: 1},
		"redis://app:pw@h":              {Hosts: []string{"h:6379"}, User: "app", Password: "pw"},
		"valkey://h":                    {Hosts: []string{"h:6379"}},
		"unix:///run/r.sock?db=2":       {Socket: "/run/r.sock", DB: 2},
		"unix://u:p@/run/r.sock":        {Socket: "/run/r.sock", User: "u", Password: "p"},
		"redis-socket:///run/r.sock":    {Socket: "/run/r.sock"},
		"redis://a:1,b:2":               {Hosts: []string{"a:1", "b:2"}, Cluster: true},
		"redis+cluster://a":             {Hosts: []string{"a:6379"}, Cluster: true},
		"redis://a?cluster=true":        {Hosts: []string{"a:6379"}, Cluster: true},
		"redis+sentinel://a,b:2/m/5":    {Hosts: []string{"a:26379", "b:2"}, Master: "m", DB: 5},
		"redis-sentinel://a:1/2#m":      {Hosts: []string{"a:1"}, Master: "m", DB: 2},
		"redis://a:1?master=m":          {Hosts: []string{"a:1"}, Master: "m"},
		"redis://h?max_retries=3&db=1":  {Hosts: []string{"h:6379"}, DB: 1, Unused: []string{"max_retries"}},
		"rediss://h":                    {Hosts: []string{"h:6379"}, TLS: &TLSFiles{}},
		"rediss://h?ssl_cert_reqs=none": {Hosts: []string{"h:6379"}, TLS: &TLSFiles{Insecure: true}},
		"rediss://h?tls_ca=/a&tls_cert=/b&tls_key=/c&tls_server_name=n": {Hosts: []string{"h:6379"},
			TLS: &TLSFiles{CA: "/a", Cert: "/b", Key: "/c", ServerName: "n"}},
	} {
		got, err := redisAt(t, raw).Redis()
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		g, w := got, want
		if (g.TLS == nil) != (w.TLS == nil) || g.TLS != nil && *g.TLS != *w.TLS {
			t.Errorf("%s: TLS %+v, want %+v", raw, g.TLS, w.TLS)
		}
		g.TLS, w.TLS = nil, nil
		if fmt.Sprintf("%+v", g) != fmt.Sprintf("%+v", w) {
			t.Errorf("%s: %+v, want %+v", raw, g, w)
		}
	}
}

func TestWhatNobodyReadsInTheAddressOfARedisIsRefused(t *testing.T) {
	for raw, want := range map[string]string{
		"redis://h?dbs=4":                    `did you mean "db"?`,
		"redis://h/x":                        "number of a database",
		"redis://h?db=-1":                    "number of a database",
		"redis://h?tls_ca=/a":                "rediss",
		"redis+sentinel://h":                 "mymaster",
		"redis://a:1,b:1/2":                  "database 0",
		"redis://a:1,:2":                     "names no host",
		"rediss://h?ssl_cert_reqs=sometimes": "none, optional, required",
	} {
		if _, err := redisAt(t, raw).Redis(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", raw, err, want)
		}
	}
}

func TestSettingsChangeOneThingOfTheAddress(t *testing.T) {
	for _, c := range []struct {
		set  map[string]string
		want string
	}{
		{map[string]string{"REDIS_HOST": "127.0.0.1", "REDIS_DB": "5"}, "redis://127.0.0.1:6379?db=5"},
		{map[string]string{"REDIS_URL": "redis://:pw@h:1/2", "REDIS_DATABASE": "5"}, "redis://h:1/2?db=5"},
		{map[string]string{"REDIS_USERNAME": "app", "REDIS_PASSWORD": "pw"}, "redis://app@localhost:6379"},
		{map[string]string{"REDIS_TLS": "true"}, "rediss://localhost:6379"},
		{map[string]string{"REDIS_URL": "rediss://h:1", "REDIS_TLS": "off"}, "redis://h:1"},
		{map[string]string{"REDIS_TLS_CA": "/ca.pem"}, "rediss://localhost:6379?tls_ca=%2Fca.pem"},
		{map[string]string{"REDIS_SENTINEL_MASTER": "m", "REDIS_SENTINEL_PASSWORD": "hidden"}, "redis://localhost:6379?master=m&sentinel_password=xxx"},
	} {
		s, err := Resolve(from(c.set))
		if err != nil {
			t.Errorf("%v: %v", c.set, err)
			continue
		}
		if got := s.Redis.String(); got != c.want {
			t.Errorf("%v: %s, want %s", c.set, got, c.want)
		}
		if strings.Contains(fmt.Sprint(s.List), "hidden") {
			t.Errorf("a secret shows: %v", s.List)
		}
	}
	if _, err := Resolve(from(map[string]string{"REDIS_DB": "five"})); err == nil || !strings.Contains(err.Error(), "REDIS_DB") {
		t.Errorf("got %v", err)
	}
}

func TestAHostThatAServerNamesIsGuarded(t *testing.T) {
	a := redisAt(t, "redis://db.invalid:1")
	for host, want := range map[string]bool{"db.invalid": true, "127.0.0.1": true, "192.0.2.9": false} {
		if err := a.Permit(t.Context(), host); (err == nil) != want {
			t.Errorf("%s: %v", host, err)
		}
	}
	s := Settings{Redis: a}
	s.AllowBy(Guard{AllowTargets: []string{"192.0.2.9"}})
	if err := s.Redis.Permit(t.Context(), "192.0.2.9"); err != nil {
		t.Error(err)
	}
}
