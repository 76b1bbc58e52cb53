package main

import (
	"context"
	"fmt"
	"time"
)

const lateAbout = `How late requests arrive at a server that notes each one's instant
(bench/native/witness.c), against the ideal schedule that fits them best; the
journey through the kernel is in it. µs, p50 / p99 / p99.9. A ramp is a straight
line between two rates. The floor is one C thread (bench/native/floor.c): what is
late there is the machine's doing.`

func (b *bench) lateSection(ctx context.Context) (*table, error) {
	length := (b.warm + b.window).Seconds()
	shapes := []shape{{200, 200, length}, {1000, 1000, length}, {2700, 2700, length}, {4000, 4000, length}, {100, 4000, length}}
	t := &table{head: []string{"arrivals/s", "perfctl", "perfctl, tolerance 1 ms", "floor", "vegeta", "k6"}}
	b.note(t, "vegeta", "k6")
	for _, s := range shapes {
		label := fmt.Sprintf("%g", s.from)
		names := []string{"perfctl", "perfctl, tolerance 1 ms"}
		if s.from != s.to {
			label += fmt.Sprintf(" → %g", s.to)
		} else {
			names = append(names, "floor")
			if b.tool["vegeta"] != "" {
				names = append(names, "vegeta") // its command has no ramp
			}
		}
		if b.tool["k6"] != "" {
			names = append(names, "k6")
		}
		got, err := b.inTurns(ctx, "late "+label, names, func(ctx context.Context, name string) ([]float64, error) {
			return b.lateOnce(ctx, name, s)
		})
		if err != nil {
			return nil, err
		}
		row := []string{label}
		for _, name := range t.head[1:] {
			cell := "–"
			if r := got[name]; r != nil {
				cell = fmt.Sprintf("%.0f / %.0f / %.0f", median(r, 0), median(r, 1), median(r, 2))
			}
			row = append(row, cell)
		}
		t.rows = append(t.rows, row)
	}
	return t, nil
}

func (b *bench) lateOnce(ctx context.Context, name string, s shape) ([]float64, error) {
	t, err := b.httpTurn(name, s)
	if name == "floor" {
		t.args = b.floor(s, s.length, b.witness.port, "http", "/")
	}
	if err != nil {
		return nil, err
	}
	if err := b.witness.reset(ctx); err != nil {
		return nil, err
	}
	p, err := b.start(ctx, time.Duration(s.length*float64(time.Second))+time.Minute, t.args...)
	if err != nil {
		return nil, err
	}
	if err := p.wait(); err != nil {
		return nil, err
	}
	times, err := b.witness.times(ctx)
	if err != nil {
		return nil, err
	}
	// Set-up requests, which perfctl sends to see whether the target answers,
	// come before the schedule; the schedule's are the last ones.
	if n := s.total(); len(times) > n {
		times = times[len(times)-n:]
	}
	l, err := late(times, s, 1)
	if err != nil {
		return nil, fmt.Errorf("%w: %d of %d: %.300s%.300s", err, l.seen, l.expected, p.err.Bytes(), p.out.Bytes())
	}
	return []float64{l.p50, l.p99, l.p999}, nil
}

// httpTurn returns a tool's command for GETs of the witness's page.
func (b *bench) httpTurn(name string, s shape) (turn, error) {
	settings := map[string]string{"path": "/"}
	switch name {
	case "perfctl":
		return b.perfctl(name, s, "api", settings)
	case "perfctl, tolerance 1 ms":
		return b.perfctl(name, s, "api", settings, "--tolerance", "1ms")
	case "vegeta":
		return b.vegeta(s, "/dev/null")
	case "k6":
		return b.k6(s, k6HTTP, "--summary-mode", "disabled")
	case "floor":
		return turn{tool: name, prints: true, args: b.floor(s, b.window.Seconds(), b.witness.port, "http", "/")}, nil
	case "floor, clumps of 1 ms":
		return turn{tool: name, prints: true, args: append(b.floor(s, b.window.Seconds(), b.witness.port, "http", "/"), "1000")}, nil
	case "wrk with a delay":
		// wrk has no rate: 20 connections that each pause give about the same.
		script, err := b.file("delay.lua", fmt.Sprintf("function delay() return %d end\n", int(20*1000/s.from)))
		return turn{tool: name, flatOut: true, args: []string{b.tool["wrk"], "-t1", "-c20", "-d", seconds(s.length), "-s", script, b.witness.url() + "/"}}, err
	}
	return turn{}, fmt.Errorf("no command for %q", name)
}

func (b *bench) floor(s shape, length float64, port, protocol, what string) []string {
	return []string{b.tool["floor"], fmt.Sprint(s.from), fmt.Sprint(length), port, protocol, what}
}
