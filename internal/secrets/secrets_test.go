package secrets

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTextHidesWhatStandsWhereSecretsStand(t *testing.T) {
	for text, want := range map[string]string{
		"dial amqp://app:p@ss@mq:5672/x: refused":       "dial amqp://app:xxx@mq:5672/x: refused",
		"redis://:x@localhost/1?pwd=s&db=2":             "redis://:xxx@localhost/1?pwd=xxx&db=2",
		"/v1?access_key=abc&n=1#top":                    "/v1?access_key=xxx&n=1#top",
		"/v1?key=abc&monkey=1&keyword=2":                "/v1?key=xxx&monkey=1&keyword=2",
		"host=db password='a b' user=me":                "host=db password=xxx user=me",
		`{"user":"me","api_key":"abc","n":1}`:           `{"user":"me","api_key":"xxx","n":1}`,
		"Authorization: Bearer 3|Zk9x":                  "Authorization: xxx",
		"Cookie: a=b|c | X-Key: d":                      "Cookie: xxx | X-Key: d",
		"sent Bearer abcdefgh to it":                    "sent Bearer xxx to it",
		"password authentication failed for user \"a\"": "password authentication failed for user \"a\"",
		"http://localhost:3000/a@b":                     "http://localhost:3000/a@b",
		"DB_PASSWORD (from environment): not set":       "DB_PASSWORD (from environment): not set",
		"response_time{stage:peak}: p(95)<100ms":        "response_time{stage:peak}: p(95)<100ms",
	} {
		if got := Text(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestAShortPasswordManglesNoText(t *testing.T) {
	var r Redactor
	r.Add("i", "test", "seven77", "password", "postgres")
	const text = "cannot reach /nonexistent: password authentication failed for postgres, seven77"
	if got := r.Text(text); got != text {
		t.Errorf("got %q", got)
	}
	if got := r.Text("redis://:i@localhost/"); got != "redis://:xxx@localhost/" {
		t.Errorf("got %q", got)
	}
	r.Add("sunflower")
	if got := r.Text("sunflowers and sunflower"); got != "sunflowers and xxx" {
		t.Errorf("got %q", got)
	}
}

func TestKnownValuesAreHiddenInEveryForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[a-zA-Z0-9%:/@#?&=+ "\\|é]{6,20}`).Draw(t, "secret") + "7Q"
		secret = "7Q" + secret
		var r Redactor
		r.Add(secret)
		encoded, err := json.Marshal(map[string]string{"x": secret})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range append(formsOf(secret), fmt.Sprintf("%q", secret), string(encoded), "before"+secret+"after") {
			got := r.Text(text)
			for _, f := range formsOf(secret) {
				if strings.Contains(got, f) {
					t.Fatalf("%q becomes %q, which shows %q", text, got, f)
				}
			}
		}
	})
}

func TestEveryTextOfAStructIsRedactedAndJSONStaysJSON(t *testing.T) {
	type inner struct{ Text string }
	v := struct {
		Name  string
		List  []inner
		ByKey map[string]inner
		Any   any
		Raw   json.RawMessage
		Next  *inner
		still string
	}{"s3cret-value", []inner{{"a s3cret-value"}}, map[string]inner{"k": {"s3cret-value"}}, &inner{"s3cret-value"},
		json.RawMessage(`{"a":"\"s3cret-value\" ?token=abc\"","b":"x?token=\u0026y"}`), &inner{"s3cret-value"}, "kept"}
	var r Redactor
	r.Add("s3cret-value")
	r.Struct(&v)
	if !json.Valid(v.Raw) {
		t.Errorf("%s is not JSON any more", v.Raw)
	}
	if text := fmt.Sprintf("%+v %+v %+v %s", v, v.Any, v.Next, v.Raw); strings.Contains(text, "s3cret") || strings.Contains(text, "abc") {
		t.Errorf("it shows in %s", text)
	}
}

func TestArgsInEverySpelling(t *testing.T) {
	flags := map[string]Flag{"env": {"env", true}, "set": {"set", true}, "quiet": {"quiet", false}, "out": {"out", true}, "scrape": {"scrape", true},
		"e": {"env", true}, "q": {"quiet", false}, "d": {"duration", true}}
	find := func(n string) (Flag, bool) { f, ok := flags[n]; return f, ok }
	in := []string{"run", "smoke", "-qe", "DB_PASSWORD=x", "-eDB_PASSWORD=x", "-e=DB_PASSWORD=x", "--env", "DB_PASSWORD=x", "--env=DB_PASSWORD=x",
		"-e", "DB_PASSWORD x", "-qd", "5s", "--set", "api.headers=Accept: a/b | X-Mine: x", "--set=api.path=/a?token=x", "--out=otlp=http://u:x@h", "-q",
		"--scrape", "app=http://u:x@h/m", "--set", "api.body=hello", "--", "-e", "http://u:x@h"}
	want := []string{"run", "smoke", "-qe", "DB_PASSWORD=xxx", "-eDB_PASSWORD=xxx", "-e=DB_PASSWORD=xxx", "--env", "DB_PASSWORD=xxx", "--env=DB_PASSWORD=xxx",
		"-e", "DB_PASSWORD …", "-qd", "5s", "--set", "api.headers=Accept: a/b | X-Mine: xxx", "--set=api.path=/a?token=xxx", "--out=otlp=http://u:xxx@h", "-q",
		"--scrape", "app=http://u:xxx@h/m", "--set", "api.body=5 bytes, sha256 2cf24dba5fb0", "--", "-e", "http://u:xxx@h"}
	if got := Args(in, find, find); !reflect.DeepEqual(got, want) {
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%q becomes %q, want %q", in[i], got[i], want[i])
			}
		}
	}
}

func TestFoldersOfTheShellAreNoPasswords(t *testing.T) {
	got := OfSettings(map[string]string{"PWD": "/home/ann/perf", "OLDPWD": "/home/ann", "REDIS_PWD": "hunter2hunter2"})
	if len(got) != 1 || got[0] != "hunter2hunter2" {
		t.Errorf("%q, want the password alone", got)
	}
}
