package stream

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// The variables of OpenTelemetry that set up the exporter's client; those of metrics
// alone come before those of all signals ("OpenTelemetry Protocol Exporter").
const (
	exporterVariables = "OTEL_EXPORTER_OTLP_"
	metricsVariables  = "OTEL_EXPORTER_OTLP_METRICS_"
)

// exportTimeout bounds an export where nobody says.
const exportTimeout = 10 * time.Second

// receiverClient is what exports go over: no proxy is used, and each connection is
// opened by Dial. An exporter that is handed a client leaves its certificates and its
// timeout alone, so they are read here.
func (o Opener) receiverClient() (*http.Client, error) {
	timeout := exportTimeout
	if v := o.exporterVariable("TIMEOUT"); v != "" {
		ms, err := strconv.ParseUint(v, 10, 31)
		if err != nil || ms == 0 {
			return nil, fmt.Errorf("%sTIMEOUT=%q: want milliseconds, as in 10000", exporterVariables, v)
		}
		timeout = time.Duration(ms) * time.Millisecond
	}
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca := o.exporterVariable("CERTIFICATE"); ca != "" {
		pem, err := os.ReadFile(ca) //nolint:forbidigo // an authority is named by its file
		if err != nil {
			return nil, fmt.Errorf("read the receiver's authority: %w", err)
		}
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM form", ca)
		}
	}
	if cert, key := o.exporterVariable("CLIENT_CERTIFICATE"), o.exporterVariable("CLIENT_KEY"); cert != "" && key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("read the certificate for the receiver: %w", err)
		}
		secure.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Timeout: timeout, Transport: &http.Transport{
		DialContext: o.Dial, TLSClientConfig: secure, ForceAttemptHTTP2: true, MaxIdleConns: 1, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: exportTimeout,
	}}, nil
}

func (o Opener) exporterVariable(name string) string {
	for _, prefix := range []string{metricsVariables, exporterVariables} {
		if v, ok := o.LookupEnv(prefix + name); ok && v != "" {
			return v
		}
	}
	return ""
}

// Receiver returns where a stream sends figures to over the network; nil for one that
// sends none, or whose address is no URL: opening it says what is wrong.
func Receiver(d Destination, lookup func(name string) (string, bool)) *url.URL {
	if d.Format != "otlp" {
		return nil
	}
	where := d.Where
	if where == OTLPEnv {
		where = cmp.Or(Opener{LookupEnv: lookup}.exporterVariable("ENDPOINT"), "http://localhost:4318")
	}
	u, err := url.Parse(where)
	if err != nil || u.Host == "" {
		return nil
	}
	return u
}

// tellOfProxy says that a proxy of the environment is not used for a receiver.
func (o Opener) tellOfProxy(where string) {
	if where == OTLPEnv {
		where = o.exporterVariable("ENDPOINT")
	}
	u, err := url.Parse(where)
	if err != nil {
		return
	}
	get := func(names ...string) string {
		for _, n := range names {
			if v, ok := o.LookupEnv(n); ok && v != "" {
				return v
			}
		}
		return ""
	}
	c := httpproxy.Config{HTTPProxy: get("HTTP_PROXY", "http_proxy"), HTTPSProxy: get("HTTPS_PROXY", "https_proxy"), NoProxy: get("NO_PROXY", "no_proxy")}
	if proxy, err := c.ProxyFunc()(u); err == nil && proxy != nil {
		o.Log.Warn("HTTP_PROXY is ignored: figures go to the receiver itself", "out", "otlp")
	}
}
