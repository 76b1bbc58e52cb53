package crud

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
)

func values(t testing.TB, stages int, over ...scenarios.Override) *scenarios.Values {
	t.Helper()
	d := Definition()
	v, errs := scenarios.NewValues(&d, stages, over)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return v
}

func set(key, value string) scenarios.Override {
	return scenarios.Override{Key: key, Value: value, Stage: -1, Place: "test"}
}

func TestEveryMetricEmittedIsDeclaredAndNoOther(t *testing.T) {
	reg := metrics.NewRegistry(nil)
	d := Definition()
	if _, err := d.New(scenarios.Env{Metrics: reg, Targets: &targets.Settings{}, Values: values(t, 1), RunID: "r", Plan: scenarios.Plan{Workers: 1}}); err != nil {
		t.Fatal(err)
	}
	names := func(all []metrics.Desc) []string {
		var out []string
		for _, m := range all {
			out = append(out, m.Name)
		}
		slices.Sort(out)
		return out
	}
	if got, want := names(reg.Descs()), names(d.Metrics); !slices.Equal(got, want) {
		t.Errorf("registered %v, declared %v", got, want)
	}
}

func TestMixIsReadOrRefusedWithTheReason(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "not an operation",
		"insrt=1":                   `did you mean "insert"?`,
		"sleep=1":                   "there are insert, select, update, delete",
		"insert":                    "as in insert=40",
		"insert=":                   "as in insert=40",
		"insert=-1":                 "number from 0",
		"insert=NaN":                "number from 0",
		"insert=Inf":                "number from 0",
		"insert=1,insert=2":         "twice",
		"insert=0,select=0":         "weight above 0",
		"insert=1,,select=1":        "not an operation",
		"insert=1e300":              "number from 0",
		"insert=40;select=40":       "as in insert=40",
		"insert=1, select=1, up=1":  "not an operation",
		"insert=1,select=1,Delete=": "not an operation",
	} {
		if _, err := parseMix(text); err == nil || !strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
	m, err := parseMix(" insert = 40 , select=40,update=15,delete=5 ")
	if err != nil {
		t.Fatal(err)
	}
	for op, want := range []float64{0.4, 0.4, 0.15, 0.05} {
		if math.Abs(m.share(op)-want) > 1e-12 {
			t.Errorf("share of %s is %v, want %v", opNames[op], m.share(op), want)
		}
	}
}

// FuzzMix: what is accepted has shares that add up, and picks only what has one.
func FuzzMix(f *testing.F) {
	f.Add("insert=40,select=40,update=15,delete=5", 0.5)
	f.Add("delete=1", 0.0)
	f.Add("insert=1e-300,select=1e9", 0.999)
	f.Fuzz(func(t *testing.T, text string, u float64) {
		m, err := parseMix(text)
		if err != nil || !(u >= 0 && u < 1) {
			return
		}
		var sum float64
		for op := range opCount {
			if m.share(op) < 0 {
				t.Errorf("%q: share %v of %s", text, m.share(op), opNames[op])
			}
			sum += m.share(op)
		}
		if math.Abs(sum-1) > 1e-9 || m[opCount-1] != 1 {
			t.Errorf("%q: shares add up to %v", text, sum)
		}
		if op := m.pick(u); !strings.Contains(text, opNames[op]) {
			t.Errorf("%q picks %s at %v", text, opNames[op], u)
		}
	})
}

func TestOneSeedOffersOneLoad(t *testing.T) {
	m, err := parseMix("insert=40,select=40,update=15,delete=5")
	if err != nil {
		t.Fatal(err)
	}
	var n [opCount]float64
	same := 0
	for i := range int64(100_000) {
		a, b, c := work.Arrival{K: i, Seed: 1}, work.Arrival{K: i, Seed: 1}, work.Arrival{K: i, Seed: 2}
		op := m.pick(a.Uniform(streamOp))
		if op != m.pick(b.Uniform(streamOp)) {
			t.Fatal("one seed, two loads")
		}
		if op == m.pick(c.Uniform(streamOp)) {
			same++
		}
		n[op]++
	}
	for op, want := range []float64{40_000, 40_000, 15_000, 5000} {
		if math.Abs(n[op]-want) > 5*math.Sqrt(want) {
			t.Errorf("%s: %v of 100000", opNames[op], n[op])
		}
	}
	// Two independent loads agree in 0.4² + 0.4² + 0.15² + 0.05² of arrivals.
	if math.Abs(float64(same)-34_500) > 1000 {
		t.Errorf("another seed agrees in %d of 100000", same)
	}
}

