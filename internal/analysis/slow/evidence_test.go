package slow

import (
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// What is seen while arrivals of one second are slow, and the arrivals that it is about.
func TestWhatIsSeenOfASecondIsNamedForThoseThatItConcerns(t *testing.T) {
	const from, to = 30_000.0, 31_000.0
	const statement = "SELECT pad FROM wide WHERE key = $1"
	for name, c := range map[string]struct {
		evidence exemplars.Evidence
		// of changes what kind of operation it is; wrong makes one that it is not about.
		of, wrong func(o *exemplars.Op)
		what      string
	}{
		"lost segments": {
			exemplars.Evidence{Source: "host", System: "api", Kind: exemplars.Retransmits, Conn: 41000},
			func(o *exemplars.Op) { o.System, o.Conn = "api", 41000 }, func(o *exemplars.Op) { o.Conn = 41001 }, "connection to the HTTP API",
		},
		"another plan": {
			exemplars.Evidence{Source: "postgres", Kind: exemplars.Plan, By: statement},
			func(o *exemplars.Op) { o.Request = statement }, func(o *exemplars.Op) { o.Request = "SELECT 1" }, "without its index",
		},
		"a backlog": {
			exemplars.Evidence{Source: "rabbitmq", Kind: exemplars.Backlog, By: "work"},
			func(o *exemplars.Op) { o.System = "rabbitmq" }, func(o *exemplars.Op) { o.Name, o.Role = "send", exemplars.Publishes }, "whose consumers did not keep up: work",
		},
		"flow control": {
			exemplars.Evidence{Source: "rabbitmq", Kind: exemplars.Flow, What: "held a channel of the run back by flow control"},
			func(o *exemplars.Op) { o.System, o.Name, o.Role = "rabbitmq", "send", exemplars.Publishes }, func(o *exemplars.Op) { o.Role, o.Request = exemplars.Consumes, "publish work" }, "flow control",
		},
		"a pause of the program": {
			exemplars.Evidence{Source: "app", System: "api", Kind: exemplars.Pause, What: "was stopped by its garbage collection for 700 ms", Took: 700},
			func(o *exemplars.Op) { o.System = "api" }, func(o *exemplars.Op) { o.System = "redis" }, "garbage collection",
		},
		"processor time that the server was refused": {
			exemplars.Evidence{Source: "cache", System: "redis", Kind: exemplars.Throttled, What: "was refused processor time by the limit of its control group"},
			func(o *exemplars.Op) { o.System = "redis" }, func(o *exemplars.Op) { o.System = "postgres" }, "cache was refused processor time",
		},
	} {
		for _, concerned := range []bool{true, false} {
			w := newSimulation(11)
			c.evidence.From, c.evidence.To, c.evidence.Process = from, to, 0
			w.evidence = []exemplars.Evidence{c.evidence}
			w.bend = func(e *exemplars.Exemplar) {
				c.of(&e.Ops[0])
				if e.Due < from || e.Due >= to-100 {
					return
				}
				e.Ops[0].Server = to - e.Due
				if !concerned {
					c.wrong(&e.Ops[0])
				}
			}
			r := Explain(w.run())
			var named []string
			for _, x := range r.Causes {
				if x.ID == c.evidence.Kind {
					named = append(named, x.What)
				}
			}
			switch {
			case concerned && (len(named) != 1 || !strings.Contains(named[0], c.what)):
				t.Errorf("%s: named %q of %+v", name, named, r.Causes)
			case !concerned && len(named) > 0:
				t.Errorf("%s: named %q for arrivals that it does not concern", name, named)
			}
		}
	}
}

func TestAPauseShorterThanHalfOfAnArrivalDoesNotExplainIt(t *testing.T) {
	v := exemplars.Evidence{From: 1000, To: 2000, Kind: exemplars.Pause, Took: 100}
	if !v.Covers(1200, 1390) || v.Covers(1200, 1500) {
		t.Error("a pause of 100 ms explains arrivals of up to 200 ms")
	}
}

func TestTheNameServerIsNamed(t *testing.T) {
	w := newSimulation(3)
	w.bend = func(e *exemplars.Exemplar) {
		if e.Due >= 30_000 && e.Due < 31_000 {
			e.Ops[0].System, e.Ops[0].Lookup = "api", 31_200-e.Due
		}
	}
	r := Explain(w.run())
	if len(r.Causes) != 1 || r.Causes[0].ID != exemplars.DNS || r.Causes[0].From < 29.9 || r.Causes[0].To > 31.5 {
		t.Errorf("%+v", r.Causes)
	}
}

func TestOneArrivalOfAStoppedProcessIsNamed(t *testing.T) {
	w := newSimulation(5)
	w.evidence = []exemplars.Evidence{{From: 30_000, To: 31_500, Source: "postgres", Kind: exemplars.Stopped, Process: 999}}
	done := false
	w.bend = func(e *exemplars.Exemplar) {
		if e.Due >= 30_100 && !done {
			done = true
			e.Ops[0].Process, e.Ops[0].Server = 999, 1400
		}
	}
	r := Explain(w.run())
	if !r.Known || len(r.Causes) != 1 || r.Causes[0].ID != exemplars.Stopped || r.Causes[0].Count != 1 {
		t.Errorf("%+v", r)
	}
}

// A checkpoint that is felt through the disk is told by what the process waited for, however
// the watcher words it.
func TestACheckpointThatIsFeltThroughTheDiskIsToldByWhatWasWaitedFor(t *testing.T) {
	for disk, what := range map[bool]string{true: "waited for the disk while PostgreSQL wrote a checkpoint", false: "fell into a checkpoint of PostgreSQL"} {
		w := newSimulation(11)
		for _, at := range []float64{12_000, 42_000} {
			w.evidence = append(w.evidence, exemplars.Evidence{From: at, To: at + 1000, Source: "postgres", Kind: exemplars.Checkpoint},
				exemplars.Evidence{From: at, To: at + 1000, Source: "postgres", Kind: exemplars.Waits, Waited: "BufferIO", Disk: disk, What: "a statement waited"})
		}
		w.bend = func(e *exemplars.Exemplar) {
			for _, at := range []float64{12_000, 42_000} {
				if e.Due >= at && e.Due < at+900 {
					e.Ops[0].Server = at + 1000 - e.Due
				}
			}
		}
		r := Explain(w.run())
		if len(r.Causes) == 0 || r.Causes[0].What != what {
			t.Errorf("disk %v: named %+v", disk, r.Causes)
		}
	}
}
