package profiles

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// walk returns all arrivals of a shard.
func walk(s *Schedule, shard, shards int) (all []Arrival) {
	c := s.Cursor(shard, shards)
	for a, ok := c.Next(); ok; a, ok = c.Next() {
		all = append(all, a)
	}
	return all
}

func compile(t *testing.T, o Options, stages ...Stage) *Schedule {
	t.Helper()
	s, err := Compile(stages, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func steady(rate float64, d time.Duration) Stage { return Stage{From: rate, To: rate, Duration: d} }

func ramp(from, to float64, d time.Duration) Stage { return Stage{From: from, To: to, Duration: d} }

func TestUniformDueTimes(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name   string
		stages []Stage
		due    []time.Duration
	}{
		{"each arrival is in the middle of its share",
			[]Stage{steady(4, time.Second)},
			[]time.Duration{125 * ms, 375 * ms, 625 * ms, 875 * ms}},
		{"a fraction is rounded down",
			[]Stage{steady(1.9, time.Second)},
			[]time.Duration{263157895}}, // 0.5/1.9 s, up
		{"an area that is whole but for rounding is whole",
			[]Stage{steady(0.1, 10*time.Second)},
			[]time.Duration{5 * time.Second}},
		{"the fraction left carries on into the next stage",
			[]Stage{steady(1.25, time.Second), steady(1.75, time.Second)},
			[]time.Duration{400 * ms, 1142857143, 1714285715}}, // 1 + (1.5-1.25)/1.75 s
		{"and across a pause",
			[]Stage{steady(1.25, time.Second), steady(0, 10*time.Second), steady(1.75, time.Second)},
			[]time.Duration{400 * ms, 11142857143, 11714285715}},
		{"a stage's last arrival may be due at its end",
			[]Stage{steady(0.5, time.Second), steady(0.5, time.Second)},
			[]time.Duration{time.Second}},
		{"a ramp from 0: t = √((k+½)/2)",
			[]Stage{ramp(0, 4, time.Second)},
			[]time.Duration{500 * ms, 866025404}},
		{"a ramp to 0 is its mirror image",
			[]Stage{ramp(4, 0, time.Second)},
			[]time.Duration{133974597, 500 * ms}},
		{"a jump",
			[]Stage{steady(2, time.Second), steady(9, 0), steady(4, time.Second)},
			[]time.Duration{250 * ms, 750 * ms, 1125 * ms, 1375 * ms, 1625 * ms, 1875 * ms}},
		{"a burst alone",
			[]Stage{{Burst: 3}},
			[]time.Duration{0, 0, 0}},
		{"a burst besides a rate",
			[]Stage{steady(1, time.Second), {Burst: 2, From: 2, To: 2, Duration: time.Second}},
			[]time.Duration{500 * ms, time.Second, time.Second, 1250 * ms, 1750 * ms}},
		{"a burst at the end",
			[]Stage{steady(1, time.Second), {Burst: 1}},
			[]time.Duration{500 * ms, time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := compile(t, Options{}, c.stages...)
			var due []time.Duration
			for _, a := range walk(s, 0, 1) {
				due = append(due, a.Due)
			}
			if d := cmp.Diff(c.due, due); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if s.Total() != int64(len(c.due)) {
				t.Errorf("Total is %d, want %d", s.Total(), len(c.due))
			}
		})
	}
}

func TestArrivalsKnowTheirStage(t *testing.T) {
	s := compile(t, Options{}, steady(1, time.Second), Stage{Burst: 2}, ramp(2, 0, 2*time.Second))
	want := []Arrival{
		{0, 500 * time.Millisecond, 0},
		{1, time.Second, 1},
		{2, time.Second, 1},
		{3, time.Second + 267949193, 2}, // 2-√3 s
		{4, 2 * time.Second, 2},
	}
	if d := cmp.Diff(want, walk(s, 0, 1)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if got := []int64{s.StageTotal(0), s.StageTotal(1), s.StageTotal(2)}; !cmp.Equal(got, []int64{1, 2, 2}) {
		t.Errorf("stage totals are %d", got)
	}
}

// A very long falling ramp is where an inverse that cancels digits is wrong by
// microseconds.
func TestRampStaysExact(t *testing.T) {
	const hours = 100 * time.Hour
	for _, stage := range []Stage{
		ramp(1000, 0, hours), ramp(0, 1000, hours),
		ramp(1000, 1000+1e-9, hours), ramp(1000+1e-9, 1000, hours), ramp(1e-7, 1000, hours),
	} {
		s := compile(t, Options{}, stage)
		sh := &s.shapes[0]
		for _, j := range []int64{0, 1, s.total / 2, s.total - 2, s.total - 1} {
			due := sh.due(sh.lead + float64(j))
			// The area under the line up to due, from whichever end is nearer.
			x, rest := due.Seconds(), (sh.end - due).Seconds()
			got := stage.From*x + (stage.To-stage.From)/sh.seconds*x*x/2
			tolerance := 1e-9*(stage.From+(stage.To-stage.From)*x/sh.seconds) + 1e-15*sh.area
			if rest < x {
				got = sh.area - (stage.To*rest + (stage.From-stage.To)/sh.seconds*rest*rest/2)
			}
			if d := got - (float64(j) + 0.5); d < -tolerance || d > 2*tolerance+1e-6 {
				t.Errorf("%v→%v: arrival %d is due at %v, where the area is %v too large", stage.From, stage.To, j, due, d)
			}
		}
	}
}

func TestScheduleTellsItsShape(t *testing.T) {
	s := compile(t, Options{},
		Stage{Name: "up", From: 0, To: 10, Duration: 2 * time.Second},
		Stage{Name: "jump", From: 99, To: 99},
		Stage{Name: "peak", From: 20, To: 20, Duration: time.Second, Burst: 7},
		Stage{Name: "last", Burst: 1})
	type point struct {
		Stage int
		Rate  float64
	}
	for at, want := range map[time.Duration]point{
		-1:                        {0, 0},
		0:                         {0, 0},
		500 * time.Millisecond:    {0, 2.5},
		2*time.Second - 1:         {0, 10},
		2 * time.Second:           {2, 20},
		3*time.Second - 1:         {2, 20},
		3 * time.Second:           {3, 0},
		time.Duration(1<<63 - 1):  {3, 0},
		-time.Duration(1<<63 - 1): {0, 0},
		2500 * time.Millisecond:   {2, 20},
		time.Second:               {0, 5},
		2*time.Second + 1:         {2, 20},
	} {
		got := point{s.StageAt(at), s.RateAt(at)}
		if got.Stage != want.Stage || math.Abs(got.Rate-want.Rate) > 1e-6 {
			t.Errorf("at %v: %v, want %v", at, got, want)
		}
	}
	if s.MaxRate() != 20 || s.Duration() != 3*time.Second || s.StageStart(2) != 2*time.Second || s.Total() != 10+7+20+1 {
		t.Errorf("max rate %v, duration %v, start of peak %v, total %d", s.MaxRate(), s.Duration(), s.StageStart(2), s.Total())
	}
	if got := s.Stages(); len(got) != 4 || got[2].Name != "peak" {
		t.Errorf("stages are %v", got)
	}
}

func TestCompileRejects(t *testing.T) {
	for _, c := range []struct {
		stages []Stage
		o      Options
		want   string
	}{
		{nil, Options{}, "no stages"},
		{make([]Stage, MaxStages+1), Options{}, "1001 stages: the most is 1000"},
		{[]Stage{steady(1, 999*time.Millisecond)}, Options{}, "profile offers no arrival: the area under its rates is 0.999 over 999ms"},
		{[]Stage{steady(9, 0)}, Options{}, "profile offers no arrival"},
		{[]Stage{steady(1, time.Second)}, Options{Process: "gauss"}, `unknown arrival process "gauss"`},
		{[]Stage{steady(-1, time.Second)}, Options{}, "must not be negative"},
		{[]Stage{ramp(1, math.NaN(), time.Second)}, Options{}, "finite"},
		{[]Stage{ramp(1, math.Inf(1), time.Second)}, Options{}, "finite"},
		{[]Stage{steady(2e7, time.Second)}, Options{}, "more than the most that can be asked for, 1e+07/s"},
		{[]Stage{steady(1, -time.Second)}, Options{}, "negative duration"},
		{[]Stage{{Burst: -1}}, Options{}, "burst of -1"},
		{[]Stage{{Burst: math.MaxInt64}}, Options{}, "burst of"},
		{[]Stage{steady(1, 600*time.Hour), steady(1, 600*time.Hour)}, Options{}, "last longer than 1000h"},
		{[]Stage{steady(1, math.MaxInt64), steady(1, math.MaxInt64)}, Options{}, "last longer than 1000h"},
		{[]Stage{steady(1e7, 100*time.Hour)}, Options{}, "offer more than 1000000000000 arrivals"},
		{[]Stage{{Burst: MaxArrivals}, {Burst: MaxArrivals}}, Options{}, "offer more than 1000000000000 arrivals"},
	} {
		if _, err := Compile(c.stages, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

func TestPoissonIsSpreadLikePoisson(t *testing.T) {
	// Gaps of a Poisson process are as long as they vary; here over 20,000 of
	// them, fixed by the seed.
	s := compile(t, Options{Process: Poisson, Seed: 7}, steady(1000, 20*time.Second))
	var sum, squares float64
	last := time.Duration(0)
	for _, a := range walk(s, 0, 1) {
		gap := (a.Due - last).Seconds()
		last, sum, squares = a.Due, sum+gap, squares+gap*gap
	}
	n := float64(s.Total())
	mean := sum / n
	cv := math.Sqrt(squares/n-mean*mean) / mean
	if math.Abs(mean-0.001) > 1e-5 || math.Abs(cv-1) > 0.03 {
		t.Errorf("gaps have mean %v s and coefficient of variation %v, want 0.001 and 1", mean, cv)
	}
	other := compile(t, Options{Process: Poisson, Seed: 8}, steady(1000, 20*time.Second))
	if cmp.Equal(walk(s, 0, 1)[:9], walk(other, 0, 1)[:9]) {
		t.Error("another seed gives the same arrivals")
	}
	if !cmp.Equal(walk(s, 0, 1), walk(s, 0, 1)) {
		t.Error("the same seed gives other arrivals")
	}
	two := compile(t, Options{Process: Poisson, Seed: 7}, steady(10, time.Second), steady(10, time.Second))
	all := walk(two, 0, 1)
	if all[0].Due == all[10].Due-time.Second {
		t.Error("two stages have the same arrivals")
	}
}

func TestShardOutOfRangeHasNoArrivals(t *testing.T) {
	s := compile(t, Options{}, steady(10, time.Second))
	for _, c := range [][2]int{{-1, 2}, {2, 2}, {0, 0}, {0, -1}} {
		if got := walk(s, c[0], c[1]); got != nil {
			t.Errorf("shard %d of %d has %d arrivals", c[0], c[1], len(got))
		}
	}
}

func TestNextDoesNotAllocate(t *testing.T) {
	for _, p := range []Process{Uniform, Poisson} {
		s := compile(t, Options{Process: p}, ramp(0, 1e4, time.Second), Stage{Burst: 10}, ramp(1e4, 0, time.Second))
		c := s.Cursor(0, 1)
		if n := testing.AllocsPerRun(5000, func() { c.Next() }); n != 0 {
			t.Errorf("%s: %v allocations", p, n)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for _, c := range []struct {
		name  string
		o     Options
		stage Stage
	}{
		{"uniform/steady", Options{}, steady(1e7, 24*time.Hour)},
		{"uniform/ramp", Options{}, ramp(1e7, 0, 24*time.Hour)},
		{"poisson/steady", Options{Process: Poisson}, steady(1e7, 24*time.Hour)},
	} {
		b.Run(c.name, func(b *testing.B) {
			s, err := Compile([]Stage{c.stage}, c.o)
			if err != nil {
				b.Fatal(err)
			}
			cursor := s.Cursor(0, 1)
			b.ReportAllocs()
			for b.Loop() {
				cursor.Next()
			}
		})
	}
}
