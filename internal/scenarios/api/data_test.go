package api

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/perfctl/perfctl/internal/engine/work"
)

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const people = "email,password\nada@x.test,hush-one\nbob@x.test,hush-two\neve@x.test,hush-three\ndan@x.test,hush-four\n"

// heard is a server that notes bodies and says them back with a status.
func heard(t *testing.T, status int) (url string, bodies func() map[string]int) {
	t.Helper()
	var mu sync.Mutex
	seen := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(status)
		_, _ = w.Write(body)
		if r.Method == http.MethodPost {
			mu.Lock()
			seen[r.URL.RequestURI()+" "+string(body)]++
			mu.Unlock()
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func() map[string]int { mu.Lock(); defer mu.Unlock(); return seen }
}

func TestEachRowOfAFileIsSentOnceOverAllShards(t *testing.T) {
	url, bodies := heard(t, http.StatusOK)
	rows := file(t, "people.csv", people)
	requests := filepath.Join(filepath.Dir(rows), "requests.yaml")
	if err := os.WriteFile(requests, []byte("requests:\n  - {method: POST, path: /login, body: '{\"e\":\"{{data.email}}\"}'}\ndata: {file: people.csv, order: unique}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for shard := range int64(4) {
		b := newBench(t, url, "requests="+requests)
		if err := b.Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
		for k := shard; ; k += 4 {
			a := &work.Arrival{K: k, N: k}
			if why := b.Spent(a); why != "" {
				if !strings.Contains(why, "the 4 rows of") {
					t.Errorf("the stage ends because %s", why)
				}
				break
			}
			if err := b.Do(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, who := range []string{"ada", "bob", "eve", "dan"} {
		if n := bodies()[fmt.Sprintf(`/login {"e":"%s@x.test"}`, who)]; n != 1 {
			t.Errorf("%s was sent %d times: %v", who, n, bodies())
		}
	}
}

func TestRowsOfASettingAreUsedAndTheirSecretsAreNotSaid(t *testing.T) {
	url, bodies := heard(t, http.StatusBadRequest)
	b := newBench(t, url, "method=POST", "path=/in", "data="+file(t, "people.csv", people), `body={{data.email}} {{data.password}}`,
		"expect_status=400", "checks=body: {{data.email}}")
	if err := b.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := b.Do(t.Context(), &work.Arrival{K: 1, N: 1})
	if bodies()["/in bob@x.test hush-two"] != 1 {
		t.Errorf("the server heard %v", bodies())
	}
	if err == nil || strings.Contains(err.Error(), "hush-two") || !strings.Contains(err.Error(), "bob@x.test") {
		t.Errorf("the failure says %v", err)
	}
}

func TestAColumnThatIsNotThereIsRefused(t *testing.T) {
	rows := file(t, "people.csv", people)
	requests := filepath.Join(filepath.Dir(rows), "requests.yaml")
	if err := os.WriteFile(requests, []byte("data: {file: people.csv}\nrequests:\n  - {path: '/{{data.emial}}'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := validRequests(requests); err == nil || !strings.Contains(err.Error(), "did you mean {{data.email}}") {
		t.Errorf("got %v", err)
	}
}
