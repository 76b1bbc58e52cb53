package run

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/keep"
	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/secrets"
)

// recording returns records over a plan of one scenario and stage.
func recording() *records {
	p := &Plan{request: Request{Profile: &profiles.Profile{Stages: []profiles.Stage{{Name: "steady"}}}, Secrets: &secrets.Redactor{}}}
	p.defs = append(p.defs, &scenarios.Definition{Name: "crud"})
	return &records{of: &Prepared{plan: p, session: &Session{}}, keeper: keep.New(1, 10, 0), shown: map[string]string{}}
}

const msec = time.Millisecond

// kept is an arrival that waited 2 ms for the generator, 3 for a worker and 20 for a
// connection, and 60 for its answer.
func kept(r *records, fails error) exemplars.Exemplar {
	a := &work.Arrival{K: 7, Due: 1000 * msec, Released: 1002 * msec, Started: 1005 * msec, Notes: r.keeper.Notes(0, 0)}
	o := a.Begin("postgres", "update", 1005*msec)
	o.On(1025*msec, 0, 4711)
	o.Asks("", "UPDATE t SET token='hunter22hunter' \x1b[31mWHERE id = $1")
	o.Answered([]byte(`{"password": "hunter22hunter"}`))
	o.Ended(1085*msec, fails)
	r.keeper.Keep(0, a, 1090*msec, fails)
	var out exemplars.Exemplar
	r.keeper.Take(func(k *keep.Record) { out = r.exemplar(k, 500*msec) })
	return out
}

func TestARecordSaysWhereTheTimeWent(t *testing.T) {
	e := kept(recording(), nil)
	if e.Due != 500 || e.Released != 2 || e.Started != 5 || e.Response != 90 || e.Stage != "steady" || e.Scenario != "crud" {
		t.Errorf("record %+v", e)
	}
	p := e.Phases()
	want := map[string]float64{exemplars.Generator: 2, exemplars.Worker: 3, exemplars.Pool: 20, exemplars.Server: 60, exemplars.Own: 5}
	for name, v := range p {
		if v != want[name] {
			t.Errorf("phase %s is %v, want %v", name, v, want[name])
		}
	}
	if e.Ops[0].Process != 4711 {
		t.Errorf("process %d", e.Ops[0].Process)
	}
}

func TestARecordHoldsNoSecretAndNothingThatATerminalObeys(t *testing.T) {
	r := recording()
	r.of.plan.request.Secrets.Add("s3cret-of-the-run")
	e := kept(r, work.Fail(work.KindRejected, errors.New("refused s3cret-of-the-run: postgres://u:hunter22hunter@h/db")))
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"hunter22hunter", "s3cret-of-the-run", "\\u001b"} {
		if strings.Contains(string(text), bad) {
			t.Errorf("%q stands in %s", bad, text)
		}
	}
	if e.Kind != "rejected" || !e.Is(exemplars.Failed) || !e.Ops[0].Failed {
		t.Errorf("record %s", text)
	}
}

func TestFailuresAreLoggedAndCounted(t *testing.T) {
	r := recording()
	var log strings.Builder
	r.failures, r.elapsed = &log, func() time.Duration { return 0 }
	r.of.clock = work.NewClock()
	for k := range int64(12) {
		r.keeper.Keep(0, &work.Arrival{K: k, Due: 1}, 5, errors.New("no"))
	}
	r.flush()
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 11 || !strings.Contains(lines[0], `"scenario":"crud"`) || !strings.Contains(lines[10], `"left_out":2`) {
		t.Errorf("log of %d lines:\n%s", len(lines), log.String())
	}
}

func TestARecordSaysWhatAnOperationDoesWithAMessageWhateverItIsCalled(t *testing.T) {
	r := recording()
	for role, want := range map[work.Role]string{work.Publishes: exemplars.Publishes, work.Consumes: exemplars.Consumes, 0: ""} {
		a := &work.Arrival{Notes: r.keeper.Notes(0, 0)}
		o := a.Begin("rabbitmq", "send", 0)
		o.Does(role)
		o.Ended(msec, nil)
		r.keeper.Keep(0, a, msec, errors.New("is kept"))
		r.keeper.Take(func(k *keep.Record) {
			if got := r.exemplar(k, 0).Ops[0].Role; got != want {
				t.Errorf("role %d is written as %q, want %q", role, got, want)
			}
		})
	}
}
