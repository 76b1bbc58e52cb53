package main

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// rounds makes five rounds of a row in which perfctl costs so many times the floor.
func rounds(factor, noise float64, r *rand.Rand) map[string][][]float64 {
	out := map[string][][]float64{}
	for range 5 {
		floor := 20 + 10*r.Float64() // the machine differs from round to round
		out["floor"] = append(out["floor"], []float64{floor})
		out["perfctl"] = append(out["perfctl"], []float64{floor * factor * (1 + noise*(r.Float64()-0.5))})
	}
	return out
}

// A generator that became dearer is found whatever the machine did meanwhile.
func TestWorseIsFoundAndTheSameIsNot(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	missed, wrong := 0, 0
	for range 200 {
		before := kept{Rows: map[string]map[string][][]float64{"http 500/s": rounds(1.2, 0.1, r)}}
		same := kept{Rows: map[string]map[string][][]float64{"http 500/s": rounds(1.2, 0.1, r)}}
		dearer := kept{Rows: map[string]map[string][][]float64{"http 500/s": rounds(1.2*1.3, 0.1, r)}}
		var out strings.Builder
		if err := check(&out, before, same); err != nil {
			wrong++
		}
		if err := check(&out, before, dearer); !errors.Is(err, errWorse) {
			missed++
		}
	}
	if missed > 2 || wrong > 2 {
		t.Errorf("%d of 200 rises by 30 %% missed, %d of 200 equal ones called worse", missed, wrong)
	}
}

func TestKeptFiguresAreReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kept.json")
	var k kept
	k.add("late 200", map[string][][]float64{"perfctl": {{1, 2, 8}}, "floor": {{1, 1, 4}}})
	if err := k.write(path, []string{"- machine: one"}); err != nil {
		t.Fatal(err)
	}
	got, err := readKept(path)
	if err != nil {
		t.Fatal(err)
	}
	if r := ratios(got.Rows["late 200"], "perfctl"); len(r) != 1 || r[0] != 2 {
		t.Errorf("ratios %v, want that of the last figure, 2", r)
	}
	var piece kept
	piece.add("redis 500/s", map[string][][]float64{"perfctl": {{3}}, "floor": {{1}}})
	if err := piece.write(path, []string{"- machine: one", "- steal: none"}); err != nil {
		t.Fatal(err)
	}
	if got, err = readKept(path); err != nil {
		t.Fatal(err)
	}
	if len(got.Rows) != 2 || len(got.Machine) != 2 {
		t.Errorf("%d rows and %d lines of the machine after a second piece, want 2 and 2: %v", len(got.Rows), len(got.Machine), got.Machine)
	}
}