func TestIdsNeverMeet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stage := func() scenarios.Override {
			return set(keyBatch, rapid.SampledFrom([]string{"1", "7", "100"}).Draw(t, "batch"))
		}
		d := Definition()
		v, _ := scenarios.NewValues(&d, 2, []scenarios.Override{stage(), set(keyMode, rapid.SampledFrom(modeNames[:]).Draw(t, "mode")),
			set(keyTable, rapid.SampledFrom([]string{"1", "1000"}).Draw(t, "table"))})
		arrivals := rapid.Int64Range(0, 1_000_000).Draw(t, "arrivals")
		c, err := readConfig(v, scenarios.Plan{Arrivals: 2 * arrivals, StageArrivals: []int64{arrivals, arrivals}, Stages: []string{"a", "b"}})
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.Int64Range(0, 1<<40).Draw(t, "n")
		if c.firstReserve() <= c.table || c.firstInsert() != c.firstReserve()+c.reserve || c.idOf(0) != c.firstInsert() ||
			c.idOf(n+1) < c.idOf(n)+int64(c.stages[0].batch) {
			t.Fatalf("ids overlap: %+v", c)
		}
		if want := float64(2*arrivals) * 0.05; float64(c.reserve) < want || float64(c.reserve) > want+6*math.Sqrt(want)+11 {
			t.Fatalf("%d rows to delete for about %v deletes", c.reserve, want)
		}
	})
}

func TestTooManyDeletesAreRefusedBeforeTheRun(t *testing.T) {
	_, err := readConfig(values(t, 1, set(keyMix, "delete=1")), scenarios.Plan{Arrivals: 1e9})
	if err == nil || !strings.Contains(err.Error(), "crud.mix") {
		t.Errorf("got %v", err)
	}
}

func TestMultiRowStatementNumbersItsParameters(t *testing.T) {
	if got, want := insertSQL("t", 2), "INSERT INTO t (id, version, token, payload) VALUES ($1, 0, $2, $3), ($4, 0, $5, $6)"; got != want {
		t.Errorf("got %s", got)
	}
	stages := []stage{{mode: modeMultiRow, batch: 3}, {mode: modeSingle, batch: 1}, {mode: modeMultiRow, batch: 3}, {mode: modeMultiRow, batch: 5}}
	s := newStatements("t")
	single := len(s.all)
	s.prepareMultiRow("t", stages)
	if len(s.all) != single+2 || stages[0].multiRow != stages[2].multiRow || stages[0].multiRow == stages[3].multiRow || stages[1].multiRow != nil {
		t.Errorf("%d statements for two batch sizes", len(s.all)-single)
	}
	// PostgreSQL takes at most 65535 parameters.
	if last := "$15000)"; !strings.HasSuffix(insertSQL("t", 5000), last) {
		t.Errorf("the largest batch does not end with %s", last)
	}
}

func TestPayloadDependsOnTheRowAndItsWriter(t *testing.T) {
	row := func(size int, id, token int64) []byte {
		b := make([]byte, size)
		fillPayload(b, id, token)
		return b
	}
	// md5("12:34")
	if got := row(40, 12, 34); string(got) != "d0992740e0c1ed9b171cffcb660efd21d0992740" {
		t.Errorf("%s", got)
	}
	if bytes.Equal(row(10, 1, 23), row(10, 12, 3)) || bytes.Equal(row(10, 1, 2), row(10, 1, 3)) {
		t.Error("different rows hold the same")
	}
}
