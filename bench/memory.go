package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

const memoryAbout = `Resident memory in the course of one run, MB. perfctl reads Redis keys 20,000
times a second with a tolerance of 1 ms; k6 and vegeta request the witness's
page, 4000 times a second.`

// memoryRate is what perfctl offers in this section, arrivals a second.
const memoryRate = 20000

func (b *bench) memorySection(ctx context.Context) (*table, error) {
	t := &table{head: []string{"tool", "arrivals", "resident", "arrivals", "resident", "grown"}}
	b.note(t, "vegeta", "k6")
	total := float64(b.million)
	settings := map[string]string{"hit_ratio": "1", "pool_size": "20", "keys": "1000"}
	own := shape{memoryRate, memoryRate, total / memoryRate}
	turn, err := b.perfctl("perfctl", own, "cache", settings, "--tolerance", "1ms")
	if err != nil {
		return nil, err
	}
	if err := b.growth(ctx, t, turn, own, 0.1, 0.99); err != nil {
		return nil, err
	}
	peers := shape{4000, 4000, 60}
	if b.tool["vegeta"] != "" {
		if turn, err = b.vegeta(peers, filepath.Join(b.temp, "results.bin")); err != nil {
			return nil, err
		}
		if err := b.growth(ctx, t, turn, peers, 0.1, 0.99); err != nil {
			return nil, err
		}
	}
	if b.tool["k6"] != "" {
		if turn, err = b.k6(peers, k6HTTP); err != nil {
			return nil, err
		}
		if err := b.growth(ctx, t, turn, peers, 0.1, 0.99); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// growth reads a tool's memory at two points of its run, as parts of it.
func (b *bench) growth(ctx context.Context, t *table, turn turn, s shape, first, last float64) error {
	p, err := b.start(ctx, time.Duration(s.length*float64(time.Second))+time.Minute, turn.args...)
	if err != nil {
		return err
	}
	defer func() { _ = p.cmd.Process.Kill() }()
	begun := time.Now()
	row := []string{turn.tool}
	var mb [2]float64
	for i, part := range []float64{first, last} {
		at := time.Duration(part * s.length * float64(time.Second))
		if err := sleep(ctx, time.Until(begun.Add(at))); err != nil {
			return err
		}
		r, err := p.resident()
		if err != nil {
			return fmt.Errorf("%w: %.300s", err, p.err.Bytes())
		}
		mb[i] = float64(r) / 1e6
		row = append(row, fmt.Sprintf("%.2g million", part*s.length*s.from/1e6), fmt.Sprintf("%.1f", mb[i]))
	}
	b.say("  %s %.1f, %.1f MB", turn.tool, mb[0], mb[1])
	t.rows = append(t.rows, append(row, fmt.Sprintf("%+.1f", mb[1]-mb[0])))
	return p.wait()
}
