package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// maxAnswer bounds what is read of an endpoint, in bytes.
const maxAnswer = 32 << 20

// endpoint is an HTTP address that is read again and again.
type endpoint struct {
	client http.Client
	url    *url.URL
}

func newEndpoint(u *url.URL) *endpoint {
	return &endpoint{url: u, client: http.Client{Timeout: timeout, Transport: &http.Transport{
		MaxIdleConns: 1, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: timeout,
	}}}
}

// get hands the body of the answer to read.
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
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers with status %s", u.Path, resp.Status)
	}
	return read(io.LimitReader(resp.Body, maxAnswer))
}

func (e *endpoint) close() { e.client.CloseIdleConnections() }

// families are metrics by name.
type families map[string]*dto.MetricFamily

// scrape reads an endpoint in Prometheus's text format.
func (e *endpoint) scrape(ctx context.Context) (families, error) {
	var out families
	err := e.get(ctx, "", func(r io.Reader) error {
		p := expfmt.NewTextParser(model.UTF8Validation)
		var err error
		out, err = p.TextToMetricFamilies(r)
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
