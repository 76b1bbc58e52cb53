package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/perfctl/perfctl/internal/targets"
)

// maxAnswer bounds what is read of an endpoint, in bytes.
const maxAnswer = 4 << 20

// maxRedirects is how often an endpoint may send a reading on, within its host.
const maxRedirects = 3

var (
	errTooLong  = fmt.Errorf("it answers with more than %d MiB", maxAnswer>>20)
	errRedirect = errors.New("it redirects to another host, which is not followed")
)

// endpoint is an HTTP address that is read again and again.
type endpoint struct {
	client http.Client
	url    *url.URL
	answer bytes.Buffer // the last one, as long as it was waited for
}

// newEndpoint makes an endpoint; reach says which addresses may be connected to. It
// uses no proxy.
func newEndpoint(u *url.URL, reach func(host string, ip netip.Addr) error) *endpoint {
	return &endpoint{url: u, client: http.Client{Timeout: timeout, CheckRedirect: sameHost, Transport: &http.Transport{
		DialContext: targets.Dialer(reach).DialContext, MaxIdleConns: 1, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: timeout,
	}}}
}

// sameHost follows a redirect within one host alone: what the guard allowed is that
// host, and it alone gets the user and the password.
func sameHost(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if next.URL.Host != first.Host || next.URL.Scheme != first.Scheme && next.URL.Scheme != "https" {
		return errRedirect
	}
	if len(via) > maxRedirects {
		return errors.New("it redirects in a circle")
	}
	return nil
}

// bounded is an answer that is an error where it is longer than maxAnswer.
type bounded struct {
	from io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.from.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// get hands the body of the answer to read. One reading of an endpoint is made at a time.
func (e *endpoint) get(ctx context.Context, path string, read func(io.Reader) error) error {
	u := *e.url
	u.Path += path
	user := u.User
	u.User = nil
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	if user != nil {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	resp, err := e.client.Do(req)
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the address, which may hold a secret, is named already
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers with status %s", u.Path, resp.Status)
	}
	e.answer.Reset()
	if _, err := e.answer.ReadFrom(&bounded{resp.Body, maxAnswer + 1}); err != nil {
		return err
	}
	// Waiting is over: from here on it is work.
	aside(ctx, func() { err = read(&e.answer) })
	return err
}

func (e *endpoint) close() { e.client.CloseIdleConnections() }

// families are metrics by name.
type families map[string]*dto.MetricFamily

// scrape reads the metrics of those names from an endpoint in Prometheus's text
// format. What is not asked for is not parsed.
func (e *endpoint) scrape(ctx context.Context, names map[string]bool) (families, error) {
	var out families
	err := e.get(ctx, "", func(r io.Reader) error {
		wanted, err := linesOf(r, names)
		if err != nil {
			return err
		}
		p := expfmt.NewTextParser(model.UTF8Validation)
		out, err = p.TextToMetricFamilies(wanted)
		return err
	})
	return out, err
}

// sum returns a metric's value, summed over its series for which pick, where it is
// not nil, holds; of a summary or a histogram it is the sum of what was observed.
// ok is false where there is none.
func (f families) sum(name string, pick func(*dto.Metric) bool) (v float64, ok bool) {
	m := f[name]
	if m == nil {
		return 0, false
	}
	for _, x := range m.GetMetric() {
		if pick != nil && !pick(x) {
			continue
		}
		ok = true
		switch {
		case x.GetGauge() != nil:
			v += x.GetGauge().GetValue()
		case x.GetCounter() != nil:
			v += x.GetCounter().GetValue()
		case x.GetUntyped() != nil:
			v += x.GetUntyped().GetValue()
		case x.GetSummary() != nil:
			v += x.GetSummary().GetSampleSum()
		case x.GetHistogram() != nil:
			v += x.GetHistogram().GetSampleSum()
		}
	}
	return v, ok
}

// growing says whether a metric only ever grows.
func (f families) growing(name string) bool {
	return f[name] != nil && f[name].GetType() == dto.MetricType_COUNTER
}

// numbers reads the numbers of a JSON object by their paths, as in a.b; lists are
// left out.
func (e *endpoint) numbers(ctx context.Context, path string) (map[string]float64, error) {
	out := map[string]float64{}
	err := e.get(ctx, path, func(r io.Reader) error {
		var v any
		if err := json.NewDecoder(r).Decode(&v); err != nil {
			return err
		}
		if list, ok := v.([]any); ok && len(list) > 0 {
			for _, item := range list {
				flatten(out, "", item)
			}
			return nil
		}
		flatten(out, "", v)
		return nil
	})
	return out, err
}

// flatten adds the numbers and truth values of an object; those of several objects
// add up.
func flatten(out map[string]float64, at string, v any) {
	switch x := v.(type) {
	case map[string]any:
		for k, inner := range x {
			if at != "" {
				k = at + "." + k
			}
			flatten(out, k, inner)
		}
	case float64:
		out[at] += x
	case bool:
		if x {
			out[at]++
		} else {
			out[at] += 0
		}
	}
}
