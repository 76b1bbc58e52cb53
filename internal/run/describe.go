package run

import (
	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/scenarios/all"
)

// Description is a scenario as people are shown it.
type Description struct {
	Name, Summary string
	Settings      []DescribedSetting
	// Fields are what may stand in double braces in its texts, each with what it
	// stands for.
	Fields [][2]string
	// Metrics are all metrics that it emits.
	Metrics []metrics.Desc
}

// DescribedSetting is a setting of a scenario.
type DescribedSetting struct {
	Key, Default, Help string
	// PerStage says that it may change in a stage.
	PerStage bool
}

// Describe describes scenarios by name, or all of them.
func Describe(names ...string) ([]Description, error) {
	reg := all.Registry()
	if len(names) == 0 {
		names = reg.Names()
	}
	var out []Description
	for _, name := range names {
		d, err := reg.Find(name)
		if err != nil {
			return nil, err
		}
		x := Description{Name: d.Name, Summary: d.Summary, Fields: d.Fields, Metrics: d.Metrics}
		for _, o := range d.Settings {
			x.Settings = append(x.Settings, DescribedSetting{o.Key, o.Default, o.Help, o.PerStage})
		}
		out = append(out, x)
	}
	return out, nil
}
