package request

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

func fields(vars ...string) *template.Fields {
	n := &template.Names{}
	for _, v := range vars {
		n.Declare(v)
	}
	return &template.Fields{Names: n, Arrivals: &template.Arrivals{}}
}

func TestAPathIsBelowTheAddress(t *testing.T) {
	var seen string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Host + r.URL.RequestURI() }))
	defer srv.Close()
	base, err := url.Parse(srv.URL + "/api/v1/")
	if err != nil {
		t.Fatal(err)
	}
	for where, want := range map[string]string{
		"/tasks/7?x=1":                "/api/v1/tasks/7?x=1",
		srv.URL + "/api/v1/tasks/7":   "/api/v1/tasks/7", // as a server's Location
		"/a%2Fb":                      "/api/v1/a%2Fb",
		"http://elsewhere.test/tasks": "",
		"tasks":                       "",
		"/with space":                 "/api/v1/with%20space",
	} {
		r, err := New(fields("where"), "GET", "/x", nil, "")
		if err != nil {
			t.Fatal(err)
		}
		r.address = true
		if r.path, err = fields("where").Compile("{{where}}"); err != nil {
			t.Fatal(err)
		}
		if err := r.Bind(t.Context(), &Origins{Base: base}); err != nil {
			t.Fatal(err)
		}
		client := httpapi.New(httpapi.Options{Connections: 1, Timeout: 5 * time.Second})
		s := &template.Scope{Arrival: &work.Arrival{}, Vars: make([]template.Value, 1)}
		s.Vars[0].Set(template.String, []byte(where))
		seen = ""
		_, err = r.Send(t.Context(), &Sender{Exchange: httpapi.NewExchange(client, work.NewClock())}, s, false)
		client.CloseIdleConnections()
		switch {
		case want == "" && work.KindOf(err) != KindTemplate:
			t.Errorf("%s: got %v, want a failure of kind %s", where, err, KindTemplate)
		case want != "" && (err != nil || seen != base.Host+want):
			t.Errorf("%s: the server saw %s (%v), want %s", where, seen, err, want)
		}
	}
}

func TestABodyThatIsToBeJSONIsTriedBeforehand(t *testing.T) {
	header := [][2]string{{"Content-Type", "application/json"}}
	s := &template.Scope{Arrival: &work.Arrival{}, Vars: make([]template.Value, 1)}
	for body, wrong := range map[string]bool{
		`{"n":{{n}}}`: false, `{"n":{{n}}`: true, `{"n":{{uuid}}}`: true, "": false,
		`{"later":{{later}}}`: false, // not known before an arrival captures it
	} {
		r, err := New(fields("later"), "POST", "/", header, body)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.SampleJSON(s); (err != nil) != wrong {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

func TestRequestsThatCannotBeAreRefused(t *testing.T) {
	for path, want := range map[string]string{"tasks": "does not begin with /", "/%zz": "must be followed by two hex", "/{{nope}}": "is no field"} {
		if _, err := New(fields(), "GET", path, nil, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}
