package terminal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestEveryMessageIsARecord(t *testing.T) {
	var b strings.Builder
	w := Records(&b)
	fmt.Fprintf(w, "error: %s\n", "no such file\n  next: perfctl run --help")
	fmt.Fprintln(w, "warning: two hosts")
	fmt.Fprint(w, "\n")
	fmt.Fprintln(w, "setting up api …")
	fmt.Fprintln(w, `{"time":"2026-01-02T15:04:05Z","level":"DEBUG","msg":"from the log"}`)
	want := [][3]string{{"ERROR", "no such file", "perfctl run --help"}, {"WARN", "two hosts"}, {"INFO", "setting up api …"}, {"DEBUG", "from the log"}}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d records, want %d:\n%s", len(lines), len(want), b.String())
	}
	for i, line := range lines {
		var got struct{ Time, Level, Msg, Next string }
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if got.Time == "" || [3]string{got.Level, got.Msg, got.Next} != want[i] {
			t.Errorf("record %d is %+v, want %q", i, got, want[i])
		}
	}
}
