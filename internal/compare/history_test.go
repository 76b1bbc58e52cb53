package compare

import (
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/rundir"
)

func pastRuns(t *testing.T, systems ...system) (out []*rundir.Run) {
	t.Helper()
	for i, s := range systems {
		out = append(out, s.run(t, uint64(2*i))) // of one version
	}
	return out
}

func times(n int, s system) (out []system) {
	for range n {
		out = append(out, s)
	}
	return out
}

func TestHistorySaysFromWhichRunOnAFigureChanged(t *testing.T) {
	calm, slow := system{restless: 0.02}, system{restless: 0.02, shift: 0.3}
	all, err := Histories(pastRuns(t, append(times(8, calm), times(5, slow)...)...), Options{})
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	h := all[0]
	found := map[string]bool{}
	for _, c := range h.Changes {
		if c.Run != 8 || c.Word != Regressed || c.After/c.Before < 1.2 || c.After/c.Before > 1.4 {
			t.Errorf("got %+v, want a rise by 30 %% from run 8 on", c)
		}
		found[c.Metric+" "+c.Stat] = true
	}
	if !found["response_time p50"] || !found["response_time p95"] {
		t.Errorf("changes of %v", found)
	}
	var b strings.Builder
	if err := HistoryText(&b, h, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"load of tasks, 13 runs", "◆ from run 9 on", "REGRESSED response_time p95 rose by", "▆"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, b.String())
		}
	}
}

func TestAHistoryOfOneSystemHasNoChanges(t *testing.T) {
	all, err := Histories(pastRuns(t, times(14, system{restless: 0.05})...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(all[0].Changes) > 0 {
		t.Errorf("got %+v", all[0].Changes)
	}
}

func TestErrorsAreInAHistoryToo(t *testing.T) {
	all, err := Histories(pastRuns(t, append(times(7, system{failing: 0.01}), times(5, system{failing: 0.05})...)...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all[0].Changes {
		if c.Metric == errorRate && c.Run == 7 && c.Word == Regressed {
			return
		}
	}
	t.Errorf("got %+v, want a rise of the rate of errors", all[0].Changes)
}

func TestAShortHistoryListsItsRunsAndNoChanges(t *testing.T) {
	all, err := Histories(pastRuns(t, times(3, system{})...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := HistoryText(&b, all[0], false); err != nil {
		t.Fatal(err)
	}
	if all[0].Changes != nil || len(all[0].Runs) != 3 || !strings.Contains(b.String(), "from 10 runs on") {
		t.Errorf("%+v\n%s", all[0].Changes, b.String())
	}
}
