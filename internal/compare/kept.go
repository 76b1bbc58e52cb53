package compare

import (
	"encoding/json"
	"slices"

	"github.com/perfctl/perfctl/internal/rundir"
)

// Kept is what a history needs of a run: it is small where a run is large, so that an
// index holds that of thousands.
type Kept struct {
	Past
	load loadOf
	// values are p50, p95 and p99 in milliseconds of each series that a history follows,
	// over the judged stages; 0 where there are too few.
	values map[string][]float64
	// run is nil where an index told the rest.
	run *rundir.Run
}

// loadOf is what the runs of one history have in common. Key tells it apart from others,
// as sameLoad does.
type loadOf struct {
	Key       string
	Profile   string
	Scenarios []string
}

func loadOfRun(i *rundir.RunInfo) loadOf {
	l := loadOf{Profile: i.Profile}
	type shape struct {
		Name               string
		Duration, From, To float64
		Burst              int64
		Users              *rundir.UsersInfo
	}
	var stages []shape
	for _, s := range i.Stages {
		stages = append(stages, shape{s.Name, s.Duration, s.From, s.To, s.Burst, s.Users})
	}
	for _, s := range i.Scenarios {
		l.Scenarios = append(l.Scenarios, s.Name)
	}
	text, err := json.Marshal([]any{i.Profile, i.Scenarios, stages})
	if err != nil { // numbers and words alone: it cannot be
		text = []byte(i.Profile)
	}
	l.Key = string(text)
	return l
}

// keep reads of a run what a history needs.
func keep(r *rundir.Run) (*Kept, error) {
	recs, err := gather([]*rundir.Run{r})
	if err != nil {
		return nil, err
	}
	k := &Kept{Past: pastOf(r, recs[0]), load: loadOfRun(&r.Info), values: map[string][]float64{}, run: r}
	for _, x := range keys(recs, recs) {
		if x.stage == "" {
			k.values[x.metric] = quantilesOf(recs[0], x)
		}
	}
	return k, nil
}

// head returns the run without its figures.
func (k *Kept) head() (*rundir.Run, error) {
	if k.run != nil {
		return k.run, nil
	}
	return rundir.OpenHead(k.Dir)
}

// Tagged returns those that have a label of that value.
func Tagged(all []*Kept, name, value string) []*Kept {
	return slices.DeleteFunc(slices.Clone(all), func(k *Kept) bool {
		v, has := k.Tags[name]
		return !has || v != value
	})
}
