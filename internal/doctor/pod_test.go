package doctor

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// A peak takes as many pods as 60 % of what one generates goes into it, and what there is
// room for is held against that.
func TestPodsForAPeak(t *testing.T) {
	for _, c := range []struct {
		best, peak float64
		free       Free
		n          int
		wrong      string
		says       []string
	}{
		{8000, 1000, Free{Pods: 9, Nodes: 3, CPU: 2.5}, 1, "", []string{"one is enough", "for 9 pods; nodes: 3, with 2.5 CPU free"}},
		{8000, 4800, Free{Pods: 9}, 1, "", []string{"one is enough"}},
		{8000, 4801, Free{Pods: 9}, 2, "", []string{"--kubernetes 2 for a peak of"}},
		{8000, 48000, Free{Pods: 9, Nodes: 2, CPU: 2}, 10, "room", []string{"--kubernetes 10", "for 9 pods; nodes: 2, with 2 CPU free", "--kubernetes-wait"}},
		{8000, 48000, Free{Unknown: "you may not list nodes"}, 10, "", []string{"not known: you may not list nodes"}},
		{0, 100, Free{Pods: 9}, 0, "pods", []string{"generates no load", "more CPU"}},
		{8000, 0, Free{Pods: 9}, 0, "", []string{"users have no rate"}},
	} {
		p := &Pod{Echo: Rate{Best: c.best, Lag: time.Microsecond}}
		var text, wrong []string
		n := p.Propose(c.peak, c.free, func(f Finding) {
			text = append(text, f.What+": "+f.Found)
			if !f.OK {
				wrong = append(wrong, f.What)
			}
		})
		all := strings.Join(text, "\n")
		if n != c.n || strings.Join(wrong, ",") != c.wrong {
			t.Errorf("%+v: %d pods, wrong %v:\n%s", c, n, wrong, all)
		}
		for _, s := range c.says {
			if !strings.Contains(all, s) {
				t.Errorf("%+v: want %q in\n%s", c, s, all)
			}
		}
	}
}

// What a pod measures is read as it was.
func TestPodIsReadAsItWasMeasured(t *testing.T) {
	p := Pod{Echo: Rate{Best: 4000, Lag: 3 * time.Microsecond, Beyond: true}}
	p.Limits.OpenFiles, p.Limits.CPUs = 50, 2
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadPod(text)
	if err != nil || *got != p {
		t.Errorf("%+v, %v", got, err)
	}
	var wrong []string
	got.Tell(100, func(f Finding) {
		if !f.OK {
			wrong = append(wrong, f.What)
		}
	})
	if strings.Join(wrong, ",") != "open files,rate without a target" {
		t.Errorf("wrong: %v", wrong)
	}
	if _, err := ReadPod([]byte("no")); err == nil {
		t.Error("no JSON is read")
	}
}
