package httpapi

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// Proxies returns which proxy a URL is requested through, as the variables of the
// environment say (HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in capitals or not), which
// setting reads. A nil URL is none; loopback addresses never have one.
func Proxies(setting func(name string) (string, bool)) func(*url.URL) (*url.URL, error) {
	get := func(names ...string) string {
		for _, n := range names {
			if v, ok := setting(n); ok && v != "" {
				return v
			}
		}
		return ""
	}
	c := httpproxy.Config{
		HTTPProxy: get("HTTP_PROXY", "http_proxy"), HTTPSProxy: get("HTTPS_PROXY", "https_proxy"),
		NoProxy: get("NO_PROXY", "no_proxy"),
	}
	return c.ProxyFunc()
}

// through returns the address to dial for a host, and the proxy that listens there,
// if any.
func (d *direct) through(h *host) (addr string, proxy *url.URL, err error) {
	if d.proxy == nil {
		return h.dialAddr(), nil, nil
	}
	proxy, err = d.proxy(&url.URL{Scheme: h.scheme, Host: h.addr})
	if err != nil || proxy == nil {
		return h.dialAddr(), nil, err
	}
	port := proxy.Port()
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(proxy.Hostname(), port), proxy, nil
}

// tunnel asks a proxy to connect to a host (RFC 9110, 9.3.6).
func tunnel(ctx context.Context, c net.Conn, h *host, proxy *url.URL) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
		defer func() { _ = c.SetDeadline(time.Time{}) }()
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: h.dialAddr()}, Host: h.dialAddr(), Header: http.Header{}}
	if auth := authorization(proxy); auth != "" {
		req.Header.Set("Proxy-Authorization", auth)
	}
	if err := req.Write(c); err != nil {
		return err
	}
	// A server speaks first in no protocol that follows, so nothing is read ahead.
	resp, err := http.ReadResponse(bufio.NewReaderSize(c, 1), req)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoProxy, err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: it answered %s", errNoProxy, resp.Status)
	}
	return nil
}

func authorization(proxy *url.URL) string {
	if proxy == nil || proxy.User == nil {
		return ""
	}
	password, _ := proxy.User.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password))
}
