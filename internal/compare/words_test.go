package compare

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// Five runs a side find a tenth more on the median in 95 of 100 where runs differ
// by 1 %, call equal systems neither better nor worse whatever runs differ by, and do not call OK what lies at the least effect.
func TestFiveRunsASide(t *testing.T) {
	if p50, _ := tried(t, 100, 5, 0.01, 0.1); p50[Regressed] < 0.95 {
		t.Errorf("a tenth more where runs differ by 1 %%: %v", p50)
	}
	// The level is 2 % both ways; the least effect takes nearly all of it away where runs
	// differ by less than that effect.
	for spread, most := range map[float64]float64{0.01: 0, 0.04: 0, 0.15: 0.04} {
		if _, whole := tried(t, 60, 5, spread, 0); whole[Regressed]+whole[Improved] > most {
			t.Errorf("equal systems whose runs differ by %g: %v", spread, whole)
		}
	}
	if p50, _ := tried(t, 60, 5, 0.01, 0.0501); p50[OK] > 0.02 {
		t.Errorf("just more than the least effect: %v", p50)
	}
}

// The words of runs that are not as one would wish.
func TestWords(t *testing.T) {
	m := machine{rand.New(rand.NewPCG(1, 1)), 0.003}
	still := machine{rand.New(rand.NewPCG(1, 1)), 0}
	outlier := append(m.side(4, 20, 0), m.run(20, 2, 0))
	failing := func(counts ...int64) (out []recording) {
		for _, n := range counts {
			out = append(out, m.run(20, 0, n))
		}
		return out
	}
	drifting := func(from float64) (out []recording) {
		for i := range 5 {
			out = append(out, m.run(20, from+0.02*float64(i), 0))
		}
		return out
	}
	for name, c := range map[string]struct {
		a, b    []recording
		effects []string
		want    Word
	}{
		"equal":                              {m.side(5, 20, 0), m.side(5, 20, 0), nil, OK},
		"twice as slow":                      {m.side(5, 20, 0), m.side(5, 20, 1), nil, Regressed},
		"four a side, six times as slow":     {m.side(4, 20, 0), m.side(4, 20, 5), nil, Regressed},
		"faster":                             {m.side(5, 20, 0), m.side(5, 20, -0.3), nil, Improved},
		"runs that are all the same":         {still.side(5, 20, 0), still.side(5, 20, 0), nil, OK},
		"the same, and all slower":           {still.side(5, 20, 0), still.side(5, 20, 0.2), nil, Regressed},
		"tiny times, a fifth more":           {m.side(5, 0.035, 0), m.side(5, 0.035, 0.2), nil, OK},
		"tiny times, asked for":              {m.side(5, 0.035, 0), m.side(5, 0.035, 0.2), []string{"5%,1us"}, Regressed},
		"one run of five is three times off": {m.side(5, 20, 0), outlier, nil, Inconclusive},
		"sides drift, one after the other":   {drifting(0), drifting(0.1), nil, Inconclusive},
		"no errors, then some":               {failing(0, 0, 0, 0), failing(21, 16, 28, 9), nil, Regressed},
		"no errors, then one":                {failing(0, 0, 0, 0), failing(0, 1, 0, 0), nil, OK},
		"some errors, then none":             {failing(21, 16, 28, 19), failing(0, 0, 0, 0), nil, Improved},
		"errors in one run of four":          {failing(0, 0, 0, 0), failing(0, 0, 90, 0), nil, Inconclusive},
		"all fail, on both sides":            {failing(2000, 2000, 2000, 2000), failing(2000, 2000, 2000, 2000), nil, OK},
		"all fail from now on":               {failing(0, 0, 0, 0), failing(2000, 2000, 2000, 2000), nil, Regressed},
	} {
		got := recorded(t, c.a, c.b, c.effects...)
		if got.Word != c.want {
			t.Errorf("%s: %s, want %s", name, got.Says, c.want)
		}
		for _, f := range got.Figures {
			if f.Low == nil || f.isShare() && (*f.Low < -1 || *f.High > 1) {
				t.Errorf("%s: %s", name, f.Says)
			}
			if (f.Word == Inconclusive) != (f.Settle != "") {
				t.Errorf("%s: %s is settled by %q", name, f.Says, f.Settle)
			}
		}
	}
}

// What would settle a comparison does.
func TestWhatWouldSettleSettles(t *testing.T) {
	m := machine{rand.New(rand.NewPCG(4, 4)), 0.02}
	c := recorded(t, m.side(5, 20, 0), m.side(5, 20, 0.1))
	f := c.Figures[0]
	if f.Word != Inconclusive || f.MoreRuns < 1 || !strings.Contains(f.Says, "more runs a side") {
		t.Fatalf("%s", f.Says)
	}
	told := 0
	for range 10 {
		c := recorded(t, m.side(5+f.MoreRuns, 20, 0), m.side(5+f.MoreRuns, 20, 0.1))
		if c.Figures[0].Word == Regressed {
			told++
		}
	}
	if told < 4 {
		t.Errorf("with %d more runs a side %d of 10 are told", f.MoreRuns, told)
	}
}

// Effects are read as people write them, for all figures or for one.
func TestParseLeasts(t *testing.T) {
	l, err := ParseLeasts([]string{"response_time p99=10%", "3", "error_rate=0.5pp", "db_query_duration{scenario:crud}=1ms,20%"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		metric, stat string
		want         Least
	}{
		{"response_time", "p50", Least{0.03, 0.1, 0.002}},
		{"response_time{scenario:api}", "p99", Least{0.1, 0.1, 0.002}},
		{"error_rate{scenario:api}", "rate", Least{0.03, 0.1, 0.005}},
		{"db_query_duration{scenario:crud}", "p95", Least{0.2, 1, 0.002}},
	} {
		if got := l.of(&spec{key: key{c.metric, ""}, stat: stat{name: c.stat}}); got != c.want {
			t.Errorf("%s %s: %v, want %v", c.metric, c.stat, got, c.want)
		}
	}
	for _, bad := range []string{"", "x", "-5%", "0", "response_time=", "=5%", "5%,", "NaN"} {
		if _, err := ParseLeasts([]string{bad}); err == nil {
			t.Errorf("%q is read as an effect", bad)
		}
	}
}
