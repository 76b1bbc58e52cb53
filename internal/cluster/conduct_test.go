package cluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/cluster/clustertest"
	"github.com/perfctl/perfctl/internal/meeting"
)

// program is what the pods of these tests execute: a shard that records lines.
type program struct {
	// lines is how many it records, each after pause.
	lines int
	pause time.Duration
	// hello changes what a shard says of itself.
	hello func(*meeting.Hello)
	// silent keeps a shard from saying that it is armed in time.
	silent func(shard int) bool

	mu       sync.Mutex
	starts   map[int]time.Time
	inherits map[int]string
	stopped  map[int]string
}

func (p *program) run(ctx context.Context, env map[string]string, log io.Writer) int {
	s, err := cluster.OpenShard(func(n string) (string, bool) { v, ok := env[n]; return v, ok }, log)
	if err != nil {
		fmt.Fprintln(log, err)
		return 2
	}
	defer s.Leave()
	if err := p.shard(ctx, s); err != nil {
		if ctx.Err() == nil {
			s.Fail(ctx, cluster.Failed{Error: err.Error(), ExitCode: 107})
		}
		return 107
	}
	return 0
}

func (p *program) shard(ctx context.Context, s *cluster.Shard) error {
	h := meeting.Hello{Run: s.Manifest.Run, Shard: s.Index, Shards: s.Manifest.Shards, Version: s.Manifest.Version, Schedule: "f00"}
	if p.hello != nil {
		p.hello(&h)
	}
	if err := s.Greet(ctx, h); err != nil {
		return err
	}
	made := "made by 0"
	if s.Index == 0 {
		if err := s.HandOver(ctx, []byte(made)); err != nil {
			return err
		}
	} else {
		text, err := s.Inherit(ctx)
		if err != nil {
			return err
		}
		made = string(text)
	}
	if p.silent != nil && p.silent(s.Index) {
		<-ctx.Done()
		return ctx.Err()
	}
	at, err := s.Start(ctx, time.Time{})
	if err != nil {
		return err
	}
	p.mu.Lock()
	if p.starts == nil {
		p.starts, p.inherits, p.stopped = map[int]time.Time{}, map[int]string{}, map[int]string{}
	}
	p.starts[s.Index], p.inherits[s.Index] = at, made
	p.mu.Unlock()
	serving, end := context.WithCancel(ctx)
	var serve sync.WaitGroup
	serve.Go(func() { s.Serve(serving, func(cluster.Stop) {}) })
	err = p.record(ctx, s)
	end()
	serve.Wait()
	if err != nil {
		return err
	}
	for _, point := range []meeting.Point{meeting.Ended, meeting.Drained, meeting.Counted, meeting.Left} {
		if _, err := s.Reach(ctx, point); err != nil {
			return err
		}
	}
	return s.Finish(ctx, cluster.Final{Verdict: "pass"})
}

