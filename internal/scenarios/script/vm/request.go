package vm

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// target is an address as requests use it.
type target struct {
	u    *url.URL // without user and fragment
	user *url.Userinfo
	text string
}

// maxTargets bounds the addresses that a user remembers having read.
const maxTargets = 512

func (v *VM) target(text string) (*target, error) {
	if t := v.urls[text]; t != nil {
		return t, nil
	}
	t, err := parseTarget(text)
	if err == nil && len(v.urls) < maxTargets {
		v.urls[text] = t
	}
	return t, err
}

func parseTarget(text string) (*target, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	t := &target{u: u, user: u.User, text: text}
	u.User, u.Fragment = nil, ""
	u.RawQuery = strings.ReplaceAll(u.RawQuery, " ", "%20")
	if u.Path == "" {
		u.Path = "/"
	}
	return t, nil
}

// request is one request of a script, read.
type request struct {
	method  string
	to      *target
	name    string // the tag name, empty for none
	header  http.Header
	host    string
	body    []byte
	tags    map[string]string
	cookies []*http.Cookie
	replace map[string]bool
	jar     *cookiejar.Jar
	auth    string
	timeout time.Duration
	follow  int
	keep    kind
	expect  *statuses
}

// kind is what becomes of a body.
type kind int

const (
	keepText kind = iota
	keepBytes
	keepNone
)

// statuses are those that a request may be answered with; nil ranges for no
// judgement at all.
type statuses struct {
	ranges [][2]int
	none   bool
}

var usual = &statuses{ranges: [][2]int{{200, 399}}}

func (s *statuses) hold(status int) bool {
	for _, r := range s.ranges {
		if status >= r[0] && status <= r[1] {
			return true
		}
	}
	return false
}

// hop is one exchange: a request that is redirected has several.
type hop struct {
	method, url, proto string
	status             int
	header             http.Header
	sent               http.Header
	timings            httpapi.Timings
	err                error
}

// outcome is what became of a request.
type outcome struct {
	req  *request
	hops []hop
	one  [1]hop
	body []byte
}

func (o *outcome) last() *hop { return &o.hops[len(o.hops)-1] }

// sender sends requests, one at a time. It touches no runtime.
type sender struct {
	s *Script
	x *httpapi.Exchange
	// it is whose requests are noted; nil for none, as where several are under way.
	it *Iteration
}

// begin begins to note a request.
func (s *sender) begin(method string, at *url.URL) *work.Op {
	if s.it == nil || s.it.Arrival == nil || s.it.Arrival.Notes == nil {
		return nil
	}
	note := s.it.Arrival.Begin(string(targets.API), method, s.s.host.Clock.Now())
	note.Asks(method, at.Path)
	return note
}

// send sends a request and follows its redirects.
func (s *sender) send(ctx context.Context, r *request) *outcome {
	o := &outcome{req: r}
	o.hops = o.one[:0]
	if r.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.timeout)
		defer cancel()
	}
	at, method, body := r.to.u, r.method, r.body
	var credentials string
	for n := 0; ; n++ {
		h, got := s.exchange(ctx, r, method, at, body, credentials)
		o.hops = append(o.hops, h)
		if h.err != nil {
			return o
		}
		if h.status == http.StatusUnauthorized && r.auth == "digest" && credentials == "" {
			if credentials = digest(r, method, at, h.header.Values("Www-Authenticate")); credentials != "" {
				continue
			}
		}
		next := redirected(at, &h)
		if next == nil || n >= r.follow {
			o.keep(&o.hops[len(o.hops)-1], got)
			return o
		}
		if h.status != http.StatusTemporaryRedirect && h.status != http.StatusPermanentRedirect && method != http.MethodHead {
			if method != http.MethodGet {
				method, body = http.MethodGet, nil
			}
		}
		at = next
	}
}

// keep copies a body, unpacked, since the exchange's own is overwritten by the next.
func (o *outcome) keep(h *hop, body []byte) {
	if o.req.keep == keepNone || len(body) == 0 {
		return
	}
	if packed := h.header.Get("Content-Encoding"); packed != "" {
		plain, err := unpack(packed, body)
		if err != nil {
			h.err = err
			return
		}
		o.body = plain
		return
	}
	o.body = append([]byte(nil), body...)
}

// redirected is where an answer leads to, nil for nowhere.
func redirected(from *url.URL, h *hop) *url.URL {
	switch h.status {
	case 301, 302, 303, 307, 308:
	default:
		return nil
	}
	location := h.header.Get("Location")
	if location == "" {
		return nil
	}
	u, err := from.Parse(location)
	if err != nil {
		h.err = err
		return nil
	}
	u.Fragment = ""
	return u
}

// exchange sends one request and reads the answer.
func (s *sender) exchange(ctx context.Context, r *request, method string, at *url.URL, body []byte, credentials string) (hop, []byte) {
	req := &http.Request{Method: method, URL: at, Host: at.Host, Header: r.header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if r.host != "" && at == r.to.u {
		req.Host = r.host
	}
	cookies := s.cookies(r, at)
	if len(cookies) > 0 || credentials != "" || at != r.to.u || body == nil && r.body != nil || r.auth == "basic" {
		req.Header = r.header.Clone()
		for _, c := range cookies {
			req.AddCookie(c)
		}
		if body == nil && r.body != nil {
			req.Header.Del("Content-Type")
			req.Header.Del("Content-Encoding")
		}
		if at.Hostname() != r.to.u.Hostname() {
			req.Header.Del("Authorization")
		} else if r.to.user != nil && r.auth == "basic" {
			password, _ := r.to.user.Password()
			req.SetBasicAuth(r.to.user.Username(), password)
		}
		if credentials != "" {
			req.Header.Set("Authorization", credentials)
		}
	}
	h := hop{method: method, url: at.String(), sent: req.Header}
	if len(body) == 0 && (method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch) {
		req.Body = http.NoBody
	}
	note := s.begin(method, at)
	if parent := note.TraceParent(); parent != "" && req.Header.Get("Traceparent") == "" {
		if req.Header = req.Header.Clone(); req.Header == nil {
			req.Header = http.Header{}
		}
		req.Header.Set("Traceparent", parent)
	}
	resp, got, err := s.x.Send(ctx, req, body, r.keep != keepNone)
	if s.x.Note(note, resp); err != nil {
		note.Ended(s.s.host.Clock.Now(), err)
	}
	if err != nil {
		h.err = err
		return h, nil
	}
	_ = resp.Body.Close() // read to its end already
	h.status, h.header, h.proto, h.timings = resp.StatusCode, resp.Header, resp.Proto, s.x.Timings()
	if set := resp.Header["Set-Cookie"]; len(set) > 0 && r.jar != nil {
		r.jar.SetCookies(at, resp.Cookies())
	}
	return h, got
}

// cookies are those of the jar and the request's own.
func (s *sender) cookies(r *request, at *url.URL) []*http.Cookie {
	var out []*http.Cookie
	if r.jar != nil {
		out = r.jar.Cookies(at)
	}
	if len(r.cookies) == 0 {
		return out
	}
	kept := out[:0:0]
	for _, c := range out {
		if !r.replace[c.Name] {
			kept = append(kept, c)
		}
	}
	return append(kept, r.cookies...)
}
