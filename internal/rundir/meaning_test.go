package rundir_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
	"github.com/perfctl/perfctl/internal/scenarios/all"
	"github.com/perfctl/perfctl/internal/targets/probe"
	"github.com/perfctl/perfctl/internal/targets/process"
)

// A run that was recorded before run.json described the roles of metrics is
// analysed as before.
func TestMetricsOfOlderRunsHaveTheirRoles(t *testing.T) {
	dir := t.TempDir()
	record := func(file string, change func([]byte) []byte) {
		path := filepath.Join(dir, file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rundirtest.Write(t, path, change(text))
	}
	rundirtest.Record(t, dir, 1)
	role := regexp.MustCompile(`,\s*"(role|part|of)": ?"[^"]*"`)
	record(rundir.InfoFile, func(text []byte) []byte {
		return role.ReplaceAll(regexp.MustCompile(`  "(roles|subjects)": true,\n`).ReplaceAll(text, nil), nil)
	})
	record(rundir.SeriesFile, func(text []byte) []byte { return role.ReplaceAll(text, nil) })
	run, err := rundir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]metrics.Role{"rabbitmq_queue_length": metrics.RoleBacklog, "db_query_duration": metrics.RoleLatency,
		"cache_hit_ratio": metrics.RoleHitRatio, "response_time": metrics.RoleLatency, "data_sent": ""}
	for _, l := range run.Lines {
		if r, asked := want[l.Series.Name]; asked && l.Series.Role != r {
			t.Errorf("%s is %q, want %q", l.Series.Name, l.Series.Role, r)
		}
		if of := l.Series.Of; strings.HasPrefix(l.Series.Name, "arrivals") != (of == metrics.OfArrivals) {
			t.Errorf("%s is of %q", l.Series.Name, of)
		}
	}
	if run.Info.Roles {
		t.Error("the run says its roles")
	}
}

// What an older run's metric was is what the metric of that name is now.
func TestRolesAreWhatTheyWere(t *testing.T) {
	var descs []metrics.Desc
	for _, d := range all.Registry().Definitions() {
		descs = append(descs, d.Metrics...)
	}
	for _, d := range slices.Concat(descs, metrics.Standard(), probe.Metrics(), process.Metrics()) {
		if role, part, known := rundir.Meaning(d.Name); known && (role != d.Role || part != d.Part) {
			t.Errorf("%s is %q of %q, and was %q of %q", d.Name, d.Role, d.Part, role, part)
		}
	}
}
