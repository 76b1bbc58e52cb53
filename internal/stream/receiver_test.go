package stream

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
)

func TestFiguresGoThroughNoProxyAndThatIsSaid(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	var said bytes.Buffer
	dialled := ""
	env := map[string]string{"HTTP_PROXY": "http://127.0.0.1:1"}
	o := Opener{
		LookupEnv: func(n string) (string, bool) { v, ok := env[n]; return v, ok },
		Log:       slog.New(slog.NewTextHandler(&said, nil)),
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = address
			return nil, errors.New("refused by the guard")
		},
	}
	_, err := o.Open(t.Context(), []Destination{{"otlp", "http://collector.invalid:4318"}})
	if !errors.Is(err, ErrReceiver) || !strings.Contains(err.Error(), "refused by the guard") || dialled != "collector.invalid:4318" {
		t.Errorf("%v, dialled %q", err, dialled)
	}
	if !strings.Contains(said.String(), "HTTP_PROXY is ignored") {
		t.Errorf("nothing is said of the proxy: %s", &said)
	}
}

func TestTheVariablesOfTheExporterAreRead(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem", "/nowhere/ca.pem"},
		{"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "soon", "milliseconds"},
	} {
		o := Opener{LookupEnv: func(n string) (string, bool) { return c.value, n == c.name }}
		if _, err := o.receiverClient(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	o := Opener{LookupEnv: func(n string) (string, bool) { return "2500", n == "OTEL_EXPORTER_OTLP_TIMEOUT" }}
	if c, err := o.receiverClient(); err != nil || c.Timeout.Milliseconds() != 2500 {
		t.Errorf("%v, %v", c, err)
	}
}
