package html

import "github.com/perfctl/perfctl/internal/rundir"

// faultSpans are the intervals in which something was broken on purpose.
func faultSpans(r *rundir.Run) []finding {
	out := []finding{}
	for _, f := range r.Info.Faults {
		out = append(out, finding{f.Start, f.End, f.Name + ": " + f.Text})
	}
	return out
}