// record writes the files of a run directory, as a run does.
func (p *program) record(ctx context.Context, s *cluster.Shard) error {
	dir := s.RunFolder()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "run.json"), content(s.Index, "run.json", p.lines), 0o600); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "series.ndjson"))
	if err != nil {
		return err
	}
	defer f.Close()
	for i := range p.lines {
		if reason, aborted := s.Aborted(); aborted {
			p.mu.Lock()
			p.stopped[s.Index] = reason
			p.mu.Unlock()
			break
		}
		if _, err := f.Write(lineOf(s.Index, i)); err != nil {
			return err
		}
		select {
		case <-time.After(p.pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return os.WriteFile(filepath.Join(dir, "summary.json"), content(s.Index, "summary.json", p.lines), 0o600)
}

func lineOf(shard, i int) []byte {
	return fmt.Appendf(nil, "%d %d %s\n", shard, i, strings.Repeat(fmt.Sprint(shard*7919+i), 300))
}

func content(shard int, name string, lines int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%s of %d with %d lines\n", name, shard, lines), 900)
}

// keeper is a sink that keeps everything, and a voice that remembers.
type keeper struct {
	cluster.Rebuilder
	mu   sync.Mutex
	said []string
	gone map[int]time.Time
	at   time.Time
}

func (k *keeper) Part(shard int, p *cluster.Part) {
	if err := k.Write(shard, p); err != nil {
		k.Say(err.Error())
	}
}
func (k *keeper) Whole(shard int, f *cluster.Final) error { return k.Check(shard, f) }
func (k *keeper) Gone(shard int)                          { k.gone[shard] = time.Now() }
func (k *keeper) Step(text string)                        { k.Say(text) }
func (k *keeper) Warn(text string)                        { k.Say(text) }
func (k *keeper) Started(at time.Time)                    { k.at = at }
func (k *keeper) Say(text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.said = append(k.said, text)
}

// stage is a cluster with a run in it.
type stage struct {
	*keeper
	server *clustertest.Server
	client *cluster.Client
	spec   *cluster.Spec
	stops  chan cluster.Stop
}

func newStage(t *testing.T, shards int, p *program) *stage {
	t.Helper()
	x := &stage{server: clustertest.New(t, p.run), stops: make(chan cluster.Stop, 4), keeper: &keeper{gone: map[int]time.Time{}}}
	x.Dir = t.TempDir()
	var err error
	if x.client, err = cluster.NewClient(x.server.Config(), clustertest.Namespace); err != nil {
		t.Fatal(err)
	}
	parcel, err := cluster.Pack(&cluster.Manifest{Run: "r1", Shards: shards, Version: "v1", Hold: time.Minute, Barrier: time.Minute}, nil)
	if err != nil {
		t.Fatal(err)
	}
	x.spec = &cluster.Spec{Run: "r1", Profile: "load", Namespace: clustertest.Namespace, Image: "i", Shards: shards, Parcel: parcel,
		Secret: map[string]string{cluster.EnvSecret: `{"key":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}`}, Deadline: time.Minute, TTL: time.Minute}
	return x
}

// conduct makes the run and conducts it.
func (x *stage) conduct(t *testing.T, change func(*cluster.Conductor)) (*cluster.Outcome, error) {
	t.Helper()
	if err := x.client.Create(t.Context(), x.spec); err != nil {
		return nil, err
	}
	return x.attach(t, change)
}

func (x *stage) attach(t *testing.T, change func(*cluster.Conductor)) (*cluster.Outcome, error) {
	t.Helper()
	c := &cluster.Conductor{Client: x.client, Run: "r1", Shards: x.spec.Shards, Want: cluster.Want{Version: "v1", Plan: cluster.ParcelHash(x.spec.Parcel)},
		Sink: x, Voice: x, Stop: x.stops, Lead: 1500 * time.Millisecond, Patience: 5 * time.Second, Planned: time.Minute}
	if change != nil {
		change(c)
	}
	o, err := c.Conduct(t.Context())
	if e := x.Close(); e != nil {
		t.Error(e)
	}
	return o, err
}

// whole checks that everything that the shards recorded is there.
func (x *stage) whole(t *testing.T, p *program, shards ...int) {
	t.Helper()
	for _, i := range shards {
		var want []byte
		for n := range p.lines {
			want = append(want, lineOf(i, n)...)
		}
		for name, want := range map[string][]byte{"series.ndjson": want, "run.json": content(i, "run.json", p.lines), "summary.json": content(i, "summary.json", p.lines)} {
			got, err := os.ReadFile(filepath.Join(x.ShardDir(i), name))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("shard %d: %s: %d bytes, want %d: %v", i, name, len(got), len(want), err)
			}
		}
	}
}

func TestShardsStartTogetherAndAllThatTheyRecordIsCollected(t *testing.T) {
	t.Parallel()
	p := &program{lines: 40, pause: 50 * time.Millisecond}
	x := newStage(t, 3, p)
	o, err := x.conduct(t, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(x.said, "\n"))
	}
	if len(o.Lost) != 0 || len(o.Broken) != 0 || o.Stopped != nil {
		t.Errorf("%+v", o)
	}
	x.whole(t, p, 0, 1, 2)
	for i := range 3 {
		if !p.starts[i].Equal(x.at) || p.inherits[i] != "made by 0" {
			t.Errorf("shard %d starts at %v of %v and inherits %q", i, p.starts[i], x.at, p.inherits[i])
		}
		if note := x.server.Note(i, "perfctl.io/handover"); strings.Contains(note, "made") {
			t.Errorf("what is handed over can be read: %s", note)
		}
	}
	if err := x.client.Delete(t.Context(), "r1"); err != nil || x.server.Objects() != 0 {
		t.Errorf("left in the cluster: %d, %v", x.server.Objects(), err)
	}
}

