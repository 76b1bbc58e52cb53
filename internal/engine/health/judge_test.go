package health

import (
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
)

func lagOf(d time.Duration, share float64) *metrics.Hist {
	h := new(metrics.Hist)
	h.RecordN(int64(50*time.Microsecond), int64(10000*(1-share)))
	h.RecordN(int64(d), int64(10000*share))
	return h
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name   string
		e      Evidence
		want   Status
		reason string
	}{
		{"a healthy generator", Evidence{Lag: lagOf(0, 0), Planned: 100, Released: 100, Started: 100, Usage: Usage{CPUShare: 0.4}}, Valid, ""},
		{"too few late arrivals to matter", Evidence{Lag: lagOf(time.Second, 0.0005), Planned: 100, Released: 100}, Valid, ""},
		{"one in two hundred late by a second", Evidence{Lag: lagOf(time.Second, 0.005), Planned: 100, Released: 100}, Suspect, "one in a thousand"},
		{"one in two hundred late by 5 ms", Evidence{Lag: lagOf(5*time.Millisecond, 0.005), Planned: 100, Released: 100}, Valid, ""},
		{"one in fifty late by 2 ms", Evidence{Lag: lagOf(2*time.Millisecond, 0.02)}, Suspect, "1% of them"},
		{"one in fifty late by 200 ms", Evidence{Lag: lagOf(200*time.Millisecond, 0.02)}, Invalid, "1% of them"},
		{"half of them late by 3 ms", Evidence{Lag: lagOf(3*time.Millisecond, 0.6)}, Suspect, "half of them"},
		{"late by no more than was asked for", Evidence{Lag: lagOf(3*time.Millisecond, 0.6), Tolerance: 2 * time.Millisecond}, Valid, ""},
		{"arrivals never released", Evidence{Planned: 1000, Released: 980}, Invalid, "2% of the planned"},
		{"all CPU used", Evidence{Usage: Usage{CPUShare: 0.97}}, Suspect, "97%"},
		{"threads waiting for a core", Evidence{Usage: Usage{RunQueue: 1.5}}, Suspect, "waited for a core"},
		{"a slow target", Evidence{Planned: 1000, Released: 1000, Started: 500, Usage: Usage{MachineBusy: 0.3, MachineShare: 0.1}}, Valid, ""},
		{"a machine used up by the generator", Evidence{Planned: 1000, Released: 1000, Started: 500, Usage: Usage{MachineBusy: 0.99, MachineShare: 0.7}}, Invalid, "found no worker"},
		{"no ports left", Evidence{Exhausted: 3}, Invalid, "ran out"},
		{"data lost", Evidence{Missing: "the disk was full"}, Invalid, "disk"},
		{"throttled by the quota", Evidence{Usage: Usage{Throttled: 0.3}}, Invalid, "quota"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Judge(c.e)
			if r.Status != c.want {
				t.Fatalf("%s %v, want %s", r.Status, r.Reasons, c.want)
			}
			if text := strings.Join(r.Reasons, "; "); !strings.Contains(text, c.reason) {
				t.Errorf("reasons %q do not name %q", text, c.reason)
			}
			if (r.Status == Valid) != (len(r.Reasons) == 0) {
				t.Errorf("status %s with reasons %v", r.Status, r.Reasons)
			}
		})
	}
}

func TestSamplerSeesTheProcess(t *testing.T) {
	reg := metrics.NewRegistry(nil)
	s := NewSampler(reg)
	deadline := time.Now().Add(30 * time.Millisecond)
	for n := 0; time.Now().Before(deadline); n++ {
		_ = n * n
	}
	s.Sample()
	u := s.Usage()
	if u.CPUPercent <= 0 {
		t.Errorf("a busy process used %g %% CPU", u.CPUPercent)
	}
	if u.MaxRSS < 1<<20 {
		t.Errorf("resident memory %d bytes", u.MaxRSS)
	}
}

func TestWhatInvalidatesIsNamedFirst(t *testing.T) {
	r := Judge(Evidence{Missing: "data is missing: no space left", Usage: Usage{CPUShare: 0.9, FDShare: 1}})
	if r.Status != Invalid || r.Reasons[0] != "data is missing: no space left" || !strings.Contains(r.Reasons[1], "open files") {
		t.Errorf("got %s: %q", r.Status, r.Reasons)
	}
}

func TestAFewSegmentsThatWereRepeatedAreNoShare(t *testing.T) {
	for n, want := range map[float64]float64{0: 0, 2: 0, 9: 0, 10: 10, 500: 500} {
		if got := tellingRepeats(n); got != want {
			t.Errorf("%g repeated count as %g, want %g", n, got, want)
		}
	}
}
