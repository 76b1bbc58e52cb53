package run

import (
	"net"
	"strconv"

	"github.com/perfctl/perfctl/internal/config"
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
	var ports []evidence.Port
	for _, k := range x.plan.targetKinds() {
		switch a := addresses.Address(k); k {
		case targets.Postgres:
			set.Add(evidence.NewPostgres(a, x.id, s.Log))
		case targets.Redis:
			set.Add(evidence.NewRedis(a, x.id, s.Log))
		case targets.RabbitMQ:
			set.Add(evidence.NewRabbitMQ(a, x.id))
			if u, err := urlSetting(addresses, config.ManagementURL); err == nil && u != nil {
				set.Add(evidence.NewFlow(a, u, x.id))
			}
		case targets.API: // it says nothing of itself but what --scrape reads
		}
		if p, ok := portOf(addresses.Address(k)); ok {
			ports = append(ports, evidence.Port{Number: p, System: string(k)})
		}
	}
	for _, w := range x.plan.watching(s.watches) {
		set.Add(evidence.NewProcess(w))
	}
	for _, scrape := range x.plan.scrapes {
		scrape.Reach = x.plan.guarding().Reaches
		set.Add(evidence.NewScrape(scrape))
	}
	set.Add(evidence.NewGenerator())
	set.Add(evidence.NewNetwork(ports, s.Log))
	return set
}

// portOf returns the port that a target listens at.
func portOf(a targets.Address) (uint16, bool) {
	_, address := a.First()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return uint16(n), err == nil
}

// writeEvidence writes what the servers were seen doing since the last time.
func (r *records) writeEvidence() {
	if r.seen == nil {
		return
	}
	var text []byte
	r.journal.Take(func(v *exemplars.Evidence) {
		v.Shard = r.of.plan.request.Shard
		v.Waited, v.Command = r.show(v.Waited, maxRequest), r.show(v.Command, maxRequest)
		v.What, v.By = r.show(v.What, maxRequest), r.show(v.By, maxRequest)
		text = exemplars.AppendLine(text[:0], v)
		r.seen.Write(text)
	})
}