// TestANodeThatMissesChangesIsReminded lets a node miss every other change of its pod.
func TestANodeThatMissesChangesIsReminded(t *testing.T) {
	t.Parallel()
	p := &program{lines: 20, pause: 50 * time.Millisecond}
	x := newStage(t, 2, p)
	n := 0
	x.server.Miss = func(pod int) bool { // one call at a time
		if pod == 1 {
			n++
		}
		return pod == 1 && n%2 == 1
	}
	o, err := x.conduct(t, func(c *cluster.Conductor) { c.Lead = 4 * time.Second })
	if err != nil || len(o.Lost) != 0 || len(o.Broken) != 0 {
		t.Fatalf("%+v, %v\n%s", o, err, strings.Join(x.said, "\n"))
	}
	x.whole(t, p, 0, 1)
}

// TestNothingIsLostOnABadWay loses and doubles lines, breaks what is open, is away for a
// time, has too much to do, and forgets versions.
func TestNothingIsLostOnABadWay(t *testing.T) {
	t.Parallel()
	p := &program{lines: 60, pause: 50 * time.Millisecond}
	x := newStage(t, 2, p)
	var mu sync.Mutex
	seen, busy, gone := map[string]int{}, 0, 0
	x.server.Mangle = func(pod int, line string) []string {
		mu.Lock()
		defer mu.Unlock()
		seen[line]++
		data := strings.Contains(line, " data ")
		switch n := len(seen); {
		case seen[line] == 1 && data && n%7 == 3:
			return nil
		case seen[line] == 1 && data && n%11 == 5:
			return []string{line[:len(line)/2]}
		case n%5 == 0:
			return []string{line, line}
		}
		return []string{line}
	}
	x.server.Refuse = func(r *http.Request) (int, string, bool) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/pods/"):
			if busy++; busy%5 == 1 {
				return http.StatusTooManyRequests, "too many requests", true
			}
		case r.URL.Query().Get("watch") != "":
			if gone++; gone%2 == 0 {
				return http.StatusGone, "too old resource version", true
			}
		}
		return 0, "", false
	}
	go func() {
		for range 8 {
			time.Sleep(700 * time.Millisecond)
			x.server.BreakStreams()
		}
		x.server.Restart(time.Second)
	}()
	o, err := x.conduct(t, func(c *cluster.Conductor) { c.Lead = 6 * time.Second })
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(x.said, "\n"))
	}
	if len(o.Lost) != 0 || len(o.Broken) != 0 {
		t.Errorf("%+v\n%s", o, strings.Join(x.said, "\n"))
	}
	x.whole(t, p, 0, 1)
}

func TestALostShardIsSaidAtOnceAndTheRestIsKept(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*clustertest.Server){
		"killed":  func(s *clustertest.Server) { s.Kill(1) },
		"deleted": func(s *clustertest.Server) { s.Remove(1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &program{lines: 50, pause: 100 * time.Millisecond}
			x := newStage(t, 3, p)
			var lost time.Time
			go func() {
				for !x.said1("") {
					time.Sleep(20 * time.Millisecond)
				}
				time.Sleep(4 * time.Second)
				lost = time.Now()
				lose(x.server)
			}()
			o, err := x.conduct(t, nil)
			if err != nil {
				t.Fatalf("%v\n%s", err, strings.Join(x.said, "\n"))
			}
			if len(o.Lost) != 1 || o.Lost[1] == "" || len(o.Broken) != 0 {
				t.Errorf("%+v", o)
			}
			if d := x.gone[1].Sub(lost); d < 0 || d > 5*time.Second {
				t.Errorf("it was said after %v", d)
			}
			if !strings.Contains(strings.Join(x.said, "\n"), "INCOMPLETE: shard 1 is lost") {
				t.Errorf("said: %q", x.said)
			}
			x.whole(t, p, 0, 2)
		})
	}
}

