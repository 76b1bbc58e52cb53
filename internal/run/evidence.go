package run

import (
	"github.com/perfctl/perfctl/internal/evidence"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/targets"
)

// newEvidence makes the watchers of the targets that a plan uses; nil for none.
func (s *Session) newEvidence(x *Prepared, addresses *targets.Settings) *evidence.Set {
	if x.plan.request.NoProbes || x.plan.request.NoExemplars {
		return nil
	}
	set := evidence.NewSet(s.Log)
	for _, k := range x.plan.targetKinds() {
		switch a := addresses.Address(k); k {
		case targets.Postgres:
			set.Add(evidence.NewPostgres(a, x.id, s.Log))
		case targets.Redis:
			set.Add(evidence.NewRedis(a, x.id, s.Log))
		case targets.RabbitMQ:
			set.Add(evidence.NewRabbitMQ(a, x.id))
		case targets.API: // it says nothing of itself but what --scrape reads
		}
	}
	set.Add(evidence.NewHost())
	return set
}

// writeEvidence writes what the servers were seen doing since the last time.
func (r *records) writeEvidence() {
	if r.seen == nil {
		return
	}
	var text []byte
	r.journal.Take(func(v *exemplars.Evidence) {
		v.Shard = r.of.plan.request.Shard
		v.What, v.By = r.show(v.What, maxRequest), r.show(v.By, maxRequest)
		text = exemplars.AppendLine(text[:0], v)
		r.seen.Write(text)
	})
}
