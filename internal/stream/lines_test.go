package stream

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/perfctl/perfctl/internal/metrics"
)

// buffer is a file in memory.
type buffer struct {
	bytes.Buffer
	closed bool
}

func (b *buffer) Close() error { b.closed = true; return nil }

var (
	waitTime = metrics.Desc{Name: "wait_time", Kind: metrics.KindTrend, Unit: metrics.UnitTime, Help: "a time"}
	jobs     = metrics.Desc{Name: "jobs", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Help: "a count"}
	hitRatio = metrics.Desc{Name: "hit_ratio", Kind: metrics.KindRate, Unit: metrics.UnitRatio, Help: "a share"}
	depth    = metrics.Desc{Name: "depth", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Help: "a reading"}
	crud     = metrics.Tags{Scenario: "crud", Operation: "insert", Stage: "peak"}
)

// second returns a snapshot with one series of each kind; times are in
// milliseconds.
func second(n int, censored int64, times ...int) *metrics.Snapshot {
	h := new(metrics.Hist)
	for _, ms := range times {
		h.Record(int64(ms) * 1e6)
	}
	h.Censored = censored
	end := time.Duration(n+1) * time.Second
	return &metrics.Snapshot{
		Number: n, Start: end - time.Second, End: end, At: time.Unix(1_700_000_000, 0).Add(end),
		Trends:   []metrics.TrendValue{{Series: &metrics.Series{Desc: waitTime, Tags: crud}, Hist: h}},
		Counters: []metrics.CounterValue{{Series: &metrics.Series{Desc: jobs, Tags: metrics.Tags{Outcome: `a"b,c`}}, Delta: 7}},
		Rates:    []metrics.RateValue{{Series: &metrics.Series{Desc: hitRatio}, Hits: 3, Total: 4}},
		Gauges:   []metrics.GaugeValue{{Series: &metrics.Series{Desc: depth}, Value: 2.5}},
	}
}

func hundred() []int {
	var out []int
	for i := 1; i <= 100; i++ {
		out = append(out, i)
	}
	return out
}

func TestAJSONLineHoldsASeriesAndSecond(t *testing.T) {
	var file buffer
	l := NewJSON(&file)
	l.Snapshot(second(0, 2, hundred()...))
	if err := l.Close(t.Context()); err != nil || !file.closed {
		t.Fatalf("Close: %v, file closed: %v", err, file.closed)
	}
	var got []map[string]any
	for d := json.NewDecoder(&file); ; {
		var line map[string]any
		if err := d.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		got = append(got, line)
	}
	for _, name := range []string{"p50", "p90", "p95", "p99"} {
		q, _ := strconv.ParseFloat(name[1:], 64)
		q = min(q*1.02, 100) // the two censored values shift the ranks
		if v := got[0][name].(float64); v < q-2 || v > q+2 {
			t.Errorf("%s is %v ms", name, v)
		}
		delete(got[0], name)
	}
	base := func(more map[string]any) map[string]any {
		more["time"], more["t"], more["seconds"] = "2023-11-14T22:13:21Z", 1.0, 1.0
		return more
	}
	want := []map[string]any{
		base(map[string]any{"metric": "wait_time", "type": "trend", "unit": "ms", "scenario": "crud", "operation": "insert",
			"stage": "peak", "count": 100.0, "min": 1.0, "avg": 50.5, "max": 100.0, "censored": 2.0, "at_least": "p99"}),
		base(map[string]any{"metric": "jobs", "type": "counter", "unit": "count", "outcome": `a"b,c`, "count": 7.0}),
		base(map[string]any{"metric": "hit_ratio", "type": "rate", "unit": "ratio", "count": 4.0, "hits": 3.0, "value": 0.75}),
		base(map[string]any{"metric": "depth", "type": "gauge", "unit": "count", "value": 2.5}),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestACSVLineSaysWhatTheJSONLineSays(t *testing.T) {
	var asCSV, asJSON buffer
	c, j := NewCSV(&asCSV), NewJSON(&asJSON)
	for n := range 3 {
		s := second(n, int64(n), hundred()[:10*(n+1)]...)
		c.Snapshot(s)
		j.Snapshot(s)
	}
	if err := errors.Join(c.Close(t.Context()), j.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&asCSV).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(asJSON.String()), "\n")
	if len(rows) != len(lines)+1 {
		t.Fatalf("%d rows for %d lines", len(rows), len(lines))
	}
	for i, line := range lines {
		var want map[string]any
		if err := json.Unmarshal([]byte(line), &want); err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		for c, name := range rows[0] {
			if text := rows[i+1][c]; text != "" {
				got[name] = text
				if v, err := strconv.ParseFloat(text, 64); err == nil {
					got[name] = v
				}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("line %d: %s", i, d)
		}
	}
}

func TestASecondOfCensoredArrivalsAloneHasNoPercentiles(t *testing.T) {
	var file buffer
	l := NewJSON(&file)
	l.Snapshot(second(0, 5))
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(file.String(), "\n")
	if !strings.Contains(first, `"count":0,"censored":5}`) {
		t.Error(first)
	}
}

// stuck is a pipe whose reader has stopped reading.
type stuck struct{ release chan struct{} }

func (s *stuck) Write(p []byte) (int, error) { <-s.release; return len(p), nil }
func (*stuck) Close() error                  { return nil }

func TestAReceiverThatHangsCostsItsSecondsAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &stuck{make(chan struct{})}
		l := NewJSON(to)
		start := time.Now()
		for n := range queueSeconds + 80 {
			l.Snapshot(second(n, 0, 1))
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the snapshots waited %v", waited)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		err := l.Close(ctx)
		if err == nil || !strings.HasPrefix(err.Error(), "200 of 200 seconds lost") {
			t.Errorf("Close: %v", err)
		}
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("Close waited %v", waited)
		}
		close(to.release)
	})
}

// disk is full for some of its writes, which it cuts short.
type disk struct {
	mu   sync.Mutex
	text strings.Builder
	full func(write int) bool
	n    int
}

func (d *disk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer func() { d.n++ }()
	if d.full(d.n) {
		d.text.Write(p[:20])
		return 20, syscall.ENOSPC
	}
	return d.text.Write(p)
}

func (*disk) Close() error { return nil }

func TestAFullDiskIsToldAndTearsNoLaterLine(t *testing.T) {
	d := &disk{full: func(n int) bool { return n == 0 || n == 4 || n == 5 }}
	l := NewCSV(d)
	for n := range 10 {
		l.Snapshot(second(n, 0, 5))
	}
	err := l.Close(t.Context())
	if !errors.Is(err, syscall.ENOSPC) || !strings.HasPrefix(err.Error(), "3 of 10 seconds lost") {
		t.Errorf("Close: %v", err)
	}
	whole, headers := 0, 0
	for line := range strings.SplitSeq(d.text.String(), "\n") {
		switch r, err := csv.NewReader(strings.NewReader(line)).Read(); {
		case line == csvColumns:
			headers++
		case err == nil && len(r) == strings.Count(csvColumns, ",")+1:
			whole++
		}
	}
	if whole != 7*4 || headers != 1 {
		t.Errorf("%d lines can be read below %d headers, want 28 below 1:\n%s", whole, headers, d.text.String())
	}
}
