package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// A request may have a context that ends with it: its connection serves the next one.
func TestAContextThatEndsWithItsRequestEndsNoOther(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	c := New(Options{Connections: 4, Timeout: time.Minute})
	defer c.CloseIdleConnections()
	x := NewExchange(c, work.NewClock())
	for i := range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = x.Send(ctx, req, nil, false); err != nil { //nolint:bodyclose // Send closed it
			t.Fatalf("request %d: %v", i, err)
		}
		cancel()
	}
	if n := c.Dials(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}
