package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
)

func TestTheNameServersAnswerIsAPhaseOfTheRequestThatWaitedForIt(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	c := New(Options{Connections: 1, Timeout: 5 * time.Second, Fresh: true})
	defer c.CloseIdleConnections()
	x := NewExchange(c, work.NewClock())
	url := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	for i := range 2 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		a := &work.Arrival{Notes: &work.Notes{}}
		o := a.Begin("api", "get", 0)
		resp, _, err := x.Send(t.Context(), req, nil, false) //nolint:bodyclose // Send closed it
		if err != nil {
			t.Fatal(err)
		}
		x.Note(o, resp)
		if asked := i == 0; (o.Lookup > 0) != asked || o.Connect <= 0 {
			t.Errorf("request %d: look-up %v, connect %v", i, o.Lookup, o.Connect)
		}
	}
}
