package flow

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/request"
)

// site is a web site with all that is awkward; other is one elsewhere.
func site(t testing.TB) (url, other string) {
	t.Helper()
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"path":%q,"auth":%q}`, r.URL.Path, r.Header.Get("Authorization"))
	}))
	t.Cleanup(away.Close)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/login":
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s-" + r.URL.Query().Get("u"), Path: "/", HttpOnly: true})
			http.SetCookie(w, &http.Cookie{Name: "csrf", Value: "c-def", Path: "/"})
			http.Redirect(w, r, "/home", http.StatusFound)
		case "/home":
			sid, err := r.Cookie("sid")
			if csrf, bad := r.Cookie("csrf"); err != nil || bad != nil || csrf.Value != "c-def" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = fmt.Fprintf(w, `{"method":%q,"sid":%q,"cookies":%q}`, r.Method, sid.Value, r.Header.Get("Cookie"))
		case "/private":
			http.Redirect(w, r, "/loginpage?next=s3cret", http.StatusFound)
		case "/again":
			http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
		case "/away":
			http.Redirect(w, r, away.URL+"/there", http.StatusFound)
		case "/far":
			http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusFound)
		case "/packed":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, `{"ok":true}`)
			_ = z.Close()
		case "/echo":
			_ = r.ParseMultipartForm(1 << 20)
			if r.MultipartForm != nil {
				for name, list := range r.MultipartForm.File {
					f, _ := list[0].Open()
					b, _ := io.ReadAll(f)
					_ = f.Close()
					_, _ = fmt.Fprintf(w, "file %s %s %s %s\n", name, list[0].Filename, list[0].Header.Get("Content-Type"), b)
				}
			}
			for _, name := range []string{"a", "b c"} {
				_, _ = fmt.Fprintf(w, "%s=%s\n", name, r.PostForm.Get(name))
			}
			if r.MultipartForm == nil {
				b, _ := io.ReadAll(r.Body)
				_, _ = fmt.Fprintf(w, "body %s %s", r.Header.Get("Content-Type"), b)
			}
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, away.URL
}

func TestCookiesAreThoseOfTheirArrival(t *testing.T) {
	url, _ := site(t)
	s := resolve(t, map[string]string{"API_BASE_URL": url})
	tr := begin(t, s, `
steps:
  - if: n % 2 == 0
    then:
      - http: {path: "/login?u={{n}}"}
        check: {status: 302, cookie sid: "s-{{n}}", cookie none present: false}
        capture: {sid: cookie sid}
      - name: home
        http: {path: /home, headers: {Cookie: "csrf=c-def; own=1"}}
        check: {json sid: "{{sid}}", json cookies: "csrf=c-def; own=1; sid={{sid}}"}
    else:
      - name: stranger
        http: {path: /home}
        check: {status: 401}
`)
	tr.offer(t.Context(), 100)
	if len(tr.failed) > 0 || tr.count("home") != 50 || tr.count("stranger") != 50 {
		t.Errorf("failures %v: %v", tr.failed, tr.first)
	}
	// Those of the set-up hold for every arrival.
	all := begin(t, s, `
setup: [{http: {path: "/login?u=all"}, check: {status: 302}}]
steps: [{name: home, http: {path: /home}, check: {json sid: s-all}}]
`)
	all.offer(t.Context(), 20)
	if len(all.failed) > 0 {
		t.Errorf("failures %v: %v", all.failed, all.first)
	}
	none := begin(t, s, `
steps:
  - http: {path: "/login?u=1"}
    check: {status: 302}
  - http: {path: /home}
`, "cookies=none")
	none.offer(t.Context(), 4)
	if none.failed["status_4xx"] != 4 {
		t.Errorf("without cookies: failures %v", none.failed)
	}
}

func TestARedirectIsNoSuccessUnlessItIsFollowed(t *testing.T) {
	url, other := site(t)
	s := resolve(t, map[string]string{"API_BASE_URL": url})
	plain := begin(t, s, "steps: [{http: {path: /private}}]")
	plain.offer(t.Context(), 1)
	if text := fmt.Sprint(plain.first); plain.failed["status_3xx"] != 1 || !strings.Contains(text, "to /loginpage,") || !strings.Contains(text, "redirects=5") {
		t.Errorf("failures %v: %v", plain.failed, plain.first)
	}
	tr := begin(t, s, `
steps:
  - name: login
    http: {method: POST, path: "/login?u=me", headers: {Content-Type: text/plain}, body: x}
    check: {json method: GET, json sid: s-me, cookie sid: s-me}
  - name: away
    http: {path: /away, headers: {Authorization: Bearer s3cret}}
    check: {json path: /there, json auth: ""}
`, "redirects=3")
	tr.offer(t.Context(), 10)
	if len(tr.failed) > 0 {
		t.Errorf("failures %v: %v", tr.failed, tr.first)
	}
	if reqs, hops := count(tr, metrics.Selector{Name: "http_reqs"}), count(tr, metrics.Selector{Name: "http_redirects", Tags: metrics.Tags{Operation: "login"}}); reqs != 40 || hops != 10 {
		t.Errorf("%d requests, %d redirects of login", reqs, hops)
	}
	for path, want := range map[string]string{"/again": "more than 3", "/far": "refusing to load"} {
		bad := begin(t, s, "steps: [{http: {path: "+path+"}}]", "redirects=3")
		bad.offer(t.Context(), 1)
		if bad.failed[request.KindRedirect] != 1 || !strings.Contains(fmt.Sprint(bad.first), want) {
			t.Errorf("%s: failures %v (%v)", path, bad.failed, bad.first)
		}
	}
	// Other servers: by name, by address, or not at all.
	named := begin(t, s, `
