package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios/request"
)

// run executes the step.
func (s *step) run(ctx context.Context, w *worker) error {
	err := s.once(ctx, w)
	if err == nil {
		return nil
	}
	return s.fail(w, s.explain(err))
}

// fail returns the error of a step, or keeps it where the arrival goes on.
func (s *step) fail(w *worker, err error) error {
	if !s.continues {
		return err
	}
	if w.failed == nil {
		w.failed = err
	}
	return nil
}

func (s *step) once(ctx context.Context, w *worker) error {
	began := w.now()
	w.note = w.scope.Arrival.Begin(string(s.system), s.name, began)
	if w.note != nil {
		w.note.Line = s.pos.Line
	}
	a, err := s.action.do(ctx, w, s.keep)
	done := w.now()
	if w.note != nil && (w.note.Done == 0 || err != nil) {
		w.note.Ended(done, err)
	}
	if err != nil {
		return err
	}
	took := done - began
	for _, c := range s.checks {
		err = c.Test(&a, &w.scope, &w.answers)
		if s.held != nil {
			s.held.Add(w.scope.Arrival.Stage, err == nil)
		}
		if err != nil {
			return err
		}
	}
	for i := range s.captures {
		if err := s.captures[i].Take(&a, &w.scope); err != nil {
			return err
		}
	}
	if s.duration != nil {
		s.duration.Record(w.scope.Arrival.Stage, took)
	}
	return nil
}

// explain says at which step an error happened and keeps its kind.
func (s *step) explain(err error) error {
	return &work.Failure{Kind: work.KindOf(err), Err: &stepError{s, err}}
}

// stepError is an error of a step.
type stepError struct {
	step *step
	err  error
}

func (e *stepError) Error() string {
	text := e.err.Error()
	if f, ok := e.err.(*work.Failure); ok { //nolint:errorlint // its own kind is told beside it
		text = f.Err.Error()
	}
	if e.step.action != nil {
		if asks := e.step.action.asks(); asks != "" && !saysIt(text, asks) {
			text = asks + ": " + text
		}
	}
	return fmt.Sprintf("step %s (%s:%d): %s", e.step.name, e.step.pos.File, e.step.pos.Line, text)
}

// saysIt says whether an error tells itself what was asked for, as that of a status
// does with the method first.
func saysIt(text, asks string) bool {
	method, _, _ := strings.Cut(asks, " ")
	return strings.HasPrefix(text, method+" ") && slices.Contains(request.Methods, method)
}

func (e *stepError) Unwrap() error { return e.err }

// walk executes nodes in turn.
func walk(ctx context.Context, w *worker, nodes []node) error {
	for _, n := range nodes {
		if err := n.run(ctx, w); err != nil {
			return err
		}
	}
	return nil
}
