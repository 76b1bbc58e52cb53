package targets

import "context"

// Checked returns an address that is known only while a run goes on, as one that a
// script names, as the guard lets it be used: hosts and databases are checked now, and
// the addresses that connections are opened to when they are. The error is the guard's.
func (s *Settings) Checked(ctx context.Context, a Address) (Address, error) {
	g := Guard{AllowTargets: s.Allowed}
	if s.guard != nil {
		g = *s.guard
	}
	if err := g.Check(ctx, a); err != nil {
		return a, err
	}
	at := a
	a.Allow = func(ctx context.Context, host string) error { return g.Permit(ctx, at, host) }
	a.Reach = g.Reaches
	return a, nil
}
