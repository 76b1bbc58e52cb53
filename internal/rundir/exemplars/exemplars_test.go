package exemplars

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func write(t *testing.T, dir string, s *Set) {
	t.Helper()
	if err := s.write(dir); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	want := &Set{
		Exemplars: []Exemplar{
			{K: 3, Scenario: "crud", Stage: "steady", As: []string{Slow, Sample}, Due: 12.5, Started: 1, Response: 40,
				Ops: []Op{{Name: "update", System: "postgres", Start: 1, End: 40, Wait: 9, Server: 30, Process: 4711, Request: "UPDATE tally"}}},
			{K: 9, Scenario: "crud", Stage: "steady", As: []string{Failed}, Due: 20, Response: 5, Kind: "timeout", Error: "late"},
		},
		Evidence: []Evidence{{From: 1, To: 2, Source: "postgres", Kind: Lock, Process: 4711, Blockers: []uint32{7}, What: "waits"}},
	}
	write(t, dir, want)
	if got := Read(dir); !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v", got)
	}
}

func TestPhasesAddUpToTheResponse(t *testing.T) {
	e := Exemplar{Released: 2, Started: 10, Response: 100, Ops: []Op{
		{Start: 10, End: 50, Wait: 5, Connect: 3, TLS: 2, Send: 1, Server: 27, Receive: 2}, {Start: 55, End: 95, Server: 40},
	}}
	want := map[string]float64{Generator: 2, Worker: 8, Pool: 5, Connect: 3, TLS: 2, Send: 1, Server: 67, Receive: 2, Own: 10}
	if got := e.Phases(); !reflect.DeepEqual(got, want) {
		t.Errorf("phases %v, want %v", got, want)
	}
}

func TestADamagedFileGivesWhatIsWhole(t *testing.T) {
	dir := t.TempDir()
	text := `{"k":1,"scenario":"a","stage":"s","as":["slow"],"due_ms":1,"response_ms":2}
{"k":2,"scenario":"a","due_ms":1e300,"response_ms":2}
not JSON
{"k":1,"scenario":"a","stage":"s","as":["slow"],"due_ms":1,"response_ms":2}
{"k":3,"scenario":"a","due_ms":3,"respon`
	if err := os.WriteFile(filepath.Join(dir, File), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got := Read(dir)
	if len(got.Exemplars) != 1 || got.Exemplars[0].K != 1 {
		t.Errorf("read %+v", got.Exemplars)
	}
	if notes := strings.Join(got.Notes, "\n"); !strings.Contains(notes, "line 2 is left out") || !strings.Contains(notes, "line 3") || !strings.Contains(notes, "line 5 is left out: it is cut off") {
		t.Errorf("notes:\n%s", notes)
	}
	if empty := Read(t.TempDir()); len(empty.Exemplars)+len(empty.Notes) != 0 {
		t.Errorf("an empty folder holds %+v", empty)
	}
}

func TestAFullDiskStopsTheRecordAndSaysSo(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(dir, File)); err != nil {
		t.Fatal(err)
	}
	w, err := Create(dir, File, MaxFile)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("{}\n"))
	w.Write([]byte("{}\n"))
	if w.Err() == nil || w.Open() || !strings.Contains(w.Err().Error(), File) {
		t.Errorf("error %v, open %v", w.Err(), w.Open())
	}
}

func TestAFileStaysWithinItsBound(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		limit := int64(rapid.IntRange(0, 300).Draw(t, "limit"))
		w, err := Create(dir, File, limit)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 30).Draw(t, "writes") {
			w.Write([]byte(strings.Repeat("x", rapid.IntRange(1, 60).Draw(t, "bytes")) + "\n"))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, File))
		if err != nil || info.Size() > limit || info.Size() != w.Size() {
			t.Fatalf("%d bytes of %d (%v)", info.Size(), limit, err)
		}
	})
}

func TestMergedShardsKeepTheirSlowestBeforeTheirSample(t *testing.T) {
	long := strings.Repeat("q", 900)
	var parts []Part
	for shard := range 2 {
		s := &Set{}
		for i := range 9000 {
			e := Exemplar{K: int64(2*i + shard), Scenario: "a", Stage: "s", As: []string{Sample}, Due: float64(i), Response: 1, Error: long}
			if i%9 == 0 {
				e.As, e.Response = []string{Slow}, 500
			}
			s.Exemplars = append(s.Exemplars, e)
		}
		dir := t.TempDir()
		write(t, dir, s)
		parts = append(parts, Part{Shard: shard, Dir: dir})
	}
	out := t.TempDir()
	if notes, err := Merge(parts, out); err != nil || len(notes) > 0 {
		t.Fatal(notes, err)
	}
	slow, sample := map[int]int{}, 0
	for _, e := range Read(out).Exemplars {
		if e.Is(Slow) {
			slow[e.Shard]++
		} else {
			sample++
		}
	}
	if slow[0] != 1000 || slow[1] != 1000 || sample == 0 || sample == 16000 {
		t.Errorf("slow %v, sample %d", slow, sample)
	}
	if info, err := os.Stat(filepath.Join(out, File)); err != nil || info.Size() > MaxFile {
		t.Errorf("%v, %v", info.Size(), err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"k":1,"due_ms":1,"response_ms":2,"ops":[{"start_ms":1,"end_ms":2}]}` + "\n"))
	f.Add([]byte("{}\n{\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		for _, name := range []string{File, EvidenceFile} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range Read(dir).Exemplars {
			for name, v := range e.Phases() {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("phase %s is %v", name, v)
				}
			}
		}
	})
}
