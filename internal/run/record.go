package run

import (
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/engine/keep"
	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/targets"
)

// The bounds of texts in a record, in bytes.
const (
	maxRequest = 200
	maxAnswer  = 200
	maxError   = 400
)

// as says what a record was kept as.
func as(k *keep.Record) (out []string) {
	if k.Slow {
		out = append(out, exemplars.Slow)
	}
	if k.Lost || k.Err != nil && !k.Chosen && !k.Slow {
		out = append(out, exemplars.Failed)
	}
	if k.Chosen {
		out = append(out, exemplars.Sample)
	}
	return out
}

// exemplar makes of a record what is written of it; zero is the run's start on its
// clock. Its texts hold no secret and nothing that a terminal would obey.
func (r *records) exemplar(k *keep.Record, zero time.Duration) exemplars.Exemplar {
	a := &k.Arrival
	ms := func(at time.Duration) float64 { return exemplars.Millis(at - a.Due) }
	e := exemplars.Exemplar{
		K: a.K, Shard: r.of.plan.request.Shard, Scenario: r.of.plan.defs[k.Lane].Name, User: a.User, As: as(k),
		Due: exemplars.Millis(a.Due - zero), Released: ms(a.Released), Started: ms(a.Started),
		Response: exemplars.Millis(k.Response()), Paused: exemplars.Millis(a.Paused), Blind: !k.Noted, Trace: a.Trace.String(),
	}
	if stages := r.of.plan.request.Profile.Stages; a.Stage >= 0 && a.Stage < len(stages) {
		e.Stage = stages[a.Stage].Name
	}
	if k.Err != nil {
		e.Kind, e.Error = string(k.Kind()), r.show(k.Err.Error(), maxError)
	}
	ops := k.Notes.Ops()
	for i := range ops {
		e.Ops = append(e.Ops, r.op(&ops[i], k, ms))
	}
	e.More = k.Notes.Begun() - len(ops)
	return e
}

// roles are the words for what an operation does with a message.
var roles = map[work.Role]string{work.Publishes: exemplars.Publishes, work.Consumes: exemplars.Consumes}

// op makes of an operation's notes what is written of it.
func (r *records) op(o *work.Op, k *keep.Record, ms func(time.Duration) float64) exemplars.Op {
	end := o.Done
	if end == 0 {
		end = k.End
	}
	out := exemplars.Op{
		Name: o.Name, Line: o.Line, System: o.System, Role: roles[o.Role], Start: ms(o.Start), End: ms(end), Open: o.Done == 0,
		Bytes: o.Bytes, Retries: o.Retries, Reconnects: o.Reconnects, Conn: o.Conn, Process: o.Process, Status: o.Status, Failed: o.Failed,
		Request: r.show(strings.TrimSpace(o.Verb+" "+o.Request), maxRequest), Answer: r.show(string(k.Notes.Head(o)), maxAnswer),
		Lookup: exemplars.Millis(o.Lookup), Connect: exemplars.Millis(o.Connect), TLS: exemplars.Millis(o.TLS),
	}
	opening := o.Lookup + o.Connect + o.TLS
	between := func(from, to time.Duration) float64 { return exemplars.Millis(max(to-from, 0)) }
	switch {
	case o.Ready == 0 && (o.System == string(targets.Postgres) || opening > 0): // it had no connection
		out.Wait = exemplars.Millis(max(end-o.Start-opening, 0))
		return out
	case o.Ready == 0: // nobody said when
		out.Server = between(o.Start, end)
		return out
	}
	out.Wait = exemplars.Millis(max(o.Ready-o.Start-opening, 0))
	sent, first := max(o.Sent, o.Ready), min(o.First, end)
	if o.Sent == 0 || sent > end {
		sent = o.Ready
	}
	if first == 0 {
		first = end
	}
	out.Send, out.Server, out.Receive = between(o.Ready, sent), between(sent, first), between(first, end)
	return out
}

// maxShown bounds the texts whose shown form is remembered: statements and paths recur.
const maxShown = 4096

// show returns a text as it may be written, cut to so many bytes.
func (r *records) show(s string, most int) string {
	if s == "" {
		return ""
	}
	if known, ok := r.shown[s]; ok {
		return known
	}
	text := figure.Line(r.of.plan.request.Secrets.Text(s))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	if len(r.shown) < maxShown {
		r.shown[strings.Clone(s)] = text
	}
	return text
}
