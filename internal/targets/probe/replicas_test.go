package probe

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
)

func TestReplicasAreReadFromACommandOrASeries(t *testing.T) {
	for text, want := range map[string]string{
		"app=kubectl get deploy":                           "app kubectl get deploy",
		`app=http://localhost:1/m up{job="app", zone="a"}`: "app up map[job:app zone:a] ",
		"app=https://u:p@localhost/m http_requests by pod": "app http_requests map[] pod",
		"app":                                  "want NAME=",
		"a b=ls":                               "want NAME=",
		"app= ":                                "want NAME=",
		"app=http://localhost:1/m":             "want a series",
		"app=http:///m up":                     "no URL",
		`app=http://localhost:1/m up{job=app}`: "is no label",
		"app=http://localhost:1/m sum(up)":     "want a series",
	} {
		r, err := ParseReplicas(text)
		got := strings.TrimSpace(fmt.Sprint(r.Name, " ", r.Command))
		if r.URL != nil {
			got = fmt.Sprint(r.Name, " ", r.Metric, " ", r.Labels, " ", r.By)
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || strings.Contains(got, ":p@") {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestReplicasAreCountedAndTheirLoadCompared(t *testing.T) {
	var pods atomic.Pointer[string]
	u := endpointOf(t, func(string) string { return "# TYPE served_total counter\n" + *pods.Load() })
	r, err := ParseReplicas("app=" + u.String() + ` served_total{zone="a"} by pod`)
	if err != nil {
		t.Fatal(err)
	}
	reg := metrics.NewRegistry([]string{"main"})
	reader := NewReplicas(r, reg)
	defer reader.Close(t.Context())
	for _, step := range []struct {
		text         string
		count, ratio float64
	}{
		{`served_total{zone="a",pod="x"} 1000` + "\n", 1, 0}, // nothing to compare with yet
		{`served_total{zone="a",pod="x"} 1100` + "\n" + `served_total{zone="b",pod="o"} 9` + "\n", 1, 1},
		{`served_total{zone="a",pod="x"} 1200` + "\n" + `served_total{zone="a",pod="y"} 0` + "\n", 2, 2},
		{`served_total{zone="a",pod="x"} 1300` + "\n" + `served_total{zone="a",pod="y"} 100` + "\n", 2, 1.5},
	} {
		pods.Store(&step.text)
		if err := reader.Read(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		of := totals(reg)
		if v, _ := gauge(of, metrics.Replicas, "app"); v != step.count {
			t.Errorf("%s: %v instances, want %v", step.text, v, step.count)
		}
		if v, _ := gauge(of, metrics.ReplicaLoad, "app"); v != step.ratio {
			t.Errorf("%s: the busiest has %v times the mean, want %v", step.text, v, step.ratio)
		}
	}
}

func TestReplicasAreReadFromWhatACommandPrints(t *testing.T) {
	for text, want := range map[string]string{
		"3\n": "3 map[]", "": "0 map[]", "a 10\nb 20\n\n": "2 map[a:{10 true} b:{20 true}]", "pod/a\npod/b": "2 map[pod/a:{0 false} pod/b:{0 false}]",
		"-1": "no number of instances", "NaN": "no number of instances", "a b c": "want a number", "a x": "is no number", "1e9": "no number of instances",
	} {
		n, each, err := parseInstances(text)
		got := fmt.Sprint(n, " ", each)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	r := NewReplicas(Replicas{Name: "app", Command: "echo 4; exit 3"}, metrics.NewRegistry([]string{"main"}))
	if err := r.Read(t.Context(), 0); err == nil {
		t.Error("a command that fails is no error")
	}
}

func FuzzInstances(f *testing.F) {
	for _, s := range []string{"3", "a 1\nb 2", "x\ny", "1e300", "a -1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, each, err := parseInstances(text)
		if err == nil && !(n >= 0 && n <= mostInstances) {
			t.Errorf("%v instances", n)
		}
		if ratio, ok := busiest(nil, each); ok && !(ratio >= 1-1e-9 && ratio <= float64(len(each))*(1+1e-9)) {
			t.Errorf("the busiest of %d has %v times the mean", len(each), ratio)
		}
	})
}

func FuzzParseReplicas(f *testing.F) {
	for _, s := range []string{`app=http://localhost:1/m up{job="app", zone="a"} by pod`, "app=ls", "a=https://x y{"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := ParseReplicas(text); err == nil && (r.URL == nil) == (r.Command == "") {
			t.Errorf("%q has neither or both of a command and a URL", text)
		}
	})
}