// said1 says whether anything was said that holds a text.
func (k *keeper) said1(text string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.said {
		if strings.Contains(s, text) {
			return true
		}
	}
	return false
}

func TestARunIsCalledOffBeforeAnyLoad(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		program *program
		server  func(*clustertest.Server)
		want    string
	}{
		"one does not answer": {program: &program{silent: func(i int) bool { return i == 1 }}, want: ""},
		"another version":     {program: &program{hello: func(h *meeting.Hello) { h.Version = "v2" }}, want: "is perfctl v2, and this is perfctl v1"},
		"another schedule": {program: &program{hello: func(h *meeting.Hello) {
			if h.Shard == 1 {
				h.Schedule = "other"
			}
		}}, want: "the schedule's fingerprint"},
		"no image": {server: func(s *clustertest.Server) {
			s.Pending = func(i int) (string, string) { return "ErrImageNeverPull", "image is not present" }
		}, want: "cannot run: ErrImageNeverPull"},
		"no room": {server: func(s *clustertest.Server) {
			s.Pending = func(i int) (string, string) {
				if i == 2 {
					return "Unschedulable", "0/1 nodes are available: 1 Insufficient cpu."
				}
				return "", ""
			}
		}, want: "Insufficient cpu"},
		"one is not armed": {server: func(s *clustertest.Server) {
			s.Mangle = func(pod int, line string) []string {
				if pod == 1 && strings.Contains(line, " armed ") {
					return nil
				}
				return []string{line}
			}
		}, want: "called off before any load was sent: of 3 shards 1 did not say in time"},
		"a clock is 5 s ahead":  {server: func(s *clustertest.Server) { s.Mangle = clock(t, 2, 5*time.Second) }, want: "the clock of shard 2 (on node2) is at least 5"},
		"a clock is 5 s behind": {server: func(s *clustertest.Server) { s.Mangle = clock(t, 2, -5*time.Second) }, want: "behind this machine's"},
		"watching is forbidden": {server: func(s *clustertest.Server) {
			s.Refuse = func(r *http.Request) (int, string, bool) {
				if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/pods") {
					return http.StatusForbidden, "pods is forbidden", true
				}
				return 0, "", false
			}
		}, want: "you may not watch pods in the namespace perf"},
		"reading logs is forbidden": {server: func(s *clustertest.Server) {
			s.Refuse = func(r *http.Request) (int, string, bool) {
				return http.StatusForbidden, "pods/log is forbidden", strings.HasSuffix(r.URL.Path, "/log")
			}
		}, want: "you may not get pods/log in the namespace perf"},
		"telling pods is forbidden": {server: func(s *clustertest.Server) {
			s.Refuse = func(r *http.Request) (int, string, bool) {
				return http.StatusForbidden, "pods is forbidden", r.Method == http.MethodPatch && strings.Contains(r.URL.Path, "/pods/")
			}
		}, want: "you may not patch pods in the namespace perf"},
		"creating is forbidden": {server: func(s *clustertest.Server) {
			s.Refuse = func(r *http.Request) (int, string, bool) {
				if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/secrets") {
					return http.StatusForbidden, "secrets is forbidden", true
				}
				return 0, "", false
			}
		}, want: "you may not create secrets in the namespace perf"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.program == nil {
				c.program = &program{}
			}
			if c.want == "" { // nobody is armed who was not told
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				x := newStage(t, 2, c.program)
				if err := x.client.Create(ctx, x.spec); err != nil {
					t.Fatal(err)
				}
				k := &cluster.Conductor{Client: x.client, Run: "r1", Shards: 2, Sink: x, Voice: x, Lead: time.Second, Patience: time.Second}
				if _, err := k.Conduct(ctx); err == nil || len(c.program.starts) != 0 {
					t.Errorf("%v, started %v", err, c.program.starts)
				}
				return
			}
			x := newStage(t, 3, c.program)
			if c.server != nil {
				c.server(x.server)
			}
			_, err := x.conduct(t, func(k *cluster.Conductor) { k.Patience = 2 * time.Second })
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "\n  next: ") {
				t.Errorf("%v, want %q and what to do next", err, c.want)
			}
			if len(c.program.starts) != 0 {
				t.Errorf("started: %v", c.program.starts)
			}
			if err := x.client.Delete(t.Context(), "r1"); err != nil || x.server.Objects() != 0 {
				t.Errorf("left in the cluster: %d, %v", x.server.Objects(), err)
			}
		})
	}
}

