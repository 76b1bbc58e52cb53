package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
)

type outage struct{ why string }

func (o *outage) Error() string { return "no connection" }
func (o *outage) Why() string   { return o.why }

// The example of a failure is the first one, with what was found out about it later.
func TestAnExampleSaysWhatWasFoundOutLater(t *testing.T) {
	var f failures
	l := &lane{Engine: &Engine{cfg: Config{Metrics: metrics.NewRegistry(nil)}}, name: "tasks"}
	o := &outage{}
	f.count(l, work.KindClosed, work.Fail(work.KindClosed, o))
	f.count(l, work.KindTimeout, work.Fail(work.KindTimeout, errors.New("no answer")))
	example := func() string {
		for _, x := range f.list() {
			if x.Kind == work.KindClosed {
				return x.Example
			}
		}
		return ""
	}
	if got := example(); !strings.HasSuffix(got, "no connection") {
		t.Errorf("the example is %q", got)
	}
	o.why = "the password is refused"
	if got := example(); !strings.HasSuffix(got, "no connection: the password is refused") {
		t.Errorf("the example is %q", got)
	}
}
