package analysis

import (
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
)

// A server of one thread is at its bound with one core, whatever it is called.
func TestAServerOfOneThreadIsSaturatedByOneCore(t *testing.T) {
	for _, c := range []struct {
		name     string
		programs map[string]string
		bound    bool
	}{
		{"sessions", map[string]string{"sessions": "redis"}, true},
		{"valkey", map[string]string{"valkey": "redis"}, true},
		{"predistributor", map[string]string{"predistributor": "api"}, false},
		{"redis", nil, true}, // recorded before the run said what its programs are
		{"postgres", nil, false},
	} {
		info := rundir.RunInfo{Programs: c.programs, Machine: rundir.Machine{CPUs: 4}}
		s := metrics.Series{Desc: metrics.Desc{Name: "process_cpu_percent", Role: metrics.RoleProcessCPU}, Tags: metrics.Tags{Operation: c.name}}
		a := &axis{run: &rundir.Run{Info: info}, n: 4, gauges: []gauge{{series: s, key: s.Key(), values: []float64{99, 99, 99, 99}}}}
		if got := len(a.saturatedGauges()) == 1; got != c.bound {
			t.Errorf("%s (%v): saturated by one core: %v, want %v", c.name, c.programs, got, c.bound)
		}
	}
}
