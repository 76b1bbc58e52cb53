package flow

import (
	"context"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/request"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// httpAction sends a request.
type httpAction struct {
	request request.Request
	// plain says that no check looks at the status: it must be a success.
	plain  bool
	phases *httpapi.Phases
}

func (f *parser) http(v strictyaml.Value) action {
	h := &httpAction{}
	f.need(targets.API)
	if !v.Map("http", append(h.request.Read(&f.fields), h.request.ReadEvents(&f.fields))...) {
		return nil
	}
	if err := h.request.SampleJSON(f.sample()); err != nil {
		v.Add("body: %v", err)
	}
	return h
}

// sample is an arrival to try texts with: no variable has a value yet.
func (f *parser) sample() *template.Scope {
	return &template.Scope{Arrival: &work.Arrival{}, Vars: make([]template.Value, len(f.fields.Names.All()))}
}

func (h *httpAction) asks() string { return h.request.Asks() }

func (h *httpAction) words() []string {
	if h.request.Streams() {
		return append([]string{answer.Events}, request.Words...)
	}
	return request.Words
}

func (h *httpAction) bind(ctx context.Context, s *scenario, of *step) error {
	if of.part == "steps" {
		h.phases = httpapi.NewPhases(s.env.Metrics, of.tags(&s.env))
		h.request.EventMetrics(s.env.Metrics, of.tags(&s.env))
	}
	if err := h.request.Bind(ctx, s.origins); err != nil {
		return of.explain(err)
	}
	return nil
}

func (h *httpAction) do(ctx context.Context, w *worker, keep bool) (answer.Answer, error) {
	w.sender.Phases, w.sender.Stage, w.sender.Note = h.phases, w.scope.Arrival.Stage, w.note
	a, err := h.request.Send(ctx, &w.sender, &w.scope, keep)
	stage := w.scope.Arrival.Stage
	if err != nil {
		if h.phases != nil {
			h.phases.Resent(stage, w.sender.Exchange)
		}
		return a, err
	}
	if h.phases != nil {
		h.phases.Count(stage, w.sender.Exchange)
	}
	if h.plain && !answer.Holds(request.DefaultStatuses, a.Status) {
		return a, request.StatusFailure(&a)
	}
	if h.phases != nil {
		h.phases.Record(stage, w.sender.Exchange)
	}
	return a, nil
}
