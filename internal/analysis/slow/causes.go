package slow

import (
	"cmp"
	"slices"

	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/stats"
)

// candidate is something that befell slow arrivals.
type candidate struct {
	sign
	strata map[string]*stats.Stratum
	p      float64
	spans  []wait // of each arrival
	by     []uint32
}

// causes returns what is named.
func (s *study) causes() []Cause {
	all := s.candidates()
	out := []Cause{}
	named := map[string]*Cause{}
	var kept []candidate
	refused := false
	for i := range all { // the least likely first: Holm's procedure
		c := &all[i]
		limit := level / float64(len(all)-i)
		if c.p > limit && !c.certain {
			refused = true
		}
		if refused && !c.certain {
			continue
		}
		found, _, base, _ := c.sums()
		from, to := bounds(c.spans)
		out = append(out, Cause{ID: c.id, What: c.what, Having: int(found), SampleHaving: int(base), P: c.p, Limit: limit,
			From: from / 1e3, To: to / 1e3, Processes: c.by, Advice: c.advice()})
		kept = append(kept, *c)
	}
	for i := range out {
		named[kept[i].key] = &out[i]
	}
	for i := range s.slow {
		// Signs are in the order of how much they say.
		for _, g := range s.slow[i].signs {
			if c := named[g.key]; c != nil {
				c.Count++
				break
			}
		}
	}
	least := map[string]float64{}
	for i := range out {
		if least[out[i].What] = max(fewestFor, kept[i].least()*float64(len(s.slow))); kept[i].certain {
			least[out[i].What] = 1
		}
	}
	// What is left of one beside those that say more may be too little.
	out = slices.DeleteFunc(out, func(c Cause) bool { return float64(c.Count) < least[c.What] })
	for i := range out {
		out[i].Share = float64(out[i].Count) / float64(len(s.slow))
	}
	slices.SortStableFunc(out, func(a, b Cause) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

// candidates returns what may be a cause, the least likely to be a chance first.
func (s *study) candidates() []candidate {
	by := map[string]*candidate{}
	for i := range s.slow {
		x := &s.slow[i]
		for _, g := range x.signs {
			c := by[g.key]
			if c == nil {
				c = &candidate{sign: g, strata: map[string]*stats.Stratum{}}
				by[g.key] = c
			}
			c.spans = append(c.spans, wait{g.from, g.to})
			for _, p := range g.by {
				if !slices.Contains(c.by, p) && len(c.by) < 20 {
					c.by = append(c.by, p)
				}
			}
			c.at(x.stratum).Found++
		}
	}
	for i := range s.sample {
		for _, g := range s.sample[i].signs {
			if c := by[g.key]; c != nil {
				c.at(s.sample[i].stratum).BaseFound++
			}
		}
	}
	var out []candidate
	for _, c := range by {
		for i := range s.slow {
			if x := &s.slow[i]; x.speaksOf(c) {
				c.at(x.stratum).Of++
			}
		}
		for i := range s.sample {
			if x := &s.sample[i]; x.speaksOf(c) {
				c.at(x.stratum).BaseOf++
			}
		}
		found, of, base, baseOf := c.sums()
		if c.certain && base == 0 {
			c.p = c.chance(s)
			out = append(out, *c)
			continue
		}
		if found < fewestFor || float64(found) < c.least()*float64(of) || float64(found)*float64(baseOf) < timesUsual*float64(base)*float64(of) {
			continue
		}
		c.p = c.chance(s)
		slices.Sort(c.by)
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.p, b.p), cmp.Compare(a.key, b.key)) })
	return out
}

// speaksOf says whether an arrival can bear witness for or against a cause: that perfctl
// itself was late with one says nothing of a target.
func (x *subject) speaksOf(c *candidate) bool {
	late := false
	for i := range x.signs {
		if x.signs[i].key == c.key {
			return true
		}
		late = late || x.signs[i].id == exemplars.Generator
	}
	return !late || c.id == exemplars.Generator
}

// hasCertain says whether any slow arrival has such a sign.
func (s *study) hasCertain() bool {
	return slices.ContainsFunc(s.slow, func(x subject) bool {
		return slices.ContainsFunc(x.signs, func(g sign) bool { return g.certain })
	})
}

// least is the part of the slow arrivals that it must have befallen.
func (c *candidate) least() float64 {
	if c.concentrated {
		return concentration
	}
	return leastShare
}

func (c *candidate) at(stratum string) *stats.Stratum {
	if c.strata[stratum] == nil {
		c.strata[stratum] = &stats.Stratum{}
	}
	return c.strata[stratum]
}

func (c *candidate) sums() (found, of, base, baseOf int64) {
	for _, s := range c.strata {
		found, of, base, baseOf = found+s.Found, of+s.Of, base+s.BaseFound, baseOf+s.BaseOf
	}
	return found, of, base, baseOf
}

// chance is how likely it is that the slow arrivals have the sign so often by chance.
// Where the sign is what the server did at the time, arrivals of one time share it,
// and are no independent witnesses: then also its times are tried elsewhere in the run.
func (c *candidate) chance(s *study) float64 {
	var strata []stats.Stratum
	for _, key := range sortedKeys(c.strata) {
		strata = append(strata, *c.strata[key])
	}
	p := stats.MoreOften(strata)
	if c.serverWide {
		p = max(p, s.elsewhere(c))
	}
	return p
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
