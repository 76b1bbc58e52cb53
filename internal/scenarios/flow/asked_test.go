package flow

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/engine/work"
)

func TestAFailureSaysWhatItsStepAskedFor(t *testing.T) {
	for _, c := range []struct{ steps, want string }{
		{`[{sql: {query: "select 1 from t where a = 'hunter2'"}}]`, "select 1 from t where a = '…': broken"},
		{`[{redis: [LPUSH, "list:{{n}}", hunter2]}]`, "LPUSH list:{{n}}: broken"},
		{`[{redis: {pipeline: [[GET, a], [GET, b], [GET, c], [GET, d]]}}]`, "GET a; GET b; GET c; …: broken"},
		{`[{publish: {exchange: events, key: a.b}}]`, "publish to the exchange events by a.b: broken"},
		{`[{publish: {key: "{{queue q}}"}}, {consume: {own_queue: q}}]`, "publish to the queue {{queue q}}: broken"},
		{`[{consume: {queue: inbox}}]`, "consume from the queue inbox: broken"},
		{`[{http: {method: POST, path: "/tasks/{{n}}?token=hunter2"}}]`, "POST /tasks/{{n}}: broken"},
	} {
		file := filepath.Join(t.TempDir(), "flow.yaml")
		if err := os.WriteFile(file, []byte("steps: "+c.steps), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := load(file, blank())
		if err != nil {
			t.Errorf("%s: %v", c.steps, err)
			continue
		}
		got := p.all[0].explain(work.Fail(work.KindClosed, errors.New("broken")))
		if !strings.HasSuffix(got.Error(), c.want) || strings.Contains(got.Error(), "hunter2") || work.KindOf(got) != work.KindClosed {
			t.Errorf("%s: %q", c.steps, got)
		}
	}
}
