package script

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
)

// witness is a server that notes every request.
type witness struct {
	*httptest.Server
	mu   sync.Mutex
	seen map[string]int
}

func newWitness(t *testing.T) *witness {
	t.Helper()
	w := &witness{seen: map[string]int{}}
	w.Server = httptest.NewServer(http.HandlerFunc(w.answer))
	t.Cleanup(w.Close)
	return w
}

var boundary = regexp.MustCompile(`boundary=\S+`)

// answer notes a request and answers as its path says.
func (w *witness) answer(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	note := r.Method + " " + r.URL.RequestURI()
	for _, h := range []string{"Authorization", "Content-Encoding", "Content-Type", "Cookie", "X-Test"} {
		if x := r.Header.Get(h); x != "" && !strings.HasPrefix(x, "Digest") {
			note += " " + h + "=" + boundary.ReplaceAllString(x, "boundary=B")
		}
	}
	if len(body) > 0 && r.Header.Get("Content-Encoding") == "" {
		text := string(body)
		if m := boundary.FindString(r.Header.Get("Content-Type")); m != "" {
			text = strings.ReplaceAll(text, strings.TrimPrefix(m, "boundary="), "B")
		}
		note += " " + strings.ReplaceAll(text, "\r\n", "|")
	}
	w.mu.Lock()
	w.seen[note]++
	w.mu.Unlock()
	w.reply(rw, r, body)
}

func (w *witness) reply(rw http.ResponseWriter, r *http.Request, body []byte) {
	path := r.URL.Path
	rest := path[strings.LastIndex(path, "/")+1:]
	switch {
	case strings.HasPrefix(path, "/status/"):
		n, _ := strconv.Atoi(rest)
		rw.WriteHeader(n)
	case strings.HasPrefix(path, "/redirect/"):
		n, _ := strconv.Atoi(rest)
		to := "/landed"
		if n > 1 {
			to = "/redirect/" + strconv.Itoa(n-1)
		}
		rw.Header().Set("Location", to)
		rw.WriteHeader(http.StatusFound)
	case path == "/oauth/token":
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprint(rw, `{"access_token":"tok-1","token_type":"Bearer","expires_in":3600}`)
	case path == "/cookies":
		http.SetCookie(rw, &http.Cookie{Name: "session", Value: "s1", Path: "/account", HttpOnly: true})
		http.SetCookie(rw, &http.Cookie{Name: "theme", Value: "dark", Path: "/"})
	case path == "/store":
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprint(rw, `{"store":{"open":true,"owner":null,"books":[{"title":"A","price":4.5},{"title":"B","price":12},{"title":"C","price":7}]}}`)
	case path == "/cookie":
		http.SetCookie(rw, &http.Cookie{Name: "session", Value: "s1", Path: "/"})
		fmt.Fprint(rw, "ok")
	case path == "/login":
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprint(rw, `{"access":"token-1","user":{"id":7,"tags":["a","b"]}}`)
	case path == "/page":
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprint(rw, `<html><head><title>Shop</title></head><body><a href="/items/1">one</a><a href="/items/2">two</a>`+
			`<form action="/search" method="post"><input name="q" value="x"><input type="hidden" name="csrf" value="c1"><input type="submit" name="go" value="Go"></form></body></html>`)
	case path == "/digest" && !strings.HasPrefix(r.Header.Get("Authorization"), "Digest "):
		rw.Header().Set("WWW-Authenticate", `Digest realm="r", nonce="n", qop="auth", algorithm=MD5`)
		rw.WriteHeader(http.StatusUnauthorized)
	case path == "/slow":
		select {
		case <-time.After(5 * time.Second):
		case <-r.Context().Done():
		}
	case path == "/bytes":
		_, _ = rw.Write([]byte{0, 1, 254, 255})
	case path == "/gzip":
		rw.Header().Set("Content-Encoding", "gzip")
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write(gzipped(`{"packed":true}`))
	case path == "/echo":
		_, _ = rw.Write(body)
	default:
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(rw, `{"path":%q,"items":[{"id":1},{"id":2}]}`, path)
	}
}

// said collects what is logged.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// play runs a script: each of its scenarios by two users with two iterations each.
type play struct {
	s    *scenario
	log  *said
	reg  *metrics.Registry
	errs []error
}

func load(t testing.TB, file string, env map[string]string, set ...scenarios.Override) (*play, error) {
	t.Helper()
	d := Definition()
	set = append(set, scenarios.Override{Key: KeyFile, Value: file, Stage: -1})
	values, errs := scenarios.NewValues(&d, 1, set)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	p := &play{log: &said{}, reg: metrics.NewRegistry([]string{"run"})}
	at, err := targets.Resolve(func(name string) (string, string, bool) {
		if v, ok := env[name]; ok {
			return v, "test", true
		}
		return "", "", false
	})
	if err != nil {
		t.Fatal(err)
	}
	at.Names = func() []string { return slices.Sorted(maps.Keys(env)) }
	p.s, err = newScenario(scenarios.Env{RunID: "t", Seed: 1, Clock: work.NewClock(), Metrics: p.reg, Targets: at, Values: values, Scenario: Name,
		Plan: scenarios.Plan{Workers: 2, Stages: []string{"run"}, Shards: 1}, Log: slog.New(slog.NewTextHandler(p.log, nil))})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = p.s.loaded.script.Close() })
	return p, nil
}

