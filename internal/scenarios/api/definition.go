// Package api is the scenario of requests to an HTTP API. It holds no driver and
// no other scenario.
package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets"
)

// Definition returns the scenario's definition.
func Definition() scenarios.Definition {
	return scenarios.Definition{
		Name:    "api",
		Summary: "send an HTTP request to API_BASE_URL and read the whole answer; done when its body ended with a status that is expected",
		Targets: []targets.Kind{targets.API},
		Settings: []scenarios.Option{
			{Key: "method", Default: "GET", Type: scenarios.Enum{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, PerStage: true, Help: "method of the request"},
			{Key: "path", Default: "/", Type: scenarios.Text{Valid: validPath}, PerStage: true, Help: "path and query below API_BASE_URL"},
			{Key: "headers", Default: "", Type: scenarios.Text{Valid: validHeaders}, Help: "headers, as in 'Content-Type: application/json | X-Key: 1'"},
			{Key: "body", Default: "", Type: scenarios.Text{}, PerStage: true, Help: "body of the request"},
			{Key: "expect_status", Default: "200-399", Type: scenarios.Text{Valid: validStatus}, PerStage: true, Help: "statuses that are a success, as in 200, 2xx or 200-399"},
			{Key: "timeout", Default: "30s", Type: scenarios.Duration{Min: time.Millisecond, Max: 10 * time.Minute}, Help: "bound on a request, body included"},
			{Key: "http_version", Default: "1.1", Type: scenarios.Enum{"1.1", "2"}, Help: "HTTP version; 2 without TLS is by prior knowledge"},
			{Key: "reuse", Default: "true", Type: scenarios.Bool{}, Help: "keep connections open between requests"},
		},
		Metrics: []metrics.Desc{reqs, duration, blocked, connecting, handshaking, sending, waiting, receiving, dataSent, dataReceived, connections, retries},
		New:     func(e scenarios.Env) (scenarios.Scenario, error) { return newScenario(e), nil },
	}
}

var (
	reqs     = metrics.Desc{Name: "http_reqs", Kind: metrics.KindCounter, Unit: metrics.UnitCount, Help: "requests that were answered, whatever the status"}
	duration = metrics.Desc{Name: "http_req_duration", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "sending + waiting + receiving: from a connection in hand until the body ended; of requests with an expected status only, and so are the phases"}
	blocked = metrics.Desc{Name: "http_req_blocked", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from asking for a connection until it was in hand, opening it and its TLS handshake apart"}
	connecting = metrics.Desc{Name: "http_req_connecting", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "opening the TCP connection; 0 where one was reused"}
	handshaking = metrics.Desc{Name: "http_req_tls_handshaking", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "the TLS handshake; 0 where there was none"}
	sending = metrics.Desc{Name: "http_req_sending", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from a connection in hand until the request was written"}
	waiting = metrics.Desc{Name: "http_req_waiting", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from the request written until the first byte of the answer"}
	receiving = metrics.Desc{Name: "http_req_receiving", Kind: metrics.KindTrend, Unit: metrics.UnitTime,
		Help: "from the first byte of the answer until its body ended"}
	dataSent     = metrics.Desc{Name: "data_sent", Kind: metrics.KindCounter, Unit: metrics.UnitBytes, Help: "bytes written to connections, TLS included"}
	dataReceived = metrics.Desc{Name: "data_received", Kind: metrics.KindCounter, Unit: metrics.UnitBytes, Help: "bytes read from connections, TLS included"}
	connections  = metrics.Desc{Name: "http_connections", Kind: metrics.KindGauge, Unit: metrics.UnitCount, Help: "connections opened since the start"}
	retries      = metrics.Desc{Name: "http_retries", Kind: metrics.KindCounter, Unit: metrics.UnitCount,
		Help: "requests that net/http sent again by itself because a kept connection was found closed"}
)

func validPath(s string) error {
	if !strings.HasPrefix(s, "/") {
		return fmt.Errorf("%q does not begin with /", s)
	}
	_, err := http.NewRequest(http.MethodGet, "http://localhost"+s, nil) //nolint:noctx // only parsed
	return err
}

func validHeaders(s string) error {
	_, err := parseHeaders(s)
	return err
}

func parseHeaders(s string) (http.Header, error) {
	out := http.Header{}
	for item := range strings.SplitSeq(s, "|") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		name, value, ok := strings.Cut(item, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, fmt.Errorf("%q is not of the form Name: value", item)
		}
		out.Add(name, strings.TrimSpace(value))
	}
	return out, nil
}

// statusRange is which statuses are a success.
type statusRange struct{ from, to int }

func (r statusRange) holds(code int) bool { return code >= r.from && code <= r.to }

func validStatus(s string) error {
	_, err := parseStatus(s)
	return err
}

func parseStatus(s string) (statusRange, error) {
	bad := fmt.Errorf("%q is not a status such as 200, 2xx or 200-399", s)
	if len(s) == 3 && s[1:] == "xx" && s[0] >= '1' && s[0] <= '5' {
		from := int(s[0]-'0') * 100
		return statusRange{from, from + 99}, nil
	}
	a, b, ranged := strings.Cut(s, "-")
	if !ranged {
		b = a
	}
	from, err1 := strconv.Atoi(a)
	to, err2 := strconv.Atoi(b)
	if err1 != nil || err2 != nil || from < 100 || to > 599 || from > to {
		return statusRange{}, bad
	}
	return statusRange{from, to}, nil
}
