package html

import (
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/analysis"
	"github.com/perfctl/perfctl/internal/analysis/slow"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/summary"
)

func TestThePageDrawsTheSlowestAndTheFailed(t *testing.T) {
	dir := t.TempDir()
	w, err := exemplars.Create(dir, exemplars.File, exemplars.MaxFile)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		e := exemplars.Exemplar{K: int64(i), Scenario: "crud", Stage: "steady", As: []string{exemplars.Slow}, Due: 1000, Response: float64(10 + i), Ops: []exemplars.Op{
			{Name: "update", System: "postgres", End: float64(10 + i), Wait: 4, Server: float64(6 + i), Process: 4711, Request: "UPDATE <t>"}}}
		if i == 3 {
			e.Kind, e.Error = "timeout", "late <script>"
		}
		w.Write(exemplars.AppendLine(nil, &e))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s := &summary.Summary{Analysis: &analysis.Analysis{Slow: &slow.Report{Known: true, Causes: []slow.Cause{{What: "waited for a lock", From: 1, To: 2}}}}}
	v := slowOf(&rundir.Run{Dir: dir}, s)
	if v.Kept != 30 || len(v.Rows) != slowShown+1 || v.Rows[0].K != 29 || v.Rows[slowShown].Kind != "timeout" {
		t.Fatalf("%d kept, %d rows", v.Kept, len(v.Rows))
	}
	if bars := v.Rows[0].Ops[0].Bars; len(bars) != 2 || bars[0].Class != "wait" || bars[1].Class != "server" || bars[1].X != bars[0].Width {
		t.Errorf("bars %+v", bars)
	}
	var b strings.Builder
	if err := page.ExecuteTemplate(&b, "slow", v); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if strings.Contains(text, "<script>") || strings.Contains(text, "style=") || !strings.Contains(text, "pid 4711") || strings.Count(text, "data-from=") != slowShown+1 {
		t.Errorf("page:\n%s", text)
	}
	if m := slowMarks(s); len(m) != 1 || m[0].From != 1 {
		t.Errorf("marks %+v", m)
	}
	if none := slowOf(&rundir.Run{Dir: t.TempDir()}, s); len(none.Rows) > 0 {
		t.Error("rows of nothing")
	}
}
