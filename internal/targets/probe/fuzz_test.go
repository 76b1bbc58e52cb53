package probe

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// What a program publishes is read or refused, whatever it is.
func FuzzAnswers(f *testing.F) {
	var answer []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	f.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.5\n"))
	f.Add([]byte("jvm_memory_used_bytes{area=\"heap\",id=\"a\\\"b\"} NaN 1712\n"))
	f.Add([]byte("# HELP x \xff\n# TYPE go_gc_duration_seconds summary\ngo_gc_duration_seconds{quantile=\"0\"} 1e400\n"))
	f.Add([]byte(`[{"a":{"b":1e308}},{"a":{"b":1e308}}]`))
	names := map[string]bool{"process_cpu_seconds_total": true, "jvm_memory_used_bytes": true, "go_gc_duration_seconds": true}
	f.Fuzz(func(t *testing.T, text []byte) {
		answer = text
		e := newEndpoint(at, nil)
		defer e.close()
		got, err := e.scrape(t.Context(), names)
		if err == nil {
			for name := range got {
				if !names[name] {
					t.Fatalf("%q was held, which nobody asked for", name)
				}
			}
		}
		if _, err := e.numbers(t.Context(), ""); err == nil && len(text) == 0 {
			t.Fatal("an empty answer was taken for JSON")
		}
	})
}
