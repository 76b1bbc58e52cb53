package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const stallAbout = `1000 requests a second for 20 s; in the middle the server serves nobody for 2 s.
A tenth of the requests came due in the stall and waited from 2 s down to none,
so the 95th percentile is 1000 ms and the 99th is 1800 ms. What each tool
reports, ms:`

func (b *bench) stallSection(ctx context.Context) (*table, error) {
	s := shape{1000, 1000, 20}
	t := &table{head: []string{"tool", "p95", "p99", "not sent"}}
	t.rows = append(t.rows, []string{"the truth", "1000", "1800", "0"})
	b.note(t, "vegeta", "k6")
	for _, vus := range []string{"50", "5000"} {
		turn, err := b.perfctl("perfctl -u "+vus, s, "api", map[string]string{"path": "/"}, "-u", vus)
		if err != nil {
			return nil, err
		}
		p, err := b.stalled(ctx, turn)
		if err != nil {
			return nil, err
		}
		var sum struct {
			Arrivals struct{ Dropped int64 }
			Metrics  map[string]struct{ P95, P99 float64 }
		}
		if err := json.Unmarshal(p.out.Bytes(), &sum); err != nil {
			return nil, fmt.Errorf("read perfctl's summary: %w: %.300s", err, p.err.Bytes())
		}
		m := sum.Metrics["response_time"]
		t.rows = append(t.rows, stallRow(turn.tool, m.P95, m.P99, sum.Arrivals.Dropped))
	}
	if b.tool["vegeta"] != "" {
		row, err := b.stallVegeta(ctx, s)
		if err != nil {
			return nil, err
		}
		t.rows = append(t.rows, row)
	}
	if b.tool["k6"] != "" {
		row, err := b.stallK6(ctx, s)
		if err != nil {
			return nil, err
		}
		t.rows = append(t.rows, row)
	}
	return t, nil
}

func stallRow(tool string, p95, p99 float64, dropped int64) []string {
	return []string{tool, fmt.Sprintf("%.0f", p95), fmt.Sprintf("%.0f", p99), fmt.Sprint(dropped)}
}

// stalled runs a turn and stalls the server in its middle.
func (b *bench) stalled(ctx context.Context, t turn) (*process, error) {
	p, err := b.start(ctx, 90*time.Second, t.args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = p.cmd.Process.Kill() }()
	if err := sleep(ctx, 10*time.Second); err != nil {
		return nil, err
	}
	if err := b.witness.stall(ctx, 2000); err != nil {
		return nil, err
	}
	err = p.wait()
	b.say("  %s", t.tool)
	return p, err
}

func (b *bench) stallVegeta(ctx context.Context, s shape) ([]string, error) {
	results := filepath.Join(b.temp, "stall.bin")
	turn, err := b.vegeta(s, results)
	if err != nil {
		return nil, err
	}
	if _, err := b.stalled(ctx, turn); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, b.tool["vegeta"], "report", "-type=json", results).Output()
	if err != nil {
		return nil, fmt.Errorf("vegeta report: %w", err)
	}
	var r struct {
		Latencies struct {
			P95 float64 `json:"95th"`
			P99 float64 `json:"99th"`
		}
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return nil, fmt.Errorf("read vegeta's report: %w", err)
	}
	return stallRow("vegeta", r.Latencies.P95/1e6, r.Latencies.P99/1e6, 0), nil
}

func (b *bench) stallK6(ctx context.Context, s shape) ([]string, error) {
	export := filepath.Join(b.temp, "k6-stall.json")
	turn, err := b.k6(s, k6HTTP, "--summary-export", export, "--summary-trend-stats", "p(95),p(99)")
	if err != nil {
		return nil, err
	}
	p, err := b.stalled(ctx, turn)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(export)
	if err != nil {
		return nil, fmt.Errorf("read k6's summary: %w: %.300s", err, p.err.Bytes())
	}
	var r struct {
		Metrics map[string]map[string]any
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("read k6's summary: %w", err)
	}
	d := r.Metrics["http_req_duration"]
	p95, _ := d["p(95)"].(float64)
	p99, _ := d["p(99)"].(float64)
	dropped, _ := r.Metrics["dropped_iterations"]["count"].(float64)
	return stallRow("k6, 200 VUs", p95, p99, int64(dropped)), nil
}
