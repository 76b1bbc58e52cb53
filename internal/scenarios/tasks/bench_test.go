package tasks

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
)

// BenchmarkTask publishes, confirms and processes tasks with 64 in flight, as
// fast as broker and agents go.
func BenchmarkTask(b *testing.B) {
	const workers = 64
	tr := begin(b, broker(b), int64(b.N), workers, keyWorkTime, "0s")
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for w := range workers {
		wg.Go(func() {
			for n := next.Add(1) - 1; n < int64(b.N); n = next.Add(1) - 1 {
				if err := tr.Do(b.Context(), &work.Arrival{K: n, N: n, Due: tr.clock.Now(), Worker: w}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := tr.Drain(within(b, 30*time.Second)); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	if h := tr.totals().Trend(metrics.Selector{Name: "rabbitmq_publish_latency"}); h != nil {
		p95, _, _ := h.Quantile(0.95)
		b.ReportMetric(float64(p95)/1e6, "p95-ms")
	}
}

// BenchmarkBody encodes and decodes a task's prefix.
func BenchmarkBody(b *testing.B) {
	body := make([]byte, 256)
	t := task{run: 1, n: 2, k: 3, due: 4, sent: 5}
	b.ReportAllocs()
	for b.Loop() {
		t.encode(body)
		if _, err := decode(body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLedger carries a task through the ledger.
func BenchmarkLedger(b *testing.B) {
	l := newLedger(1 << 20)
	var n int64
	b.ReportAllocs()
	for b.Loop() {
		l.confirm(l.attempt(n % (1 << 20)))
		l.processed(n%(1<<20), false)
		n++
	}
}
