package request

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/answer"
	"github.com/perfctl/perfctl/internal/scenarios/template"
	"github.com/perfctl/perfctl/internal/strictyaml"
	"github.com/perfctl/perfctl/internal/targets/httpapi"
)

// stream says how an answer of server-sent events is read.
type stream struct {
	// until is what the last event must be; max bounds how many are read.
	until []*answer.Check
	max   int64

	firstEvent *metrics.Trend
	gap        *metrics.Trend
	count      *metrics.Counter
}

// eventWords are the places of an event. property is event or id.
var eventWords = []string{answer.Property, answer.Body, answer.JSON, answer.Match}

// ReadEvents returns the key that makes a request one for a stream of events.
func (r *Request) ReadEvents(fields *template.Fields) strictyaml.Field {
	return strictyaml.Optional("events", func(v strictyaml.Value) {
		st := &stream{max: 1_000_000}
		if v.Map("events",
			strictyaml.Optional("max", strictyaml.Int(&st.max, 1, 1_000_000)).Help("bound on how many are read"),
			strictyaml.Optional("until", func(of strictyaml.Value) {
				of.Entries("until", func(left string, _ strictyaml.Pos, right strictyaml.Value) {
					right.Note(template.MayHoldFields)
					want, ok := right.Scalar()
					if !ok {
						return
					}
					c, err := answer.ParseCheck(left, want, eventWords, fields)
					if err != nil {
						right.Add("until %s: %v", left, err)
						return
					}
					st.until = append(st.until, c)
				})
			}).Help("what the last event must be")) {
			r.stream = st
		}
	}).Help("read server-sent events until one is as asked for, or the stream ends")
}

// Streams says whether the answer is a stream of events.
func (r *Request) Streams() bool { return r.stream != nil }

// EventMetrics declares what is measured of a stream, which is nothing for any other
// request.
func (r *Request) EventMetrics(m *metrics.Registry, t metrics.Tags) {
	if r.stream != nil {
		r.stream.firstEvent, r.stream.gap, r.stream.count = m.Trend(httpapi.FirstEvent, t), m.Trend(httpapi.EventGap, t), m.Counter(httpapi.Events, t)
	}
}

// errNoMatch says that a stream ended without the event that was waited for.
var errNoMatch = errors.New("the stream ended without the event that until asks for")

// read reads events until one is as the file says. The answer's body is the data of
// the last one, and its rows are how many there were.
func (st *stream) read(ctx context.Context, x *Sender, s *template.Scope, req *http.Request, body []byte) (answer.Answer, error) {
	var (
		n       int64
		last    time.Duration
		found   = len(st.until) == 0
		failure error
	)
	var state answer.State
	x.value = x.value[:0]
	resp, kept, events, err := x.Stream(ctx, req, body, func(e httpapi.Event) bool { //nolint:bodyclose // Stream closed it
		n++
		if st.count != nil {
			if n == 1 {
				st.firstEvent.Record(x.Stage, e.At-x.Connected())
			} else {
				st.gap.Record(x.Stage, e.At-last)
			}
			st.count.Add(x.Stage, 1)
		}
		last = e.At
		x.value = append(x.value[:0], e.Data...)
		if len(st.until) > 0 {
			if found, failure = st.matches(&e, s, &state); found || failure != nil {
				return false
			}
		}
		return n < st.max
	})
	if err == nil {
		err = failure
	}
	if err != nil {
		return answer.Answer{}, err
	}
	x.keep(req.URL, resp)
	if !events {
		return x.answer(resp, kept), nil
	}
	if !found {
		return answer.Answer{}, work.Fail(answer.KindCheck, fmt.Errorf("%w, after %d events", errNoMatch, n))
	}
	a := x.answer(resp, x.value)
	a.Rows = n
	return a, nil
}

// matches says whether an event is what the file asks for. One that is no JSON is not,
// where JSON is asked for.
func (st *stream) matches(e *httpapi.Event, s *template.Scope, state *answer.State) (bool, error) {
	a := answer.Answer{Body: e.Data, Property: func(name string) (string, bool) {
		switch name {
		case "event":
			return e.Name, true
		case "id":
			return e.ID, e.ID != ""
		}
		return "", false
	}}
	for _, c := range st.until {
		err := c.Test(&a, s, state)
		switch work.KindOf(err) {
		case answer.KindCheck, answer.KindNotJSON:
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}
