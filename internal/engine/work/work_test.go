package work

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestRandomIsAFunctionOfSeedNumberAndStream(t *testing.T) {
	a := &Arrival{K: 7, Seed: 1}
	if a.Random(1) != (&Arrival{K: 7, Seed: 1, N: 3, Worker: 5}).Random(1) {
		t.Error("the same arrival draws another number")
	}
	for name, other := range map[string]uint64{
		"stream": a.Random(2), "number": (&Arrival{K: 8, Seed: 1}).Random(1), "seed": (&Arrival{K: 7, Seed: 2}).Random(1),
	} {
		if other == a.Random(1) {
			t.Errorf("another %s draws the same number", name)
		}
	}
}

func TestUniformIsUniform(t *testing.T) {
	const n, bins = 100_000, 10
	var counts [bins]int
	for k := range int64(n) {
		u := (&Arrival{K: k, Seed: 42}).Uniform(3)
		if u < 0 || u >= 1 {
			t.Fatalf("%g is not within [0, 1)", u)
		}
		counts[int(u*bins)]++
	}
	// Five standard deviations of a binomial count.
	limit := 5 * math.Sqrt(n*0.1*0.9)
	for i, c := range counts {
		if math.Abs(float64(c)-n/bins) > limit {
			t.Errorf("bin %d holds %d of %d", i, c, n)
		}
	}
}

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Kind
	}{
		{Fail(KindWrong, io.EOF), KindWrong},
		{fmt.Errorf("read: %w", Fail(KindRejected, errors.New("no"))), KindRejected},
		{context.DeadlineExceeded, KindTimeout},
		{os.ErrDeadlineExceeded, KindTimeout},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, KindRefused},
		{syscall.EMFILE, KindExhausted},
		{fmt.Errorf("read: %w", io.EOF), KindClosed},
		{syscall.ECONNRESET, KindClosed},
		{net.ErrClosed, KindClosed},
		{errors.New("odd"), KindOther},
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("%v is %s, want %s", c.err, got, c.want)
		}
	}
	if Fail(KindWrong, nil) != nil {
		t.Error("no error is a failure")
	}
}
