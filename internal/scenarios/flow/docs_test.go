package flow

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/targets"
)

// documented is the API of the examples in docs/flow.md.
func documented(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var sent map[string]any
	_ = json.Unmarshal(body, &sent)
	w.Header().Set("Content-Type", "application/json")
	answer := func(status int, v map[string]any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	path := strings.Split(r.URL.Path, "/")[1:]
	switch {
	case r.Method == http.MethodHead:
	case path[0] == "login" && string(body) == "user=perf&password=pw":
		answer(http.StatusOK, map[string]any{"token": "t0ken"})
	case path[0] == "orders" && r.Method == http.MethodPost && r.Header.Get("Authorization") == "Bearer t0ken":
		answer(http.StatusCreated, map[string]any{"id": sent["id"]})
	case path[0] == "orders" && len(path) > 1:
		answer(http.StatusOK, map[string]any{"id": path[1], "items": 3})
	case path[0] == "orders":
		w.WriteHeader(http.StatusNoContent)
	case path[0] == "echo":
		answer(http.StatusOK, map[string]any{"title": sent["title"], "query": map[string]any{"q": r.URL.Query().Get("q"), "b": r.URL.Query().Get("b")}})
	case path[0] == "jobs":
		turn, _ := strconv.Atoi(r.URL.Query().Get("turn"))
		answer(http.StatusOK, map[string]any{"state": map[bool]string{true: "done", false: "queued"}[turn >= 2]})
	case path[0] == "upload" && strings.Contains(string(body), "\x89PNG"):
		w.WriteHeader(http.StatusCreated)
	case path[0] == "events":
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 5 {
			_, _ = fmt.Fprintf(w, "event: token\ndata: {\"done\":%t}\n\n", i == 3)
		}
	default:
		w.WriteHeader(http.StatusTeapot)
	}
}

// Every example of the reference is a flow, and does what it says: those over HTTP
// always, those that need servers where there are some.
func TestTheExamplesOfTheReferenceAreExecuted(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "flow.md"))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(documented))
	defer srv.Close()
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(examples) < 9 {
		t.Fatalf("%d examples", len(examples))
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("photo.png", []byte("\x89PNG"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := resolve(t, map[string]string{"API_BASE_URL": srv.URL})
	for i, x := range examples {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			example := strings.ReplaceAll(x[1], "file: photo.png", "file: "+filepath.Join(mustWd(t), "photo.png"))
			p, err := blank().parse("flow.md", []byte(example))
			if err != nil {
				t.Fatalf("%v\n%s", err, example)
			}
			for _, k := range p.kinds {
				if k != targets.API {
					servers(t)
				}
			}
			tr := begin(t, s, example)
			tr.offer(t.Context(), 20)
			if len(tr.failed) > 0 {
				t.Errorf("failures %v: %v\n%s", tr.failed, tr.first, example)
			}
		})
	}
}

func mustWd(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
