package script

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// BenchmarkIteration is a script with one GET and one check, the server in the same
// process.
func BenchmarkIteration(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })} //nolint:gosec // of a test
	go func() { _ = srv.Serve(l) }()
	b.Cleanup(func() { _ = srv.Close() })
	file := filepath.Join(b.TempDir(), "plain.js")
	if err := os.WriteFile(file, []byte(`import http from 'k6/http';
import { check } from 'k6';
const BASE_URL = __ENV.BASE_URL;
export const options = { vus: 1, iterations: 1 };
export default function () {
  const res = http.get(BASE_URL + '/');
  check(res, { 'status is 200': (r) => r.status === 200 });
}`), 0o600); err != nil {
		b.Fatal(err)
	}
	p, err := load(b, file, map[string]string{"BASE_URL": "http://" + l.Addr().String()})
	if err != nil {
		b.Fatal(err)
	}
	if err := p.s.Setup(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := p.s.run(b.Context(), &work.Arrival{Seed: 1, Due: p.s.env.Clock.Now()}, &p.s.loaded.Scenarios[0]); err != nil {
			b.Fatal(err)
		}
	}
}
