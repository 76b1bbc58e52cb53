package exemplars

const (
	// mostly is the part of a time that evidence must cover.
	mostly = 0.5
	// loose is by how much what befell one process may be off, in milliseconds: it is
	// looked at ten times a second.
	loose = 120.0
)

// Meanwhile returns what was seen, while an operation waited for its answer, of the
// process that served it and of its server as a whole, for most of that time. host says
// that what befell the generator's machine counts, too.
func (s *Set) Meanwhile(e *Exemplar, o *Op, host bool) (out []*Evidence) {
	to := e.Due + o.End - o.Receive
	from := to - o.Server
	for i := range s.Evidence {
		v := &s.Evidence[i]
		if v.From > to+loose {
			break
		}
		machine := host && (v.Source == "host" || v.Source == "generator")
		if !v.Of(o.System) && !machine || v.Process != 0 && v.Process != o.Process || v.Conn != 0 && v.Conn != o.Conn {
			continue
		}
		if v.Covers(from, to) {
			out = append(out, v)
		}
	}
	return out
}

// Of says whether evidence is of a target.
func (v *Evidence) Of(system string) bool { return v.Source == system || v.System == system }

// Covers says whether evidence covers most of a time, in milliseconds from the run's
// start.
func (v *Evidence) Covers(from, to float64) bool {
	if v.Took > 0 && v.Took < mostly*(to-from) {
		return false
	}
	a, b := v.From, v.To
	if v.Process != 0 || v.Conn != 0 {
		a, b = a-loose, b+loose
	}
	return min(b, to)-max(a, from) >= mostly*(to-from)
}
