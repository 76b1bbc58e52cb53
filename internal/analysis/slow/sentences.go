package slow

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// say puts the report into sentences: one for each cause, and what is left.
func (r *Report) say() {
	if len(r.Causes) == 0 {
		r.Sentences = append(r.Sentences, fmt.Sprintf(
			"Slow arrivals: why the %d slowest are slow cannot be told: nothing that was seen befell them significantly more often than the %d that they are compared with.", r.Slow, r.Sampled))
		return
	}
	for i, c := range r.Causes {
		lead := fmt.Sprintf("%d of them (%s)", c.Count, percent(c.Share))
		if i == 0 {
			lead = fmt.Sprintf("Slow arrivals: of the %d of which a record was kept, %d (%s)", r.Slow, c.Count, percent(c.Share))
		}
		text := fmt.Sprintf("%s %s%s; from %s to %s; %d of %d in the sample did.", lead, strings.TrimSuffix(c.What, "."), processes(c.Processes), figure.MomentTenths(c.From), figure.MomentTenths(c.To), c.SampleHaving, r.Sampled)
		if c.Advice != "" {
			text += " Next: " + c.Advice + "."
		}
		r.Sentences = append(r.Sentences, text)
	}
	if r.Unexplained > 0 {
		r.Sentences = append(r.Sentences, fmt.Sprintf("%d of them (%s) have no explanation.", r.Unexplained, percent(float64(r.Unexplained)/float64(r.Slow))))
	}
}

func percent(v float64) string { return figure.Value(v, metrics.UnitRatio) }

// processes names the processes that caused something; many are only counted.
func processes(all []uint32) string {
	switch {
	case len(all) == 0:
		return ""
	case len(all) > 3:
		return fmt.Sprintf(" (%d processes)", len(all))
	}
	var out []string
	for _, p := range all {
		out = append(out, strconv.Itoa(int(p)))
	}
	return " (process " + strings.Join(out, ", ") + ")"
}

// advice says what to look at next.
func (c *candidate) advice() string {
	switch c.id {
	case exemplars.Lock:
		return "shorten that transaction, or move the change of the table out of the busy hours; lock_timeout bounds the wait"
	case exemplars.Pool:
		return "a larger pool helps only where the database has room; else shorten what holds a connection"
	case exemplars.Worker:
		return "raise -u where that many are meant to be in flight"
	case exemplars.Command:
		return "replace it by SCAN, UNLINK or smaller pieces: Redis executes one command at a time"
	case exemplars.Checkpoint:
		return "raise max_wal_size and checkpoint_completion_target, or look at the disk"
	case exemplars.Alarm:
		return "consumers that keep up, or a higher memory watermark or free disk"
	case exemplars.Generator:
		return "see the generator's state in the summary: this is not the target's time"
	case exemplars.Connect, exemplars.TLS:
		return "keep connections open"
	case exemplars.Busy:
		return "EXPLAIN (ANALYZE) says whether it lacks an index"
	}
	return ""
}
