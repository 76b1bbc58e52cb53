// Package troubleshooting writes the page of errors and next steps from what the
// targets know. It explains nothing by itself.
package troubleshooting

import (
	"fmt"
	"strings"

	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
	"github.com/perfctl/perfctl/internal/targets/postgres"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

const intro = `# When a target cannot be used

perfctl exits with code 107 where a target cannot be reached or set up, within 15 s, and with code 104
where an address or a setting is wrong. The message names the target without secrets, the cause, and on
its last line the next step. This page lists what it knows; it is made from the program by
` + "`go test ./internal/targets/troubleshooting -update`" + `. Words in capitals stand for what is yours.
`

// Page returns the page.
func Page() string {
	var b strings.Builder
	b.WriteString(intro)
	for _, part := range []struct {
		title string
		steps []targets.Step
	}{
		{"Any target", targets.CommonSteps()}, {"PostgreSQL, PgBouncer", postgres.Steps()},
		{"Redis, Valkey, Cluster, Sentinel", redis.Steps()}, {"RabbitMQ", rabbitmq.Steps()}, {"HTTP API", httpapi.Steps()},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| the error holds | cause | next step |\n|---|---|---|\n", part.title)
		for _, s := range part.steps {
			if strings.HasPrefix(s.Next, "{refused}") {
				s.Next = "if the host is yours to load, say so with --allow-target HOST"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", cell(s.Sign), cell(s.Cause), cell(s.Next))
		}
	}
	return b.String()
}

// cell keeps a text from ending its cell.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ", "{host}", "HOST:PORT", "%3A", "%3A").Replace(s)
}
