package httpapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
)

// reachTimeout bounds the first question to an API, whatever a request may take.
const reachTimeout = 10 * time.Second

// Reach asks the address for anything: whatever status it answers with, it is there,
// unless it says that the port wants TLS. The error is a *targets.UnreachableError.
func (c *Client) Reach(ctx context.Context, addr targets.Address) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	status, _, err := c.ask(ctx, http.MethodHead, addr)
	if err == nil && status == http.StatusBadRequest && addr.URL.Scheme == "http" {
		var body []byte
		if _, body, err = c.ask(ctx, http.MethodGet, addr); err == nil && wantsTLS(body) {
			err = errWantsTLS
		}
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && !errors.Is(err, context.DeadlineExceeded) {
		err = context.Cause(ctx)
	}
	return explain(addr, err)
}

// ask sends a request and returns the begin of the answer's body.
func (c *Client) ask(ctx context.Context, method string, addr targets.Address) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, addr.URL.String(), nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, nil, err
	}
	body, _ = io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // what matters is that it answered
	return resp.StatusCode, body, resp.Body.Close()
}

// errWantsTLS is an answer in plain text of a port that speaks TLS.
var errWantsTLS = errors.New("the server answers that plain HTTP was sent to its port for HTTPS")

// wantsTLS looks for what Go's server, nginx, Apache and HAProxy answer then.
func wantsTLS(body []byte) bool {
	for _, s := range []string{"HTTP request to an HTTPS server", "plain HTTP request was sent to HTTPS port", "speaking plain HTTP to an SSL-enabled server port", "sent an HTTP request to HTTPS"} {
		if bytes.Contains(body, []byte(s)) {
			return true
		}
	}
	return false
}

const setURL = "API_BASE_URL"

var steps = append([]targets.Step{
	{Kind: targets.API, Sign: "connection refused", Cause: "nothing listens there", Next: "nothing listens there: start the API or set " + setURL,
		Match: func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }},
	{Kind: targets.API, Sign: errWantsTLS.Error(), Cause: "the port is for HTTPS", Next: "the port speaks TLS: use https:// in " + setURL,
		Match: func(err error) bool { return errors.Is(err, errWantsTLS) }},
	{Kind: targets.API, Sign: "server gave HTTP response to HTTPS client", Cause: "the port does not speak TLS", Next: "the port does not speak TLS: use http:// in " + setURL + ", or the TLS port",
		Match: func(err error) bool { return strings.Contains(err.Error(), "HTTP response to HTTPS client") }},
	{Kind: targets.API, Sign: "tls: no application protocol", Cause: "the server speaks no HTTP/2", Next: "the server speaks no HTTP/2: leave the setting http_version out",
		Match: func(err error) bool { return strings.Contains(err.Error(), "no application protocol") }},
	{Kind: targets.API, Sign: "the proxy does not connect", Cause: "the proxy does not open a way to the server", Next: "check the setting proxy, and what the proxy allows",
		Match: func(err error) bool { return errors.Is(err, errNoProxy) }},
}, append(targets.TLSSteps(targets.API, targets.TLSWords{
	Server: "the API", Plain: "use http:// in " + setURL + ", or the TLS port",
	CA:     "the setting tls_ca, as in --set api.tls_ca=FILE, or trust any with --set api.tls_insecure=true",
	Name:   "say which with the setting tls_server_name, as in --set api.tls_server_name=NAME",
	Client: "name it with the settings tls_cert and tls_key, as in --set api.tls_cert=FILE", Files: "the settings tls_ca, tls_cert and tls_key",
}), targets.Step{Kind: targets.API, Sign: "malformed HTTP response, EOF, connection reset", Cause: "something else listens on the port, or TLS does",
	Next: "something else than HTTP may listen there: check " + setURL + ", and use https:// there if the port is for TLS", Match: notHTTP})...)

// Steps returns what is known of the errors of an HTTP API.
func Steps() []targets.Step { return steps }

// notHTTP says whether an answer is none of HTTP's.
func notHTTP(err error) bool {
	text := err.Error()
	for _, s := range []string{"malformed HTTP", "unexpected EOF", "invalid header", "frame", "could not be established"} {
		if strings.Contains(text, s) {
			return true
		}
	}
	_, record := errors.AsType[tls.RecordHeaderError](err)
	return record || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || work.KindOf(err) == KindMalformed
}

func explain(addr targets.Address, err error) error {
	err = unwrapURL(err)
	if r, ok := errors.AsType[*targets.RefusedError](err); ok {
		return targets.Unreachable(addr, "connect", fmt.Errorf("%s: %s", r.Target, r.Reason), r.Next)
	}
	if strings.Contains(err.Error(), "TLS handshake timeout") { // net/http has no type for it
		err = targets.Handshake(context.DeadlineExceeded)
	}
	if errors.Is(err, context.DeadlineExceeded) && !isHandshake(err) {
		return targets.Unreachable(addr, "connect", err, "")
	}
	s, _ := targets.FindStep(steps, err)
	return targets.Unreachable(addr, "connect", err, s.Next)
}

func isHandshake(err error) bool {
	_, ok := errors.AsType[*targets.HandshakeError](err)
	return ok
}
