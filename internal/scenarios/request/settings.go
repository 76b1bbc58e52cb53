package request

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// The settings of TLS, by their names.
const (
	keyCA       = "tls_ca"
	keyCert     = "tls_cert"
	keyKey      = "tls_key"
	keyServer   = "tls_server_name"
	keyInsecure = "tls_insecure"
)

// The settings of what requests go over and where they go, by their names.
const (
	keyRedirects = "redirects"
	keyEndpoints = "endpoints"
	keyProxy     = "proxy"
	keySocket    = "unix_socket"
)

// The values of the setting proxy besides a URL.
const (
	proxyNone        = "none"
	proxyEnvironment = "environment"
)

// Settings are those of every scenario that sends the requests of a file, TLS included.
func Settings() []scenarios.Option {
	return append([]scenarios.Option{
		{Key: keyRedirects, Default: "0", Type: scenarios.Int{Min: 0, Max: 50}, Help: "number of redirects of a request that are followed; a redirect that is not followed is no success"},
		{Key: keyEndpoints, Type: scenarios.Text{Valid: validEndpoints}, Help: "other servers by their names, as in 'auth: http://localhost:9000 | files: http://localhost:9001'; a request names one as its endpoint"},
		{Key: keyProxy, Default: proxyNone, Type: scenarios.Text{Valid: validProxy}, Help: "none, a proxy's URL, or environment for HTTP_PROXY, HTTPS_PROXY and NO_PROXY"},
		{Key: keySocket, Type: scenarios.Text{}, Help: "Unix socket that requests go over, whatever the host of API_BASE_URL"},
	}, TLSSettings()...)
}

func validEndpoints(s string) error {
	_, err := ParseEndpoints(s)
	return err
}

func validProxy(s string) error {
	if s == proxyNone || s == proxyEnvironment {
		return nil
	}
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" || u.Host == "" {
		return errors.New("it is neither none nor environment nor a URL of the form http://host:port")
	}
	return nil
}

// ways are what requests go over.
func ways(v *scenarios.Values, at *targets.Settings) (proxy func(*url.URL) (*url.URL, error), err error) {
	switch s := v.Text(0, keyProxy); s {
	case proxyNone:
		return nil, nil
	case proxyEnvironment:
		return httpapi.Proxies(at.Setting), nil
	default:
		u, err := url.Parse(s)
		return func(*url.URL) (*url.URL, error) { return u, nil }, err
	}
}

// Client returns the client that the settings describe, with the origins that its
// requests may go to. timeout bounds a request.
func Client(e *scenarios.Env, o httpapi.Options) (*httpapi.Client, *Origins, error) {
	var err error
	if o.TLS, err = TLS(e.Values).Config(); err != nil {
		return nil, nil, err
	}
	if o.Proxy, err = ways(e.Values, e.Targets); err != nil {
		return nil, nil, err
	}
	o.Socket, o.Route = e.Values.Text(0, keySocket), e.Targets.API.Route
	named, err := ParseEndpoints(e.Values.Text(0, keyEndpoints))
	if err != nil {
		return nil, nil, err
	}
	g := targets.Guard{AllowTargets: e.Targets.Allowed}
	o.Guard = g.Reaches
	origins := &Origins{Base: e.Targets.API.URL, Named: named, Allow: func(ctx context.Context, u *url.URL) error { return g.CheckURL(ctx, "load", u) }}
	return httpapi.New(o), origins, nil
}

// Check asks the guard about the servers that the settings name, and logs a proxy
// of the environment that is not used.
func Check(ctx context.Context, e *scenarios.Env, o *Origins) error {
	if err := o.Check(ctx); err != nil {
		return err
	}
	proxy, err := ways(e.Values, e.Targets)
	if err != nil {
		return err
	}
	used := proxy != nil
	if !used {
		proxy = httpapi.Proxies(e.Targets.Setting)
	}
	u, err := proxy(o.Base)
	switch {
	case err != nil && used:
		return fmt.Errorf("%s.%s: %w", e.Scenario, keyProxy, err)
	case u == nil: // one that is not used need not be right
	case used:
		if err := (targets.Guard{AllowTargets: e.Targets.Allowed}).CheckURL(ctx, "send requests through", u); err != nil {
			return err
		}
	case e.Log != nil:
		e.Log.Warn("HTTP_PROXY is ignored: requests go to the server itself", "next", "--set "+e.Scenario+"."+keyProxy+"=environment uses it")
	}
	return nil
}

// Redirects returns how many redirects are followed.
func Redirects(v *scenarios.Values) int { return v.Int(0, keyRedirects) }

// TLSSettings are the settings of every scenario that sends requests.
func TLSSettings() []scenarios.Option {
	return []scenarios.Option{
		{Key: keyCA, Type: scenarios.Text{}, Help: "HTTPS: file of the certificates (PEM) to trust in place of the system's"},
		{Key: keyCert, Type: scenarios.Text{}, Help: "HTTPS: file of the client's own certificate (PEM), for a server that asks for one"},
		{Key: keyKey, Type: scenarios.Text{}, Help: "HTTPS: file of the key (PEM) of tls_cert"},
		{Key: keyServer, Type: scenarios.Text{}, Help: "HTTPS: name expected on the server's certificate, in place of the host's"},
		{Key: keyInsecure, Default: "false", Type: scenarios.Bool{}, Help: "HTTPS: trust any certificate; for test systems only"},
	}
}

// TLS returns what the settings say.
func TLS(v *scenarios.Values) httpapi.TLS {
	return httpapi.TLS{
		CA: v.Text(0, keyCA), Certificate: v.Text(0, keyCert), Key: v.Text(0, keyKey),
		ServerName: v.Text(0, keyServer), Insecure: v.Bool(0, keyInsecure),
	}
}
