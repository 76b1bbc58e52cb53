package profiles

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func loadProfile(t *testing.T) *Profile {
	t.Helper()
	p, err := Decode("p.yaml", []byte(`
name: mine
rates: {start: 10, base: 100, peak: 1000}
stages:
  - {name: up, duration: 2m, from: start, to: base}
  - {name: peak, duration: 4m, rate: peak}
  - {name: fixed, duration: 1m, rate: 100, burst: 9}
`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBendRates(t *testing.T) {
	p := loadProfile(t)
	before := *loadProfile(t)
	base, peak := 50.0, 0.0
	got, err := p.Bend(Bend{Base: &base, Peak: &peak})
	if err != nil {
		t.Fatal(err)
	}
	want := loadProfile(t)
	want.Rates[1].Value, want.Rates[2].Value = 50, 0
	want.Stages[0].To, want.Stages[1].From, want.Stages[1].To = 50, 0, 0
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if d := cmp.Diff(&before, p); d != "" {
		t.Errorf("the profile itself was bent (-before +after)\n%s", d)
	}
}

func TestBendLength(t *testing.T) {
	for _, c := range []struct {
		bend Bend
		want []time.Duration
	}{
		{Bend{}, []time.Duration{2 * time.Minute, 4 * time.Minute, time.Minute}},
		{Bend{Duration: 70 * time.Second}, []time.Duration{20 * time.Second, 40 * time.Second, 10 * time.Second}},
		{Bend{TimeScale: 0.05}, []time.Duration{6 * time.Second, 12 * time.Second, 3 * time.Second}},
		{Bend{TimeScale: 2}, []time.Duration{4 * time.Minute, 8 * time.Minute, 2 * time.Minute}},
		{Bend{Duration: 10}, []time.Duration{3, 6, 1}}, // ends at 2.9, 8.6, 10
	} {
		p, err := loadProfile(t).Bend(c.bend)
		if err != nil {
			t.Errorf("%+v: %v", c.bend, err)
			continue
		}
		var got []time.Duration
		for _, s := range p.Stages {
			got = append(got, s.Duration)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%+v (-want +got)\n%s", c.bend, d)
		}
	}
}

func TestBendHasTheLengthAskedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &Profile{Stages: anyStages().Draw(t, "stages")}
		if p.Duration() == 0 {
			t.Skip("no length")
		}
		want := time.Duration(rapid.Int64Range(1, int64(MaxDuration)).Draw(t, "duration"))
		bent, err := p.Bend(Bend{Duration: want})
		if err != nil {
			t.Fatal(err)
		}
		if bent.Duration() != want {
			t.Errorf("lasts %v, want %v", bent.Duration(), want)
		}
		for i, s := range bent.Stages {
			if s.Duration < 0 || p.Stages[i].Duration == 0 && s.Duration != 0 {
				t.Errorf("stage %d of %v lasts %v", i, p.Stages[i].Duration, s.Duration)
			}
		}
	})
}

func TestBendRejects(t *testing.T) {
	value := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		bend Bend
		want string
	}{
		{Bend{Rate: value(5)}, "there is no rate named rate: it has start, base, peak"},
		{Bend{Base: value(-1)}, "rate base: a rate must not be negative"},
		{Bend{Base: value(math.NaN())}, "rate base: a rate must be a finite number"},
		{Bend{Peak: value(math.Inf(1))}, "rate peak: a rate must be a finite number"},
		{Bend{Peak: value(1.1e7)}, "rate peak: a rate of 1.1e+07/s is more than the most"},
		{Bend{Duration: time.Minute, TimeScale: 2}, "a duration and a time scale were given"},
		{Bend{Duration: -time.Minute}, "the duration -1m0s is negative"},
		{Bend{Duration: 1001 * time.Hour}, "the duration 1001h0m0s is longer than 1000h0m0s"},
		{Bend{TimeScale: -1}, "the time scale must be a number above 0, not -1"},
		{Bend{TimeScale: math.NaN()}, "the time scale must be a number above 0, not NaN"},
		{Bend{TimeScale: math.Inf(1)}, "the time scale must be a number above 0, not +Inf"},
		{Bend{TimeScale: 1e6}, "a time scale of 1e+06 makes profile mine longer than 1000h0m0s"},
		{Bend{TimeScale: 1e300}, "a time scale of 1e+300 makes profile mine longer than 1000h0m0s"},
	} {
		if _, err := loadProfile(t).Bend(c.bend); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
	burst := &Profile{Name: "tasks", Stages: []Stage{{Burst: 1000}}}
	for _, c := range []struct {
		bend Bend
		want string
	}{
		{Bend{Duration: time.Minute}, "profile tasks cannot be made 1m0s long: its stages have no length"},
		{Bend{TimeScale: 2}, "profile tasks cannot be stretched by a time scale: its stages have no length"},
		{Bend{Peak: value(5)}, "there is no rate named peak: none of its rates has a name"},
	} {
		if _, err := burst.Bend(c.bend); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}
