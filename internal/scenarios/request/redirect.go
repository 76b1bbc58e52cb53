package request

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/perfctl/perfctl/internal/engine/work"
)

// chain sends a request, and those that redirects ask for.
func (x *Sender) chain(ctx context.Context, o *Origins, req *http.Request, body []byte, keep bool) (*http.Response, []byte, error) {
	for hop := 0; ; hop++ {
		resp, kept, err := x.Send(ctx, x.sign(req), body, keep)
		if err != nil {
			return nil, nil, err
		}
		x.keep(req.URL, resp)
		to := resp.Header.Get("Location")
		if x.Redirects == 0 || to == "" || !redirects(resp.StatusCode) {
			return resp, kept, nil
		}
		if hop == x.Redirects {
			return nil, nil, work.Fail(KindRedirect, fmt.Errorf("more than %d redirects follow one another", x.Redirects))
		}
		if x.Phases != nil {
			x.Phases.Redirected(x.Stage, x.Exchange)
		}
		if req, body, err = follow(ctx, o, req, body, resp.StatusCode, to); err != nil {
			return nil, nil, work.Fail(KindRedirect, err)
		}
	}
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// follow returns the request that a redirect asks for (RFC 9110, 15.4): GET without a
// body where the status does not keep the method. What is secret stays with the server
// that it is for.
func follow(ctx context.Context, o *Origins, req *http.Request, body []byte, status int, to string) (*http.Request, []byte, error) {
	ref, err := url.Parse(to)
	if err != nil {
		return nil, nil, errors.New("a redirect's Location is no address")
	}
	u := req.URL.ResolveReference(ref)
	h := req.Header
	if !same(u, req.URL) {
		if err := o.allowed(ctx, u); err != nil {
			return nil, nil, fmt.Errorf("a redirect leads elsewhere: %w", err)
		}
		h = h.Clone()
		for _, secret := range []string{"Authorization", "Cookie", "Host"} {
			h.Del(secret)
		}
	} else if u.User == nil {
		u.User = req.URL.User
	}
	method := req.Method
	if status == http.StatusSeeOther && method != http.MethodHead || status < http.StatusSeeOther && method == http.MethodPost {
		method, body = http.MethodGet, nil
		h = h.Clone()
		h.Del("Content-Type")
	}
	return newRequest(ctx, method, u, h), body, nil
}
