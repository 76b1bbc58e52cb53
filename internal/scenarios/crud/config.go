package crud

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/keys"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// tablePrefix begins the name of every table of the scenario.
const tablePrefix = "crud_"

// config holds the scenario's settings, read.
type config struct {
	payload, pool   int
	table           int64
	statement, lock time.Duration
	isolation       string
	retries         int
	// keep is how many inserts stay in the table, 0 for all.
	keep   int64
	stages []stage
	// stride is how many ids an insert has for itself; reserve how many rows
	// are written before the run to be deleted in it.
	stride, reserve int64
}

// stage holds what a stage may change.
type stage struct {
	mode, batch  int
	mix          mix
	distribution keys.Distribution
	transaction  bool
	// multiRow is the statement of a multi-row insert of this batch size.
	multiRow *postgres.Statement
}

func readConfig(v *scenarios.Values, plan scenarios.Plan) (config, error) {
	c := config{payload: v.Int(0, keyPayload), pool: plan.Part(v.Int(0, keyPool)), table: int64(v.Int(0, keyTable)),
		statement: v.Duration(0, keyStatement), lock: v.Duration(0, keyLock), stride: 1,
		retries: v.Int(0, keyRetries)}
	var deletes float64
	for i := range max(len(plan.Stages), 1) {
		m, err := parseMix(v.Text(i, keyMix))
		if err != nil {
			return c, fmt.Errorf("crud.%s: %w", keyMix, err)
		}
		s := stage{mode: slices.Index(modeNames[:], v.Text(i, keyMode)), batch: v.Int(i, keyBatch), mix: m,
			distribution: keys.ByName(v.Text(i, keyKeys)), transaction: v.Bool(i, keyTransaction)}
		if s.mode == modeSingle {
			s.batch = 1
		}
		c.stride = max(c.stride, int64(s.batch))
		arrivals := plan.Arrivals
		if len(plan.StageArrivals) == len(plan.Stages) && len(plan.Stages) > 0 {
			arrivals = plan.StageArrivals[i]
		}
		deletes += float64(arrivals) * s.mix.share(opDelete)
		c.stages = append(c.stages, s)
	}
	if level := v.Text(0, keyIsolation); level != isolationDefault {
		c.isolation = strings.ReplaceAll(level, "-", " ")
	}
	if most := int64(v.Int(0, keyMaxRows)); most > 0 {
		c.keep = int64(plan.Part(int(max(most/c.stride, 1))))
	}
	if deletes > 0 {
		// Which arrivals delete is drawn: six standard deviations are room for
		// every draw.
		each := deletes / float64(max(plan.Shards, 1))
		c.reserve = int64(math.Ceil(each+6*math.Sqrt(each)+10)) * int64(max(plan.Shards, 1))
	}
	if c.reserve > maxReserve {
		return c, fmt.Errorf("crud.%s: the run would delete about %d rows, which must be written before it, and %d is the most; lower the weight of delete",
			keyMix, int64(deletes), maxReserve)
	}
	return c, nil
}

// maxReserve bounds the rows that are written to be deleted.
const maxReserve = 10_000_000

// The ids are laid out as 1 … table: rows that are selected and updated; then
// reserve rows to be deleted; then stride ids for each arrival.
func (c *config) firstReserve() int64 { return c.table + 1 }
func (c *config) firstInsert() int64  { return c.table + c.reserve + 1 }

// idOf returns the first id that arrival n inserts.
func (c *config) idOf(n int64) int64 { return c.firstInsert() + n*c.stride }

// stageOf returns the settings of a stage; one out of range has those of the
// last.
func (c *config) stageOf(i int) *stage {
	return &c.stages[min(max(i, 0), len(c.stages)-1)]
}
