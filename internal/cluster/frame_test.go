package cluster

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAFrameIsReadAsItWasPrinted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Frame{
			Number: rapid.Int64Range(0, 1<<40).Draw(t, "number"), Kind: Kind(rapid.StringMatching(`[a-z]+`).Draw(t, "kind")),
			Body: rapid.SliceOfN(rapid.Byte(), 0, MostBody).Draw(t, "body"),
		}
		line := want.Append(nil)
		if n := bytes.Count(line, []byte("\n")); n != 1 || len(line) > 16<<10 {
			t.Fatalf("%d bytes with %d ends", len(line), n)
		}
		got, framed, err := ParseFrame(bytes.TrimRight(line, "\n"))
		if err != nil || !framed || got.Number != want.Number || got.Kind != want.Kind || !bytes.Equal(got.Body, want.Body) {
			t.Fatalf("%+v, %v, %v", got, framed, err)
		}
		cut := rapid.IntRange(len(framePrefix), len(line)-2).Draw(t, "cut")
		if f, _, err := ParseFrame(line[:cut]); err == nil {
			t.Fatalf("cut at %d it is %+v", cut, f)
		}
	})
}

func FuzzParseFrame(f *testing.F) {
	x := Frame{Number: 3, Kind: KindData, Body: []byte("text")}
	f.Add(x.Append(nil))
	f.Add([]byte("panic: something"))
	f.Add([]byte(framePrefix + "1 data 0 AAAA"))
	f.Fuzz(func(_ *testing.T, line []byte) { _, _, _ = ParseFrame(line) })
}

func TestAPartOfAFileNamesNoOtherPlace(t *testing.T) {
	for _, name := range []string{"", "../x", "/etc/passwd", ".hidden", "a/b", "a\nb"} {
		p := Part{File: name, Data: []byte("x")}
		if got, err := decodePart(p.encode()); err == nil {
			t.Errorf("%q is taken: %+v", name, got)
		}
	}
	p := Part{File: "series.ndjson", Offset: 7, Data: []byte("{\"a\":1}\nrest")}
	if got, err := decodePart(p.encode()); err != nil || got.File != p.File || got.Offset != 7 || !bytes.Equal(got.Data, p.Data) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatIsHandedOverIsReadByThoseWithTheKeyAlone(t *testing.T) {
	key, other := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	sealed, err := seal(key, []byte("token=abc"))
	if err != nil || bytes.Contains(sealed, []byte("token")) {
		t.Fatalf("%q, %v", sealed, err)
	}
	if text, err := unseal(key, sealed); err != nil || string(text) != "token=abc" {
		t.Errorf("%q, %v", text, err)
	}
	for _, bad := range [][]byte{nil, sealed[:5], append([]byte{0}, sealed...)} {
		if _, err := unseal(key, bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, err := unseal(other, sealed); err == nil || !strings.Contains(err.Error(), "what the first shard made") {
		t.Errorf("another key: %v", err)
	}
}
