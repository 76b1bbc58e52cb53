package compare

// Row is a figure as it is shown.
type Row struct {
	// Metric, Stage and Stat say which figure it is; Stage is "all judged" for all
	// judged stages together.
	Metric, Stage, Stat string
	// Base and New are the figure of both sides, Difference what lies between them,
	// Interval where that may lie. What is not known is a dash.
	Base, New, Difference, Interval string
	Word                            Word
	// Gated says that the figure has a say in the word of the whole.
	Gated bool
	// Settle is what would settle an inconclusive figure.
	Settle string
}

// Rows returns the figures to show: those of the gate, and every note that
// regressed or improved. all returns every figure. quiet counts those that are
// left out, by their word.
func (c *Comparison) Rows(all bool) (rows []Row, quiet map[Word]int) {
	quiet = map[Word]int{}
	for _, f := range c.Figures {
		if !all && !f.Gated && (f.Word == OK || f.Word == Inconclusive) {
			quiet[f.Word]++
			continue
		}
		stage := f.Stage
		if stage == "" {
			stage = "all judged"
		}
		rows = append(rows, Row{clean(f.Metric), clean(stage), f.Stat, f.show(f.Base), f.show(f.New), f.change(f.Ratio), f.between(), f.Word, f.Gated, f.Settle})
	}
	return rows, quiet
}
