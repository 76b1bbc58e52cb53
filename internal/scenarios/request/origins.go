package request

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
)

// Origins are the servers that requests may go to: the API, those that the settings
// name, and any other one that the guard lets be reached.
type Origins struct {
	// Base is API_BASE_URL, Named are the other ones by their names.
	Base  *url.URL
	Named map[string]*url.URL
	// Allow returns why a server may not be reached; nil refuses all.
	Allow func(ctx context.Context, u *url.URL) error

	known sync.Map // of scheme and host: an error, or nil
}

// ParseEndpoints reads NAME: URL | NAME: URL.
func ParseEndpoints(s string) (map[string]*url.URL, error) {
	out := map[string]*url.URL{}
	for i, item := range strings.Split(s, " | ") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		name, raw, ok := strings.Cut(item, ":")
		name = strings.TrimSpace(name)
		u, err := url.Parse(strings.TrimSpace(raw))
		if !ok || name == "" || strings.ContainsAny(name, " /\t") || err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			// What it holds may be a secret.
			return nil, fmt.Errorf("endpoint %d is not of the form NAME: http://host:port/path; several stand with \" | \" between them", i+1)
		}
		if out[name] != nil {
			return nil, fmt.Errorf("the endpoint %s is there twice", name)
		}
		out[name] = u
	}
	return out, nil
}

// of returns the address that a request is below.
func (o *Origins) of(name string) (*url.URL, error) {
	if name == "" {
		return o.Base, nil
	}
	if u := o.Named[name]; u != nil {
		return u, nil
	}
	return nil, fmt.Errorf("there is no endpoint %q: set it as in --set 'flow.endpoints=%s: http://localhost:9000'", name, name)
}

// Check returns why the servers that are named may not be reached.
func (o *Origins) Check(ctx context.Context) error {
	for name, u := range o.Named {
		if err := o.allowed(ctx, u); err != nil {
			return fmt.Errorf("endpoint %s: %w", name, err)
		}
	}
	return nil
}

// allowed returns why a URL may not be requested; nil where it may.
func (o *Origins) allowed(ctx context.Context, u *url.URL) error {
	if same(u, o.Base) {
		return nil
	}
	key := u.Scheme + "://" + u.Host
	if v, ok := o.known.Load(key); ok {
		err, _ := v.(error)
		return err
	}
	var err error
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		err = fmt.Errorf("%q is no address of a web server", key)
	case o.Allow == nil:
		err = fmt.Errorf("%s is not API_BASE_URL", key)
	default:
		err = o.Allow(ctx, u)
	}
	o.known.Store(key, err)
	return err
}

// same says whether two URLs are of one server.
func same(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }
