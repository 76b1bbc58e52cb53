package scripts

import (
	"fmt"
	"strconv"
	"time"

	"github.com/perfctl/perfctl/internal/config"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/scenarios/script/options"
	"github.com/perfctl/perfctl/internal/sla"
)

func stageName(s *options.Scenario, i int) string { return s.Name + "-" + strconv.Itoa(i+1) }

// noTable is the SLA file of a script: it is judged by its own thresholds.
const noTable = "rules: []\n"

// judging adds a script's thresholds to those that a user gave. The built-in SLA
// tables do not judge a script, a user's own do. abort says that a threshold ends
// the run; those that do not never do.
func judging(given *config.Rules, o *options.Options) (r *config.Rules, abort bool, err error) {
	texts := make([]string, 0, len(o.Thresholds)+len(given.Thresholds))
	if !o.NoThresholds {
		for i := range o.Thresholds {
			t := &o.Thresholds[i]
			if _, err := sla.ParseThreshold(t.Text()); err != nil {
				return nil, false, exitcode.ConfigError(fmt.Errorf("%s%w", t.Place, err))
			}
			texts = append(texts, t.Text())
		}
	}
	own := len(texts)
	texts = append(texts, given.Thresholds...)
	name, table := "the script", noTable
	if given.Given {
		name, table = given.Name, given.Text
	}
	if r, err = config.DecodeRules(name, table, texts); err != nil {
		return nil, false, fmt.Errorf("thresholds of the script: %w", err)
	}
	r.Given = given.Given
	for i := range own {
		abort = abort || o.Thresholds[i].Abort
	}
	if abort {
		for i := range r.Own {
			r.Own[i].After = never
			if i < own && o.Thresholds[i].Abort {
				r.Own[i].After, r.Own[i].AtOnce = o.Thresholds[i].Delay, true
			}
		}
		for i := range r.Table {
			r.Table[i].After = never
		}
	}
	return r, abort, nil
}

// never is later than the end of every run.
const never = 2000 * time.Hour
