package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// kept are the figures of every round: by row, then by tool, then by round. The first
// figure of a round is the one that is compared, the last where there are several
// (of a lateness that is p99.9).
type kept struct {
	Machine []string                          `json:"machine"`
	Rows    map[string]map[string][][]float64 `json:"rows"`
}

func (k *kept) add(row string, figures map[string][][]float64) {
	if k.Rows == nil {
		k.Rows = map[string]map[string][][]float64{}
	}
	k.Rows[row] = figures
}

// write writes the figures. Rows of the file that were not measured now stay, with what
// is said there of the machine: a table may be measured in pieces.
func (k *kept) write(path string, machine []string) error {
	before, err := readKept(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	out := kept{Machine: before.Machine, Rows: map[string]map[string][][]float64{}}
	for _, line := range machine {
		if !slices.Contains(out.Machine, line) {
			out.Machine = append(out.Machine, line)
		}
	}
	maps.Copy(out.Rows, before.Rows)
	maps.Copy(out.Rows, k.Rows)
	raw, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}

func readKept(path string) (k kept, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return k, err
	}
	if err := json.Unmarshal(raw, &k); err != nil {
		return k, fmt.Errorf("read %s: %w; next: make bench", path, err)
	}
	return k, nil
}

// worse is from which ratio of medians on a figure is worse, if besides every round
// is: with five rounds a side, chance alone does that once in 252 rows.
const worse = 1.1

// references are what a figure of perfctl is divided by, the first that was measured
// in the same round: machines differ by what they differ for these as well.
var references = []string{"floor", "driver alone"}

// ratios returns perfctl's figure over the reference's, round by round; nil where the
// row has no reference.
func ratios(row map[string][][]float64, tool string) (out []float64) {
	for _, ref := range references {
		if len(row[ref]) == 0 || len(row[ref]) != len(row[tool]) {
			continue
		}
		for i, r := range row[tool] {
			last := len(r) - 1
			if of := row[ref][i][min(last, len(row[ref][i])-1)]; of > 0 {
				out = append(out, r[last]/of)
			}
		}
		slices.Sort(out)
		return out
	}
	return nil
}

// errWorse says that a row is worse than the kept one.
var errWorse = errors.New("perfctl became dearer or later")

// check compares perfctl's ratios with the kept ones and prints a line for each row.
func (b *bench) check(w io.Writer, path string) error {
	before, err := readKept(path)
	if err != nil {
		return err
	}
	return check(w, before, b.kept)
}

func check(w io.Writer, before, now kept) error {
	bad := 0
	for _, row := range slices.SortedFunc(maps.Keys(now.Rows), cmp.Compare[string]) {
		for _, tool := range []string{"perfctl", "perfctl, tolerance 1 ms"} {
			a, b := ratios(before.Rows[row], tool), ratios(now.Rows[row], tool)
			if len(a) == 0 || len(b) == 0 {
				continue
			}
			word := "as before"
			if r := b[len(b)/2] / a[len(a)/2]; r > worse && b[0] > a[len(a)-1] {
				word = "WORSE"
				bad++
			} else if r < 1/worse && b[len(b)-1] < a[0] {
				word = "better"
			}
			fmt.Fprintf(w, "%-24s %-24s %.2f (%.2f to %.2f) before, %.2f (%.2f to %.2f) now: %s\n", row, tool,
				a[len(a)/2], a[0], a[len(a)-1], b[len(b)/2], b[0], b[len(b)-1], word)
		}
	}
	if bad > 0 {
		return fmt.Errorf("%w in %d rows", errWorse, bad)
	}
	return nil
}
