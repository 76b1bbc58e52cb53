package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/targets"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const workers = 8

// trial is a flow with what a run gives it.
type trial struct {
	*scenario
	reg *metrics.Registry
	mu  sync.Mutex
	// failed counts failures by kind; first is one of them.
	failed map[work.Kind]int
	first  error
	sums   *metrics.Totals
}

// resolve returns settings in which look comes first and the environment second.
func resolve(t testing.TB, look map[string]string) *targets.Settings {
	t.Helper()
	s, err := targets.Resolve(func(n string) (string, string, bool) {
		if v, ok := look[n]; ok {
			return v, "test", true
		}
		v, ok := os.LookupEnv(n)
		return v, "environment", ok
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var serial atomic.Int64

func newTrial(t testing.TB, settings *targets.Settings, text string, set ...string) (*trial, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "flow.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := Definition()
	over := []scenarios.Override{{Key: keyFile, Value: file, Stage: -1, Place: "test"}}
	for _, s := range set {
		k, v, _ := strings.Cut(s, "=")
		over = append(over, scenarios.Override{Key: k, Value: v, Stage: -1, Place: "test"})
	}
	values, errs := scenarios.NewValues(&d, 1, over)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	reg := metrics.NewRegistry([]string{"only"})
	s, err := newScenario(scenarios.Env{RunID: fmt.Sprintf("t%x%d", time.Now().UnixNano(), serial.Add(1)), Seed: 5, Clock: work.NewClock(), Metrics: reg, Targets: settings, Values: values,
		Plan: scenarios.Plan{Workers: workers, Stages: []string{"only"}, Shards: 1}, Log: slog.New(slog.DiscardHandler), Scenario: "flow"})
	return &trial{scenario: s, reg: reg, failed: map[work.Kind]int{}}, err
}

// begin sets a flow up; it is closed at the end of the test.
func begin(t testing.TB, settings *targets.Settings, text string, set ...string) *trial {
	t.Helper()
	tr, err := newTrial(t, settings, text, set...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := tr.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tr
}

// offer executes n arrivals, spread over the workers.
func (tr *trial) offer(ctx context.Context, n int64) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for k := next.Add(1) - 1; k < n; k = next.Add(1) - 1 {
				if err := tr.Do(ctx, &work.Arrival{K: k, N: k, Seed: 5, Due: tr.env.Clock.Now(), Worker: w}); err != nil {
					tr.mu.Lock()
					tr.failed[work.KindOf(err)]++
					if tr.first == nil {
						tr.first = err
					}
					tr.mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
}

// totals returns the metrics, once the arrivals are done.
func (tr *trial) totals() *metrics.Totals {
	if tr.sums != nil {
		return tr.sums
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := metrics.NewCollector(tr.reg, tr.env.Clock.Now, func(time.Duration) int { return 0 })
	c.Run(ctx)
	c.Totals(func(t *metrics.Totals) { tr.sums = t })
	return tr.sums
}

// count returns how many successes a step has.
func (tr *trial) count(step string) int64 {
	h := tr.totals().Trend(metrics.Selector{Name: "flow_step_duration", Tags: metrics.Tags{Operation: step}})
	if h == nil {
		return 0
	}
	return h.N
}

// shop is an API with tasks: a task becomes done when it was asked after twice.
func shop(t testing.TB) *httptest.Server {
	t.Helper()
	var mu sync.Mutex
	asked := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Method == http.MethodHead:
		case r.URL.Path == "/login":
			_, _ = io.WriteString(w, `{"token":"t0ken"}`)
		case r.Header.Get("Authorization") != "Bearer t0ken":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method == http.MethodPost:
			where := r.URL.Path + "/" + string(body)
			if strings.HasSuffix(where, "1") { // as many servers have it
				where = "http://" + r.Host + where
			}
			w.Header().Set("Location", where)
			w.WriteHeader(http.StatusCreated)
			_, _ = fmt.Fprintf(w, `{"id":%q,"state":"queued"}`, body)
		default:
			asked[r.URL.Path]++
			state := "queued"
			if asked[r.URL.Path] == 3 {
				state = "done"
			}
			_, _ = fmt.Fprintf(w, `{"state":%q,"asked":%d}`, state, asked[r.URL.Path])
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

const walkThrough = `
description: create a task and wait until it is done
setup:
  - name: login
    http: {method: POST, path: /login, body: "{{env USER_NAME}}"}
    capture: {token: json token}
vars:
  id: task-{{n}}
steps:
  - name: create
    group: both
    http:
      method: POST
      path: /tasks
      headers: {Authorization: "Bearer {{token}}"}
      body: "{{id}}"
    check:
      status: 201
      json id: "{{id}}"
    capture:
      where: header Location
  - repeat:
      times: 5
      until: state == "done"
      steps:
        - name: ask
          group: both
          http: {path: "{{where}}", headers: {Authorization: "Bearer {{token}}"}}
          capture: {state: json state, asked: json asked}
  - if: asked == 3 && n % 2 == 0
    then:
      - name: even
        http: {path: "{{where}}/even", headers: {Authorization: "Bearer {{token}}"}}
    else:
      - think: 1ms
`

func TestAFlowWalksThroughItsSteps(t *testing.T) {
	srv := shop(t)
	tr := begin(t, resolve(t, map[string]string{"API_BASE_URL": srv.URL, "USER_NAME": "me"}),
		walkThrough)
	tr.offer(t.Context(), 100)
	if len(tr.failed) > 0 {
		t.Fatalf("failures %v: %v", tr.failed, tr.first)
	}
	for step, want := range map[string]int64{"create": 100, "ask": 300, "even": 50, "login": 0} {
		if got := tr.count(step); got != want {
			t.Errorf("step %s has %d successes, want %d", step, got, want)
		}
	}
	if h := tr.totals().Trend(metrics.Selector{Name: "flow_step_duration", Tags: metrics.Tags{Group: "both"}}); h == nil || h.N != 400 {
		t.Errorf("the group holds %+v", h)
	}
	hits, total := tr.totals().Rate(metrics.Selector{Name: "checks", Tags: metrics.Tags{Operation: "create"}})
	if hits != 200 || total != 200 {
		t.Errorf("%d of %d checks held, want 200 of 200", hits, total)
	}
}

func TestAFailedStepEndsItsArrivalAndSaysWhere(t *testing.T) {
	srv := shop(t)
	settings := resolve(t, map[string]string{"API_BASE_URL": srv.URL})
	for _, c := range []struct {
		name, steps string
		want        work.Kind
		says        string
		after       int64
	}{
		{"status", `[{name: first, http: {path: /x}}, {name: after, http: {path: /login}}]`, "status_4xx", "step first (", 0},
		{"check", `[{name: first, http: {path: /login}, check: {json token: other}}, {name: after, http: {path: /login}}]`, answer.KindCheck, `want "other", got "t0ken"`, 0},
		{"capture", `[{name: first, http: {path: /login}, capture: {x: json no}}]`, answer.KindCapture, "capture json no", 0},
		{"not JSON", `[{name: first, http: {path: /x}, check: {status: 401, json a: b}}]`, answer.KindNotJSON, "not JSON", 0},
		{"unset", `[{if: "false", then: [{http: {path: /login}, capture: {x: json token}}]}, {name: first, http: {path: "/{{x}}"}}]`, template.KindUnset, "step first (", 0},
		{"bad path", `[{name: first, http: {path: "/{{choice %zz | raw}}"}}]`, request.KindTemplate, "step first (", 0},
		{"until", `[{repeat: {times: 2, until: x == "other", steps: [{name: after, http: {path: /login}, capture: {x: json token}}]}}]`, KindUntil, "2 times without", 2},
		{"expression", `[{http: {path: /login}, capture: {x: json token}}, {if: x < 5, then: [{think: 1ms}]}]`, KindExpression, "x < 5", 0},
		{"on_failure", `[{name: first, on_failure: continue, http: {path: /x}}, {name: after, http: {path: /login}}]`, "status_4xx", "step first (", 1},
	} {
		tr := begin(t, settings, "steps: "+c.steps)
		tr.offer(t.Context(), 1)
		if tr.failed[c.want] != 1 || !strings.Contains(fmt.Sprint(tr.first), c.says) {
			t.Errorf("%s: failures %v (%v), want %s that says %q", c.name, tr.failed, tr.first, c.want, c.says)
		}
		if got := tr.count("after"); got != c.after {
			t.Errorf("%s: %d steps came after, want %d", c.name, got, c.after)
		}
	}
}

func TestFaultsOfAFileAreFoundBeforeTheFirstArrivalWithTheirPlace(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"steps: []", "flow.yaml:1:8: the steps are empty"},
		{"step: []", `unknown key "step" in a flow; did you mean "steps"?`},
		{"steps:\n  - htp: {path: /}", `flow.yaml:2:5: unknown key "htp" in a step; did you mean "http"?`},
		{"steps:\n  - name: x", "flow.yaml:2:5: a step needs one of http, sql"},
		{"steps:\n  - http: {path: /}\n    sql: {query: x}", "flow.yaml:3:10: a step is either http or sql"},
		{"steps:\n  - http: {path: /, metod: GET}", `did you mean "method"?`},
		{"steps:\n  - http: {path: tasks}", "must begin with /"},
		{"steps:\n  - http: {path: '/{{sate}}'}\n  - http: {path: /}\n    capture: {state: json state}", "flow.yaml:2:18: {{sate}} is no field"},
		{"steps:\n  - http: {path: '/{{state}}'}\n  - http: {path: /}\n    capture: {state: json state}", "{{state}} is no field"},
		{"steps:\n  - http: {path: /}\n    check: {rows: 1}", `this step's answer has no "rows"; it has status`},
		{"steps:\n  - http: {path: /}\n    capture: {n: status}", "{{n}} is an arrival's field"},
		{"steps:\n  - http: {path: /}\n    capture: {a-b: status}", "cannot be a variable's name"},
		{"steps:\n  - http: {path: /, headers: {Content-Type: application/json}, body: '{\"n\": {{n}'}", "has no }}"},
		{"steps:\n  - http: {path: /, headers: {Content-Type: application/json}, body: '{\"n\": {{n}}'}", "the body is not once its fields are filled in"},
		{"steps:\n  - if: x == 1\n    then: [{think: 1s}]", "unknown name x"},
		{"steps:\n  - if: 'n == '\n    then: [{think: 1s}]", "an expression is written as in"},
		{"steps:\n  - if: 'true'", "if needs then"},
		{"steps:\n  - think: {min: 5s, max: 1s}", "min and max"},
		{"steps:\n  - think: fast", "not a duration"},
		{"steps:\n  - think: 1s\n    check: {status: 200}", "check does not belong to a step of think"},
		{"steps:\n  - repeat: {times: 0, steps: [{think: 1s}]}", "1 … 100000"},
		{"steps:\n  - publish: {body: x}", "publish needs an exchange"},
		{"steps:\n  - consume: {queue: a, own_queue: b}", "either queue"},
		{"steps:\n  - consume: {queue: a, match: {propery id: x}}", `did you mean "property"?`},
		{"steps:\n  - consume: {queue: a}\n  - consume: {queue: a, match: {json id: x}}", "line 2 consumes from the same queue"},
		{"steps:\n  - redis: []", "a redis command is a list of words"},
		{"steps:\n  - redis: ['{{n}}']", "without fields"},
		{"steps:\n  - redis: [flushall]", "cannot be a step"},
		{"steps:\n  - redis: [MULTI]", "write {multi: [commands]}"},
		{"steps:\n  - redis: {pipeline: []}", "there are no commands"},
		{"steps:\n  - redis: {}", "redis is a list of words, {pipeline"},
		{"steps:\n  - redis: {multi: [[GET, a], [SELECT, 1]]}", "SELECT cannot be a step"},
		{"steps:\n  - redis: {multi: [GET, a]}", "a redis command is a list of words"},
		{"steps:\n  - redis: [GET, a]\n    check: {reply 1: a}", "this step's answer"},
		{"setup:\n  - publish: {key: q}\nsteps: [{think: 1s}]", "publish belongs to steps"},
		{"vars: {x: '{{y}}'}\nsteps: [{think: 1s}]", "{{y}} is no field"},
		{"steps:\n  - sql: {query: BEGIN}", "flow.yaml:2:18: BEGIN cannot be a step"},
		{"setup:\n  - sql: {query: SET search_path = a}\nsteps: [{think: 1s}]", "SET cannot be a step"},
		{"steps:\n  - http: {path: /, headers: {'A B': x}}", `"A B" is not the name of a header`},
		{"steps:\n  - http: {path: /, headers: {A: \"x\\ny\"}}", "a line break"},
		{"steps:\n  - name: a,b\n    http: {path: /}", "cannot be a name"},
		{"steps:\n  - http: {path: /}\n    on_failure: retry", "on_failure is stop or continue"},
	} {
		_, err := newTrial(t, resolve(t, nil), c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot %v\nwant %q", c.text, err, c.want)
		}
	}
	if _, err := newTrial(t, resolve(t, nil), "steps: [{think: 1s}]", "file="); err == nil || !strings.Contains(err.Error(), "--set flow.file=") {
		t.Errorf("without a file: got %v", err)
	}
}

func TestOneFaultIsToldOnce(t *testing.T) {
	for _, text := range []string{
		"steps:\n  - http: {path: '/json?q={{qq}}'}",
		"steps:\n  - http: {method: GTE, path: /json}",
		"steps:\n  - sql: {query: BEGIN}",
		"steps: none",
		"steps:\n  - redis: ['{{n}}', a]",
		"steps:\n  - redis: 5",
		"steps:\n  - repeat: {times: 2, steps: [{http: {path: x}}]}",
		"steps:\n  - http: {path: x}\n    capture: {id: json id}\n  - http: {path: '/{{id}}'}\n  - if: id == 5\n    then: [{think: 1s}]",
		"vars: {x: '{{y}}'}\nsteps: [{http: {path: '/{{x}}'}}]",
	} {
		_, err := newTrial(t, resolve(t, nil), text)
		if err == nil || strings.Count(err.Error(), "\n") != 0 {
			t.Errorf("%s\ngot %v", text, err)
		}
	}
}

// What a server makes of the values of an arrival is what was captured.
func TestValuesOfAnyTextReachAnAPIWhole(t *testing.T) {
	const odd = `a b&c="d"/%é+`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ V string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if r.Method == http.MethodPost && (r.URL.Path != "/in/"+odd || r.URL.Query().Get("q") != odd || body.V != odd || r.Header.Get("X-V") != odd || r.URL.Query().Get("$filter") != "name eq 'x'") {
			w.WriteHeader(http.StatusTeapot)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"v": odd, "bad": "x\r\nInjected: yes"})
	}))
	defer srv.Close()
	tr := begin(t, resolve(t, map[string]string{"API_BASE_URL": srv.URL}), `
steps:
  - http: {path: /}
    capture: {v: json v, bad: json bad}
  - name: post
    http: {method: POST, path: "/in/{{v}}?q={{v}}&$filter=name eq 'x'", headers: {Content-Type: application/json, X-V: "{{v}}"}, body: '{"v":"{{v}}"}'}
    check: {status: 200}
  - http: {path: /, headers: {X-Bad: "{{bad}}"}}
`)
	tr.offer(t.Context(), 3)
	if tr.count("post") != 3 || tr.failed[request.KindTemplate] != 3 || !strings.Contains(fmt.Sprint(tr.first), "header X-Bad") {
		t.Errorf("%d requests arrived whole, failures %v (%v)", tr.count("post"), tr.failed, tr.first)
	}
}

func TestThinkTimesAreAsAskedFor(t *testing.T) {
	for text, want := range map[string][2]time.Duration{
		"30ms":                   {30 * time.Millisecond, 30 * time.Millisecond},
		"{min: 10ms, max: 20ms}": {10 * time.Millisecond, 20 * time.Millisecond},
		"{mean: 10ms}":           {0, 200 * time.Millisecond},
	} {
		tr := begin(t, resolve(t, nil), "steps: [{think: "+text+"}]")
		synctest.Test(t, func(t *testing.T) {
			w := &worker{}
			w.init(tr.scenario, 0)
			sum := time.Duration(0)
			const n = 2000
			for k := range int64(n) {
				start := time.Now()
				if err := w.begin(&work.Arrival{K: k, Seed: 1}); err != nil {
					t.Fatal(err)
				}
				if err := walk(t.Context(), w, tr.program.steps); err != nil {
					t.Fatal(err)
				}
				took := time.Since(start)
				sum += took
				if took < want[0] || took > want[1] {
					t.Fatalf("%s: waited %v", text, took)
				}
			}
			middle := (want[0] + want[1]) / 2
			if strings.Contains(text, "mean") {
				middle = 10 * time.Millisecond
			}
			if mean := sum / n; mean < middle*9/10 || mean > middle*11/10 {
				t.Errorf("%s: waited %v on average, want about %v", text, mean, middle)
			}
		})
	}
}

func TestThinkingEndsWithTheRun(t *testing.T) {
	tr := begin(t, resolve(t, nil), "steps: [{think: 1h}]")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w := &worker{}
		w.init(tr.scenario, 0)
		w.scope.Arrival = &work.Arrival{}
		if err := walk(ctx, w, tr.program.steps); work.KindOf(err) != work.KindTimeout {
			t.Errorf("got %v", err)
		}
	})
}

func TestTurnsAreToldApart(t *testing.T) {
	srv := shop(t)
	tr := begin(t, resolve(t, map[string]string{"API_BASE_URL": srv.URL}), `
steps:
  - repeat:
      times: 2
      steps:
        - repeat:
            times: 3
            steps:
              - name: inner
                http: {path: "/login?turn={{turn}}&r={{random}}"}
`)
	tr.offer(t.Context(), 1)
	if len(tr.failed) > 0 || tr.count("inner") != 6 {
		t.Errorf("%d inner steps, failures %v (%v)", tr.count("inner"), tr.failed, tr.first)
	}
}

func FuzzFile(f *testing.F) {
	f.Add(walkThrough)
	f.Add("steps: [{consume: {own_queue: a, match: {json id: '{{n}}'}}}, {redis: [GET, a]}, {sql: {query: q, args: [1, null]}}]")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = blank().parse("f.yaml", []byte(text))
	})
}

func TestTheExamplesAreFlows(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "configs", "examples", "flow-*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if _, err := load(file, blank()); err != nil {
			t.Error(err)
		}
	}
}
