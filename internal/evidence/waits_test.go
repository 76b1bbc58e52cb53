package evidence

import (
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

func TestWhatAProcessWaitsForIsSaidApartFromItsStatement(t *testing.T) {
	for event, disk := range map[[2]string]bool{{"IO", "DataFileRead"}: true, {"LWLock", "WALWrite"}: true, {"LWLock", "BufferMapping"}: false, {"Timeout", "PgSleep"}: false} {
		j := NewJournal(func() time.Duration { return 500 * time.Millisecond })
		open := newSpans(j)
		w := &postgresWatcher{}
		w.judge(&backend{pid: 7, kind: "client backend", state: "active", waitType: event[0], event: event[1], age: 400, query: "SELECT ', in: '"}, nil, open, 0, 500)
		open.end()
		var all []exemplars.Evidence
		j.Take(func(v *exemplars.Evidence) { all = append(all, *v) })
		if len(all) != 1 || all[0].Kind != exemplars.Waits || all[0].Waited != event[0]+" "+event[1] || all[0].Disk != disk {
			t.Errorf("%v: %+v", event, all)
		}
	}
}
