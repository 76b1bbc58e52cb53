package slow

import (
	"fmt"
	"slices"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
)

// order ranks evidence by how much it says.
var order = []string{exemplars.Lock, exemplars.Stopped, exemplars.Throttled, exemplars.Retransmits, exemplars.Fork, exemplars.Command, exemplars.Alarm, exemplars.Flow, exemplars.Backlog,
	exemplars.Pause, exemplars.LoopLag, exemplars.Plan, exemplars.Checkpoint, exemplars.Deadlock, exemplars.Latency, exemplars.Expiry, exemplars.Snapshot, exemplars.Faults,
	exemplars.Waits, exemplars.Evictions, exemplars.Temp, exemplars.Busy, exemplars.Silent, exemplars.Starved}

// evidenceOf adds what was seen of the server while an operation waited for it.
func (s *study) evidenceOf(e *exemplars.Exemplar, o *exemplars.Op, add func(sign)) {
	seen := s.set.Meanwhile(e, o, false)
	disk := slices.ContainsFunc(seen, func(v *exemplars.Evidence) bool { return v.Kind == exemplars.Waits && v.Disk })
	for _, kind := range order {
		for _, v := range seen {
			if v.Kind != kind || !concerns(v, o) {
				continue
			}
			g := signOf(v)
			if kind == exemplars.Checkpoint && disk {
				g.key, g.what, g.serverWide = g.key+" disk", "waited for the disk while "+systemName(v.Source)+" wrote a checkpoint", false
			}
			if kind == exemplars.Retransmits && v.Conn != 0 && o.Server >= resendAfter || kind == exemplars.Stopped && v.Process != 0 {
				g.certain = true
			}
			add(g)
		}
	}
}

// resendAfter is how long TCP waits at least, in milliseconds, until it takes a segment
// for lost that nothing was heard of.
const resendAfter = 200.0

// concerns says whether evidence can be why an operation took its time.
func concerns(v *exemplars.Evidence, o *exemplars.Op) bool {
	switch v.Kind {
	case exemplars.Silent:
		return v.To-v.From >= leastSilence
	case exemplars.Plan:
		return statementOf(v.By) == statementOf(o.Request)
	case exemplars.Backlog: // who waits for a message waits behind those before it
		return o.Role != exemplars.Publishes
	case exemplars.Flow:
		return o.Role == exemplars.Publishes
	}
	return true
}

// machineSigns adds what was seen of the generator itself for most of an arrival's time.
func (s *study) machineSigns(e *exemplars.Exemplar, add func(sign)) {
	for i := range s.set.Evidence {
		v := &s.set.Evidence[i]
		if v.From > e.End() {
			break
		}
		if v.Source == "generator" && v.Shard == e.Shard && v.Covers(e.Due, e.End()) {
			add(signOf(v))
		}
	}
}

// blocks says that a server that does this serves nobody meanwhile: whoever waited then
// waited for it, and no chance brings the two together.
func blocks(kind string) bool {
	switch kind {
	case exemplars.Command, exemplars.Alarm, exemplars.Fork, exemplars.Stopped, exemplars.Throttled, exemplars.Pause, exemplars.LoopLag, exemplars.Plan,
		exemplars.Flow, exemplars.Backlog, exemplars.Latency:
		return true
	}
	return false
}

// signOf makes a sign of evidence.
func signOf(v *exemplars.Evidence) sign {
	g := sign{id: v.Kind, key: v.Kind + " " + v.Source, from: v.From, to: v.To, by: v.Blockers, serverWide: v.Process == 0 && v.Conn == 0 && !blocks(v.Kind)}
	system := systemName(v.Source)
	switch v.Kind {
	case exemplars.Lock:
		g.key, g.what = g.key+" "+statementOf(v.By), "waited for a lock that another process of "+system+" held"
		if v.By != "" {
			g.what += ", which was at: " + cut(v.By)
		}
	case exemplars.Stopped:
		g.what = "were served by " + system + ", which a signal had stopped"
		if v.Process != 0 {
			g.key, g.by = fmt.Sprintf("%s %d", g.key, v.Process), []uint32{v.Process}
			g.what = "were served by a process of " + system + " that a signal had stopped"
		}
	case exemplars.Command:
		g.key, g.what = g.key+" "+v.Command, "waited while "+system+" did nothing but one command: "+v.What
	case exemplars.Waits: // so a few do in any run on a busy machine
		g.concentrated = true
		g.key, g.what = g.key+" "+v.Waited, "waited in "+system+" for "+v.Waited
	case exemplars.Busy:
		g.concentrated = true
		g.key, g.what = g.key+" "+statementOf(v.What), "were worked at by "+system+" all the time: "+cut(v.What)
	case exemplars.Checkpoint:
		g.what = "fell into a checkpoint of " + system
	case exemplars.Retransmits:
		g.key += " " + v.System
		g.what = "went over a connection to " + systemName(v.System) + " whose segments were lost and sent again"
	case exemplars.Plan:
		g.key += " " + statementOf(v.By)
		g.what = "are a statement that came to read many times the pages that it used to, as one without its index does: " + cut(v.By)
	case exemplars.Backlog:
		g.key += " " + v.By
		g.what = "waited behind the messages of a queue whose consumers did not keep up: " + v.By
	case exemplars.Deadlock:
		g.what = "fell where " + system + " broke a deadlock: " + v.What
	default:
		g.what = "fell where " + system + " " + v.What
	}
	return g
}
