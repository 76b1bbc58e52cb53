package tasks

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/template"
)

func TestIDIsAUUIDThatTellsRunAndNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		run, n := rapid.Uint64().Draw(t, "run"), rapid.Int64Range(0, 1<<61).Draw(t, "n")
		id := string(idText(nil, run, n))
		if got, ours := parseID(id, run); !ours || got != n {
			t.Fatalf("%s reads as %d, %v; want %d", id, got, ours, n)
		}
		if _, ours := parseID(id, run+1); ours {
			t.Fatalf("%s is of two runs", id)
		}
		if len(id) != idSize || id[14] != '4' || !strings.ContainsRune("89ab", rune(id[19])) {
			t.Fatalf("%s is no version 4 UUID", id)
		}
	})
}

func FuzzIDOfAnyTextIsHarmless(f *testing.F) {
	f.Add("")
	f.Add(string(idText(nil, 7, 3)))
	f.Fuzz(func(t *testing.T, text string) {
		if n, ours := parseID(text, 7); ours && !strings.EqualFold(string(idText(nil, 7, n)), text) {
			t.Errorf("%q was taken for task %d", text, n)
		}
	})
}

func TestBodyIsRenderedWithTheTasksOwnValues(t *testing.T) {
	b, err := compileBody(`{"id":"{{id}}","n":{{ n }},"r":{{random}},"p":{{priority}},"w":{{work_ms}},"due":{{due_ms}},"sent":{{sent_ms}},"run":"{{run}}","to":"{{reply_to}}","x":"{{fill}}"}`,
		bodyFields{&template.Arrivals{Run: "r1"}, "replies", 1000})
	if err != nil {
		t.Fatal(err)
	}
	at := time.UnixMilli(1_700_000_000_123)
	out, err := b.Append(nil, &bodyValues{scope: template.Scope{Arrival: &work.Arrival{K: 9, N: 4, Seed: 1}}, run: 7, work: 1500 * time.Microsecond, priority: 2, due: at, sent: at.Add(time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		ID        string
		N, P      int
		R         int64
		W         float64
		Due, Sent int64
		Run, To   string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	if n, ours := parseID(got.ID, 7); !ours || n != 4 || got.N != 4 || got.P != 2 || got.W != 1.5 || got.Run != "r1" || got.To != "replies" ||
		got.Due != 1_700_000_000_123 || got.Sent != got.Due+1000 || got.R <= 0 {
		t.Errorf("got %+v", got)
	}
	if len(out) < 950 || len(out) > 1050 {
		t.Errorf("%d bytes, want about 1000", len(out))
	}
}

func TestExternalSettingsThatCannotWorkAreRefused(t *testing.T) {
	on := func(pairs ...string) []scenarios.Override {
		out := []scenarios.Override{set(keyAgents, external)}
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, set(pairs[i], pairs[i+1]))
		}
		return out
	}
	for _, c := range []struct {
		over []scenarios.Override
		want string
	}{
		{on(), "tasks.routing_key: external agents need"},
		{on(keyRoutingKey, "q", keyReplyQueue, "q"), "would take them away"},
		{on(keyRoutingKey, "q", keyReplyQueue, "r", keyReplyExchange, "x"), "not both"},
		{on(keyRoutingKey, "q", keyBody, "task {{n}}"), "tasks.body: not JSON"},
		{[]scenarios.Override{set(keyRoutingKey, "q")}, "set tasks.agents=external"},
	} {
		if _, err := readConfig(values(t, 1, c.over...), 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.over, err, c.want)
		}
	}
	d := Definition()
	for _, c := range []struct{ key, value, want string }{
		{keyBody, "{{idd}}", `did you mean {{id}}?`},
		{keyBody, "{{id", "has no }}"},
		{keyReplyID, "body.", "body.FIELD"},
		{keyReplyID, "body.a..b", "body.FIELD"},
		{keyAgents, "many", "nor external"},
	} {
		_, errs := scenarios.NewValues(&d, 1, []scenarios.Override{set(c.key, c.value)})
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), c.want) {
			t.Errorf("%s=%s: got %v, want %q", c.key, c.value, errs, c.want)
		}
	}
}

// BenchmarkExternalBody renders a body and its id: what an arrival with
// external agents pays beside the driver.
func BenchmarkExternalBody(b *testing.B) {
	t, err := compileBody(defaultBody, bodyFields{&template.Arrivals{}, "q", 256})
	if err != nil {
		b.Fatal(err)
	}
	v := bodyValues{scope: template.Scope{Arrival: &work.Arrival{N: 123456}}, run: 7}
	var body []byte
	b.ReportAllocs()
	for b.Loop() {
		body, _ = t.Append(body[:0], &v)
	}
}
