package tasks

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBodyCarriesTheTaskWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := task{
			run: rapid.Uint64().Draw(t, "run"), n: rapid.Int64().Draw(t, "n"), k: rapid.Int64().Draw(t, "k"),
			stage: rapid.IntRange(0, maxStage).Draw(t, "stage"), warm: rapid.Bool().Draw(t, "warm"),
			due: time.Duration(rapid.Int64().Draw(t, "due")), sent: time.Duration(rapid.Int64().Draw(t, "sent")),
		}
		body := rapid.SliceOfN(rapid.Byte(), prefixSize, 300).Draw(t, "old content")
		want.encode(body)
		if got, err := decode(body); err != nil || got != want {
			t.Fatalf("got %+v, %v; want %+v", got, err, want)
		}
		// Any single changed bit of the prefix shows.
		bit := rapid.IntRange(0, 8*prefixSize-1).Draw(t, "bit")
		body[bit/8] ^= 1 << (bit % 8)
		if got, err := decode(body); err == nil {
			t.Fatalf("bit %d changed, and yet it reads as %+v", bit, got)
		}
	})
}

// FuzzDecode: whatever reads as a task is exactly what encode writes.
func FuzzDecode(f *testing.F) {
	good := make([]byte, prefixSize)
	(&task{run: 1, n: 2, k: 3, stage: 4, due: 5, sent: 6}).encode(good)
	f.Add(good)
	f.Add([]byte("hello"))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		x, err := decode(body)
		if err != nil {
			return
		}
		again := make([]byte, prefixSize)
		x.encode(again)
		if !bytes.Equal(again, body[:prefixSize]) {
			t.Errorf("%x reads as %+v, which is written as %x", body[:prefixSize], x, again)
		}
	})
}
