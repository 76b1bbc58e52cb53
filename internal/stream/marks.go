package stream

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strconv"

	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/perfctl/perfctl/internal/metrics"
)

// markPlace is a bucket of the response times of a scenario and stage.
type markPlace struct {
	scenario, stage string
	bucket          int
}

// mark keeps the latest arrival of each bucket; one with a trace is not replaced by one
// without. a.mu is held.
func (a *account) mark(all []metrics.Mark) {
	for _, m := range all {
		at := markPlace{m.Scenario, m.Stage, bucketOf(m.Response.Seconds())}
		if old, ok := a.marks[at]; ok && old.Trace != "" && m.Trace == "" {
			continue
		}
		a.marks[at] = m
	}
}

// bucketOf returns the classic bucket that a time in seconds falls into;
// len(classicBounds) beyond all.
func bucketOf(seconds float64) int {
	i, _ := slices.BinarySearch(classicBounds, seconds)
	return i
}

// markable says whether a series is the one that marks are of.
func markable(s *metrics.Series) bool {
	return s.Name == metrics.ResponseTime.Name && s.Tags == metrics.Tags{Scenario: s.Tags.Scenario, Stage: s.Tags.Stage}
}

// exemplar is the mark of a bucket, as Prometheus has it; nil for none.
func (a *account) exemplar(s *metrics.Series, bucket int) *dto.Exemplar {
	m, ok := a.marks[markPlace{s.Tags.Scenario, s.Tags.Stage, bucket}]
	if !ok || !markable(s) {
		return nil
	}
	label := func(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }
	seconds := m.Response.Seconds()
	e := &dto.Exemplar{Label: []*dto.LabelPair{label("arrival", strconv.FormatInt(m.K, 10))}, Value: &seconds, Timestamp: timestamppb.New(m.At)}
	if m.Trace != "" {
		e.Label = append(e.Label, label("trace_id", m.Trace), label("span_id", m.Span))
	}
	return e
}

// exemplars are the marks of a series, as OpenTelemetry has them.
func (a *account) exemplars(s *metrics.Series) (out []metricdata.Exemplar[float64]) {
	if !markable(s) {
		return nil
	}
	for at, m := range a.marks {
		if at.scenario != s.Tags.Scenario || at.stage != s.Tags.Stage {
			continue
		}
		e := metricdata.Exemplar[float64]{FilteredAttributes: []attribute.KeyValue{attribute.Int64("arrival", m.K)}, Time: m.At, Value: m.Response.Seconds()}
		if m.Trace != "" {
			e.TraceID, _ = hex.DecodeString(m.Trace) // they were made by EncodeToString
			e.SpanID, _ = hex.DecodeString(m.Span)
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b metricdata.Exemplar[float64]) int { return cmp.Compare(a.Value, b.Value) })
	return out
}
