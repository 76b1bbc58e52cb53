//go:build linux

package evidence

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/targets/probe"
	"github.com/perfctl/perfctl/internal/targets/process"
)

func TestAStoppedProgramIsSeen(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	all := watched(t, NewProcess(process.Watch{Name: "app", PID: cmd.Process.Pid}), func(seen func(string) bool) {
		n := 0
		until(t, "the stopped process", func() bool {
			what := syscall.SIGSTOP
			if n++; n%20 >= 10 { // it is noted when it is over
				what = syscall.SIGCONT
			}
			if err := cmd.Process.Signal(what); err != nil {
				t.Error(err)
			}
			return seen(exemplars.Stopped)
		})
	})
	if v := only(all, exemplars.Stopped)[0]; v.Source != "app" || v.System != "api" {
		t.Errorf("%+v", v)
	}
}

func TestAPauseOfAScrapedProgramIsSeen(t *testing.T) {
	var paused atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "# TYPE jvm_gc_pause_seconds summary\njvm_gc_pause_seconds_sum %g\njvm_gc_pause_seconds_count 3\n", float64(paused.Add(300))/1000)
	}))
	defer s.Close()
	u, err := url.Parse(s.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	all := watched(t, NewScrape(probe.Scrape{Name: "orders", URL: u}), func(seen func(string) bool) {
		until(t, "the pause", func() bool { return seen(exemplars.Pause) })
	})
	if v := only(all, exemplars.Pause)[0]; v.System != "api" || v.Took < 299 || v.Took > 301 || !strings.Contains(v.What, "300 ms") {
		t.Errorf("%+v", v)
	}
}
