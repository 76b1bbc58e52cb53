//go:build power

package compare

import (
	"fmt"
	"testing"
)

// TestPower prints the table of docs/comparing.md; it takes some minutes.
func TestPower(t *testing.T) {
	const times = 100
	fmt.Printf("| runs a side | spread | equal: OK | equal: wrong | +5 %%: wrong OK | +10 %%: REGRESSED | +20 %%: REGRESSED |\n| --: | --: | --: | --: | --: | --: | --: |\n")
	for _, runs := range []int{4, 5, 8, 12} {
		for _, spread := range []float64{0.005, 0.01, 0.015, 0.02, 0.04} {
			equal, whole := tried(t, times, runs, spread, 0)
			five, _ := tried(t, times, runs, spread, 0.0501)
			ten, _ := tried(t, times, runs, spread, 0.1)
			fifth, _ := tried(t, times, runs, spread, 0.2)
			fmt.Printf("| %d | %.1f %% | %.0f %% | %.1f %% | %.1f %% | %.0f %% | %.0f %% |\n", runs, 100*spread,
				100*equal[OK], 100*(whole[Regressed]+whole[Improved]), 100*five[OK], 100*ten[Regressed], 100*fifth[Regressed])
		}
	}
}
