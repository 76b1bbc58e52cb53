package crud

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/metrics"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// floorRounds is how many round trips are timed before the run.
const floorRounds = 100

// floor is the shortest time that any statement can take: that of a SELECT 1,
// on a connection of its own.
type floor struct {
	conn  *pgx.Conn
	trend *metrics.Trend
	// idle is the median before the run.
	idle time.Duration
}

func (f *floor) open(ctx context.Context, s *scenario) error {
	c, err := postgres.Connect(ctx, s.address, s.options)
	if err != nil {
		return err
	}
	f.conn = c
	took := make([]time.Duration, floorRounds)
	for i := range took {
		if took[i], err = f.once(ctx, s); err != nil {
			return postgres.Explain(s.address, "SELECT 1", err)
		}
	}
	slices.Sort(took)
	f.idle = took[floorRounds/2]
	return nil
}

func (f *floor) once(ctx context.Context, s *scenario) (time.Duration, error) {
	sent := s.clock.Now()
	var one int32
	err := f.conn.QueryRow(ctx, "SELECT 1").Scan(&one)
	return s.clock.Now() - sent, err
}

// sample times one round trip. A connection that is lost is replaced with the
// next reading.
func (f *floor) sample(ctx context.Context, s *scenario) {
	if f.conn == nil {
		return
	}
	if f.conn.IsClosed() {
		c, err := postgres.Connect(ctx, s.address, s.options)
		if err != nil {
			return
		}
		f.conn = c
	}
	// The first one wakes up who has slept for a second.
	if _, err := f.once(ctx, s); err != nil {
		return
	}
	if took, err := f.once(ctx, s); err == nil {
		f.trend.Record(int(s.stage.Load()), took)
	}
}

func (f *floor) close(ctx context.Context) error {
	if f.conn == nil {
		return nil
	}
	return f.conn.Close(ctx)
}

// times says how many round trips, of which one takes so long, a duration is.
func times(idle, d time.Duration) string {
	if idle <= 0 {
		return ""
	}
	return fmt.Sprintf(" (%.2g round trips)", float64(d)/float64(idle))
}