func (p *play) run(ctx context.Context) error {
	if err := p.s.Setup(ctx); err != nil {
		return err
	}
	k := int64(0)
	for i := range p.s.loaded.Scenarios {
		for n := range 4 {
			a := &work.Arrival{K: k, N: k, Seed: 1, Worker: n % 2, Due: p.s.env.Clock.Now()}
			k++
			if err := p.s.run(ctx, a, &p.s.loaded.Scenarios[i]); err != nil {
				p.errs = append(p.errs, err)
			}
		}
	}
	return p.s.Close(ctx)
}

var directive = regexp.MustCompile(`(?m)^// (want|env|refuse|fails|log|check)(?: (.*))?$`)

// TestCorpus runs every script of the corpus against the witness. A script says in
// comments what it must do: "// want 4 GET /path" for requests, "// check NAME
// held/all" for checks, "// fails TEXT" for the failure of an iteration, "// log
// TEXT" for a warning, "// refuse TEXT" for a script that must not begin.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.[jt]s")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { playFile(t, file) })
	}
}

func playFile(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w := newWitness(t)
	env := map[string]string{"BASE_URL": w.URL, "HOSTPORT": strings.TrimPrefix(w.URL, "http://")}
	want := map[string]int{}
	var refuse, fails, logs, checks []string
	for _, m := range directive.FindAllStringSubmatch(string(text), -1) {
		switch m[1] {
		case "want":
			n, what, _ := strings.Cut(m[2], " ")
			want[what], err = strconv.Atoi(n)
			if err != nil {
				t.Fatal(m[0])
			}
		case "env":
			k, v, _ := strings.Cut(m[2], "=")
			env[k] = v
		case "refuse":
			refuse = append(refuse, m[2])
		case "fails":
			fails = append(fails, m[2])
		case "log":
			logs = append(logs, m[2])
		case "check":
			checks = append(checks, m[2])
		}
	}
	p, err := load(t, file, env)
	if len(refuse) > 0 {
		for _, r := range refuse {
			if err == nil || !strings.Contains(err.Error(), r) {
				t.Errorf("got %v, want it refused with %q", err, r)
			}
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := p.run(t.Context()); err != nil {
		t.Error(err)
	}
	for _, e := range p.errs {
		if !slices.ContainsFunc(fails, func(f string) bool { return strings.Contains(e.Error(), f) }) {
			t.Errorf("an iteration failed: %v", e)
		}
	}
	for _, f := range fails {
		if !slices.ContainsFunc(p.errs, func(e error) bool { return strings.Contains(e.Error(), f) }) {
			t.Errorf("no iteration failed with %q: %v", f, p.errs)
		}
	}
	for _, l := range logs {
		if !strings.Contains(p.log.text(), l) {
			t.Errorf("nothing said %q:\n%s", l, p.log.text())
		}
	}
	compareRequests(t, w, want)
	compareChecks(t, p, checks)
	if t.Failed() {
		t.Logf("log:\n%s", p.log.text())
	}
}

func compareRequests(t *testing.T, w *witness, want map[string]int) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for k, n := range w.seen {
		if want[k] != n {
			t.Errorf("%d times %q, want %d", n, k, want[k])
		}
	}
	for k, n := range want {
		if w.seen[k] == 0 {
			t.Errorf("never %q, want %d", k, n)
		}
	}
}

func compareChecks(t *testing.T, p *play, want []string) {
	t.Helper()
	if len(want) == 0 {
		return
	}
	got := p.rates("checks")
	for _, c := range want {
		i := strings.LastIndex(c, " ")
		if got[c[:i]] != c[i+1:] {
			t.Errorf("check %q: %s, want %s; all: %v", c[:i], got[c[:i]], c[i+1:], got)
		}
	}
}

// rates are the rates of a metric by operation, as hits/total.
func (p *play) rates(name string) map[string]string {
	out, sums := map[string]string{}, map[string][2]int64{}
	c := metrics.NewCollector(p.reg, func() time.Duration { return time.Second }, func(time.Duration) int { return 0 })
	c.Subscribe(func(s *metrics.Snapshot) {
		for _, r := range s.Rates {
			if r.Series.Name == name {
				sum := sums[r.Series.Operation]
				sum[0], sum[1] = sum[0]+r.Hits, sum[1]+r.Total
				sums[r.Series.Operation] = sum
				out[r.Series.Operation] = fmt.Sprintf("%d/%d", sum[0], sum[1])
			}
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.Run(ctx)
	return out
}