steps:
  - http: {endpoint: other, path: /x}
    check: {json path: /v1/x}
  - http: {path: "`+other+`/y?z=a b"}
    check: {json path: /y}
`, "endpoints=other: "+other+"/v1")
	named.offer(t.Context(), 3)
	if len(named.failed) > 0 {
		t.Errorf("failures %v: %v", named.failed, named.first)
	}
	for text, want := range map[string]string{
		"steps: [{http: {endpoint: nobody, path: /}}]":         `there is no endpoint "nobody"`,
		"steps: [{http: {path: 'http://elsewhere.invalid/'}}]": "refusing to load",
	} {
		bad, err := newTrial(t, s, text)
		if err != nil {
			t.Fatal(err)
		}
		if err := bad.Setup(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", text, err)
		}
		_ = bad.Close(t.Context())
	}
	if bad, err := newTrial(t, s, "steps: [{http: {path: /}}]", "endpoints=far: http://elsewhere.invalid"); err != nil {
		t.Fatal(err)
	} else if err := bad.Setup(t.Context()); err == nil || !strings.Contains(err.Error(), "endpoint far") {
		t.Errorf("an endpoint that the guard refuses: %v", err)
	} else {
		_ = bad.Close(t.Context())
	}
}

func TestBodiesOfEveryForm(t *testing.T) {
	url, _ := site(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "photo.bin")
	if err := os.WriteFile(path, []byte("{{n}}\x00raw"), 0o600); err != nil {
		t.Fatal(err)
	}
	tr := begin(t, resolve(t, map[string]string{"API_BASE_URL": url}), strings.ReplaceAll(`
vars: {odd: 'x & "y"=z'}
steps:
  - http: {path: /packed, headers: {Accept-Encoding: gzip}}
    check: {json ok: true}
  - http: {method: POST, path: /echo, form: {a: "1 {{odd}}", "b c": "+"}}
    check: {body contains: "a=1 {{odd}}\nb c=+\n"}
  - http: {method: POST, path: /echo, body_file: PATH, headers: {Content-Type: image/x}}
    check: {body contains: "body image/x {"}
  - http:
      method: POST
      path: /echo
      multipart:
        a: "{{odd}}"
        doc: {file: PATH, filename: '{{n}}"é.bin', type: image/png}
        raw: {file: PATH}
        "b c": {value: "5", type: text/plain}
    check: {body contains: "a={{odd}}\nb c=5\n"}
    capture: {all: body}
  - if: all contains "file doc "+string(n)+"%22é.bin image/png {" && all contains "file raw photo.bin application/octet-stream {"
    then: [{name: whole, http: {path: /echo}}]
`, "PATH", path))
	tr.offer(t.Context(), 12)
	if len(tr.failed) > 0 || tr.count("whole") != 12 {
		t.Errorf("%d of 12 came whole, failures %v: %v", tr.count("whole"), tr.failed, tr.first)
	}
}

func TestEventsOfAStream(t *testing.T) {
	var gone atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/plain" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		if r.Method == http.MethodHead {
			return
		}
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		if r.Header.Get("Accept") != "text/event-stream" {
			w.WriteHeader(http.StatusNotAcceptable)
		}
		for i := range 5 {
			_, _ = fmt.Fprintf(w, "event: token\ndata: {\"i\":%d,\"done\":%t}\n\n", i, i == 3)
			w.(http.Flusher).Flush()
		}
		if r.URL.Path == "/endless" {
			<-r.Context().Done()
			gone.Add(1)
			return
		}
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}))
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetHTTP1(true)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	defer srv.Close()
	s := resolve(t, map[string]string{"API_BASE_URL": srv.URL})
	for _, version := range []string{"1.1", "2"} {
		tr := begin(t, s, `
steps:
  - name: until
    http: {path: /endless, events: {until: {property event: token, json done: true}}}
    check: {events: 4, json i: 3}
  - name: all
    http: {path: /all, events: {}}
    check: {events: 6, body: "[DONE]"}
  - name: few
    http: {path: /endless, events: {max: 2}}
    check: {events: 2, json i: 1}
`, "http_version="+version)
		tr.offer(t.Context(), 10)
		if len(tr.failed) > 0 {
			t.Fatalf("failures %v: %v", tr.failed, tr.first)
		}
		if n := count(tr, metrics.Selector{Name: "http_events"}); n != 120 {
			t.Errorf("%d events, want 120", n)
		}
		for name, want := range map[string]int64{"http_first_event": 10, "http_event_gap": 30, "http_req_duration": 10} {
			h := tr.totals().Trend(metrics.Selector{Name: name, Tags: metrics.Tags{Operation: "until"}})
			if h == nil || h.N != want || name == "http_first_event" && time.Duration(h.Max) > time.Minute {
				t.Errorf("%s of until holds %+v, want %d", name, h, want)
			}
		}
	}
	for text, want := range map[string]work.Kind{
		"{path: /all, events: {until: {json done: maybe}}}": answer.KindCheck,
		"{path: /plain, events: {}}":                        "status_4xx",
	} {
		bad := begin(t, s, "steps: [{http: "+text+"}]")
		bad.offer(t.Context(), 1)
		if bad.failed[want] != 1 {
			t.Errorf("%s: failures %v (%v)", text, bad.failed, bad.first)
		}
	}
}
