package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/summary"
)

// Labels returns the labels that the user gave a run, as in env=staging, branch=main; ""
// where there are none.
func Labels(r *summary.RunBlock) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(r.Tags)) {
		parts = append(parts, figure.Line(k+"="+r.Tags[k]))
	}
	return strings.Join(parts, ", ")
}
