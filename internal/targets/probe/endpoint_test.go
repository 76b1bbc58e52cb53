package probe

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets"
)

func endpointFor(t *testing.T, raw string) *endpoint {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	e := newEndpoint(u, nil)
	t.Cleanup(e.close)
	return e
}

func TestNoRedirectToAnotherHostIsFollowed(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached = true
		fmt.Fprintln(w, "process_open_fds 1")
	}))
	defer other.Close()
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL+"/metrics", http.StatusFound)
		case "/near":
			http.Redirect(w, r, "/metrics", http.StatusFound)
		default:
			fmt.Fprintln(w, "process_open_fds 7")
		}
	}))
	defer first.Close()
	names := map[string]bool{"process_open_fds": true}
	_, err := endpointFor(t, strings.Replace(first.URL, "http://", "http://user:hidden@", 1)+"/away").scrape(t.Context(), names)
	if !errors.Is(err, errRedirect) || reached || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v, reached: %v", err, reached)
	}
	f, err := endpointFor(t, first.URL+"/near").scrape(t.Context(), names)
	if v, _ := f.sum("process_open_fds", nil); err != nil || v != 7 {
		t.Errorf("got %g, %v", v, err)
	}
}

func TestAnAnswerIsBoundedAndOnlyWhatIsAskedForIsKept(t *testing.T) {
	var length int
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for n := 0; n < length; {
			k, _ := fmt.Fprintf(w, "of_no_interest{n=\"%d\"} 1\n", n)
			n += k
		}
		fmt.Fprint(w, "# TYPE gc summary\ngc_sum 2.5\ngc_count 3\n{\"quoted\",a=\"b\"} 4\n")
	}))
	defer s.Close()
	names := map[string]bool{"gc": true, "quoted": true}
	length = maxAnswer / 2
	f, err := endpointFor(t, s.URL).scrape(t.Context(), names)
	if err != nil || len(f) != 2 {
		t.Fatalf("got %d families, %v", len(f), err)
	}
	if v, _ := f.sum("gc", nil); v != 2.5 {
		t.Errorf("the summary's sum is %g", v)
	}
	length = maxAnswer
	if _, err := endpointFor(t, s.URL).scrape(t.Context(), names); !errors.Is(err, errTooLong) {
		t.Errorf("got %v", err)
	}
}

func TestTheBrokersPasswordStaysWithTheBroker(t *testing.T) {
	for _, c := range []struct {
		management string
		want       string // user:password, "" for none
	}{
		{"http://localhost:15672", "app:hidden"}, // this machine has several names
		{"http://mq.invalid:15672", ""},
		{"http://reader:own@mq.invalid:15672", "reader:own"},
	} {
		u, _ := url.Parse(c.management)
		broker, _ := url.Parse("amqp://app:hidden@127.0.0.1:5672/")
		r := NewRabbitMQ(Target{Address: targets.Address{Kind: targets.RabbitMQ, URL: broker}, Metrics: metrics.NewRegistry([]string{"all"})}, nil, u)
		if got := r.(*rabbitMQReader).management.url.User.String(); got != c.want {
			t.Errorf("%s gets %q, want %q", c.management, got, c.want)
		}
	}
}

// An arrival's processor is never waited for, and never taken by a long answer.
func TestAnAnswerIsUnderstoodAsideAndWaitedForOutside(t *testing.T) {
	var inside atomic.Bool
	times := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if inside.Load() {
			t.Error("a server is waited for where no arrival may wait")
		}
		fmt.Fprintln(w, "process_open_fds 7")
	}))
	defer s.Close()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	set := NewSet(slog.New(slog.DiscardHandler))
	set.AddScrapes(t.Context(), []Scrape{{Name: "app", URL: u}}, metrics.NewRegistry(nil))
	defer set.Close(t.Context())
	set.Through(func(f func()) {
		inside.Store(true)
		f()
		inside.Store(false)
		times++
	})
	for _, r := range set.readers {
		set.read(t.Context(), r, 0)
	}
	if times != 1 {
		t.Errorf("%d answers were understood aside, want 1", times)
	}
}