// clock changes what a shard says of its clock.
func clock(t *testing.T, shard int, by time.Duration) func(int, string) []string {
	t.Helper()
	return func(pod int, line string) []string {
		f, framed, err := cluster.ParseFrame([]byte(line))
		var body map[string]any
		if pod != shard || !framed || err != nil || json.Unmarshal(f.Body, &body) != nil || body["clock"] == nil {
			return []string{line}
		}
		at, err := time.Parse(time.RFC3339Nano, body["clock"].(string))
		if err != nil {
			t.Error(err)
		}
		body["clock"] = at.Add(by)
		if f.Body, err = json.Marshal(body); err != nil {
			t.Error(err)
		}
		return []string{strings.TrimSuffix(string(f.Append(nil)), "\n")}
	}
}

func TestARunThatExistsIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	x := newStage(t, 2, &program{})
	if err := x.client.Create(t.Context(), x.spec); err != nil {
		t.Fatal(err)
	}
	err := x.client.Create(t.Context(), x.spec)
	if err == nil || !strings.Contains(err.Error(), "a run r1 is in the namespace perf already") || x.server.Objects() != 3 {
		t.Errorf("%v, %d objects", err, x.server.Objects())
	}
}

func TestAnAbortReachesAllShards(t *testing.T) {
	t.Parallel()
	p := &program{lines: 200, pause: 100 * time.Millisecond}
	x := newStage(t, 3, p)
	go func() {
		for len(x.server.Note(2, "perfctl.io/go")) == 0 {
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		x.stops <- cluster.Stop{Text: "a rule is missed"}
	}()
	o, err := x.conduct(t, nil)
	if err != nil || o.Stopped == nil {
		t.Fatalf("%+v, %v\n%s", o, err, strings.Join(x.said, "\n"))
	}
	if want := map[int]string{0: "a rule is missed", 1: "a rule is missed", 2: "a rule is missed"}; !maps.Equal(p.stopped, want) {
		t.Errorf("stopped: %v", p.stopped)
	}
}

// TestAnotherCommandGoesOn ends the command in mid-run and attaches another one.
func TestAnotherCommandGoesOn(t *testing.T) {
	t.Parallel()
	p := &program{lines: 60, pause: 100 * time.Millisecond}
	x := newStage(t, 2, p)
	if err := x.client.Create(t.Context(), x.spec); err != nil {
		t.Fatal(err)
	}
	ctx, kill := context.WithCancel(t.Context())
	go func() {
		for len(x.server.Note(1, "perfctl.io/go")) == 0 {
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		kill()
	}()
	first := &keeper{gone: map[int]time.Time{}}
	first.Dir = t.TempDir()
	k := &cluster.Conductor{Client: x.client, Run: "r1", Shards: 2, Sink: first, Voice: first, Lead: time.Second}
	if _, err := k.Conduct(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	o, err := x.attach(t, nil)
	if err != nil || len(o.Lost) != 0 || len(o.Broken) != 0 {
		t.Fatalf("%+v, %v\n%s", o, err, strings.Join(x.said, "\n"))
	}
	x.whole(t, p, 0, 1)
}
