package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// count tells how many operations a server has seen.
type count func(context.Context) (int64, error)

// cost runs a turn and returns its CPU microseconds per operation within the
// window: starting and ending are not counted. Operations are counted at the
// server where it tells, and are the rate's otherwise.
func (b *bench) cost(ctx context.Context, t turn, rate float64, ops count) (float64, error) {
	if t.prints {
		p, err := b.start(ctx, time.Minute, t.args...)
		if err != nil {
			return 0, err
		}
		if err := p.wait(); err != nil {
			return 0, err
		}
		f := strings.Fields(p.out.String())
		if len(f) == 0 {
			return 0, fmt.Errorf("%s printed nothing: %s", t.tool, p.err.String())
		}
		return strconv.ParseFloat(f[min(1, len(f)-1)], 64)
	}
	p, err := b.start(ctx, b.warm+b.window+time.Minute, t.args...)
	if err != nil {
		return 0, err
	}
	defer func() { _ = p.cmd.Process.Kill() }()
	if err := sleep(ctx, b.warm); err != nil {
		return 0, err
	}
	used, n, at, err := reading(ctx, p, ops)
	if err != nil {
		return 0, err
	}
	if err := sleep(ctx, b.window); err != nil {
		return 0, err
	}
	used2, n2, at2, err := reading(ctx, p, ops)
	if err != nil {
		return 0, err
	}
	done := float64(n2 - n)
	if ops == nil {
		done = rate * at2.Sub(at).Seconds()
	}
	if !t.flatOut && done < 0.98*rate*at2.Sub(at).Seconds() {
		b.say("%s did %.0f of %.0f operations", t.tool, done, rate*at2.Sub(at).Seconds())
	}
	if t.flatOut {
		_ = p.cmd.Process.Kill()
	}
	return float64((used2 - used).Nanoseconds()) / 1e3 / done, p.wait()
}

func reading(ctx context.Context, p *process, ops count) (used time.Duration, n int64, at time.Time, err error) {
	if ops != nil {
		if n, err = ops(ctx); err != nil {
			return
		}
	}
	at = time.Now()
	used, err = p.cpu()
	return
}

// inTurns lets each turn have its turn, round after round, and returns each
// one's figures. They are kept under the name of the row.
func (b *bench) inTurns(ctx context.Context, row string, names []string, measure func(ctx context.Context, name string) ([]float64, error)) (map[string][][]float64, error) {
	out := map[string][][]float64{}
	for r := range b.rounds {
		for i := range names {
			name := names[(i+r)%len(names)] // nobody always follows the same one
			f, err := measure(ctx, name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			b.say("  round %d  %-28s %s", r+1, name, figures(f))
			out[name] = append(out[name], f)
		}
	}
	b.kept.add(row, out)
	return out, nil
}

func figures(f []float64) string {
	var s []string
	for _, x := range f {
		s = append(s, strconv.FormatFloat(x, 'f', 1, 64))
	}
	return strings.Join(s, " / ")
}

// span returns the lowest and the highest value of column i over the rounds.
func span(rounds [][]float64, i int) (low, high float64) {
	low, high = rounds[0][i], rounds[0][i]
	for _, r := range rounds {
		low, high = min(low, r[i]), max(high, r[i])
	}
	return low, high
}

// median returns the median of column i over the rounds.
func median(rounds [][]float64, i int) float64 {
	var v []float64
	for _, r := range rounds {
		v = append(v, r[i])
	}
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
