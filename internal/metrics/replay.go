package metrics

// NewReplay returns a collector that takes no snapshots itself: those of other
// processes are given to Deliver.
func NewReplay() *Collector { return &Collector{totals: NewTotals()} }

// Deliver adds a snapshot to the totals and hands it to the subscribers. One goroutine
// calls it.
func (c *Collector) Deliver(s *Snapshot) {
	c.mu.Lock()
	c.totals.Add(s)
	c.mu.Unlock()
	for _, f := range c.subs {
		f(s)
	}
}
