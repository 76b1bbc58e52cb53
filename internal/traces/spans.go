package traces

import (
	"encoding/hex"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// request makes a batch's spans: one of each arrival, from due until done, and below it
// one of each operation. Names of attributes are those of OpenTelemetry's conventions
// where there are any.
func (e *Exporter) request(b Batch) *collector.ExportTraceServiceRequest {
	var spans []*trace.Span
	for i := range b.Exemplars {
		spans = append(spans, spansOf(&b.Exemplars[i], b.Zero)...)
	}
	return &collector.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{
			text("service.name", e.service), text("service.version", e.version), text("perfctl.run.id", e.run),
		}},
		ScopeSpans: []*trace.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "perfctl", Version: e.version}, Spans: spans}},
	}}}
}

func spansOf(x *exemplars.Exemplar, zero time.Time) []*trace.Span {
	var id work.TraceID
	if n, err := hex.Decode(id[:], []byte(x.Trace)); err != nil || n != len(id) {
		return nil
	}
	at := func(ms float64) uint64 {
		return uint64(zero.Add(time.Duration((x.Due + ms) * float64(time.Millisecond))).UnixNano())
	}
	root := id.Span(0)
	whole := &trace.Span{TraceId: id[:], SpanId: root[:], Name: x.Scenario, Kind: trace.Span_SPAN_KIND_INTERNAL,
		StartTimeUnixNano: at(0), EndTimeUnixNano: at(x.Response + x.Paused),
		Attributes: []*common.KeyValue{text("perfctl.scenario", x.Scenario), text("perfctl.stage", x.Stage), number("perfctl.k", x.K),
			decimal("perfctl.started_ms", x.Started)}}
	if x.Kind != "" {
		whole.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: x.Error}
		whole.Attributes = append(whole.Attributes, text("error.type", x.Kind))
	}
	out := []*trace.Span{whole}
	for i := range x.Ops {
		o := &x.Ops[i]
		own := id.Span(i + 1)
		s := &trace.Span{TraceId: id[:], SpanId: own[:], ParentSpanId: root[:], Name: o.Name, Kind: trace.Span_SPAN_KIND_CLIENT,
			StartTimeUnixNano: at(o.Start), EndTimeUnixNano: at(o.End), Attributes: attributes(o)}
		if o.Failed {
			s.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR}
		}
		out = append(out, s)
	}
	return out
}

// attributes describe an operation.
func attributes(o *exemplars.Op) []*common.KeyValue {
	var out []*common.KeyValue
	switch o.System {
	case "postgres":
		out = append(out, text("db.system.name", "postgresql"), text("db.query.text", o.Request))
	case "redis":
		out = append(out, text("db.system.name", "redis"), text("db.query.text", o.Request))
	case "rabbitmq":
		out = append(out, text("messaging.system", "rabbitmq"), text("messaging.operation.name", o.Name))
	default:
		out = append(out, text("url.path", o.Request), number("http.response.status_code", int64(o.Status)))
	}
	for _, x := range []struct {
		name string
		took float64
	}{{"perfctl.wait_ms", o.Wait}, {"perfctl.lookup_ms", o.Lookup}, {"perfctl.connect_ms", o.Connect}, {"perfctl.tls_ms", o.TLS}, {"perfctl.server_ms", o.Server}, {"perfctl.receive_ms", o.Receive}} {
		if x.took > 0 {
			out = append(out, decimal(x.name, x.took))
		}
	}
	if o.Process > 0 {
		out = append(out, number("perfctl.server_process", int64(o.Process)))
	}
	return out
}

func text(key, v string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: v}}}
}

func number(key string, v int64) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: v}}}
}

func decimal(key string, v float64) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: v}}}
}
