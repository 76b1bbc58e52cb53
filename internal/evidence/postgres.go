package evidence

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// looks is how often PostgreSQL's processes are looked at, closeLooks how often while
// anything is seen that is worth a note.
const (
	looks      = 100 * time.Millisecond
	closeLooks = 25 * time.Millisecond
)

// long is how long a statement runs before it is worth a note, longWait how long one
// that waits for something, in milliseconds.
const (
	long     = 100.0
	longWait = 20.0
)

// activity is one statement: what every process of the database that is at work does,
// whom those that wait for a lock wait for, and the two processes whose work everybody
// feels. perfctl's own connections are listed while they idle, too.
const activity = `SELECT pid, coalesce(backend_type, ''), coalesce(state, ''), coalesce(wait_event_type, ''), coalesce(wait_event, ''),
 coalesce(extract(epoch FROM clock_timestamp() - query_start) * 1000, 0)::float8, left(coalesce(query, ''), 200),
 CASE WHEN wait_event_type = 'Lock' THEN pg_blocking_pids(pid) END
FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND (
 (backend_type = 'client backend' AND datname = current_database() AND (state <> 'idle' OR application_name = $1))
 OR (backend_type = 'checkpointer' AND wait_event_type IS DISTINCT FROM 'Activity') OR backend_type = 'autovacuum worker')`

type postgresWatcher struct {
	address targets.Address
	run     string
	log     *slog.Logger
	said    bool
	local   bool
	counts  counts
	stats   statements
}

// counts are numbers that only grow.
type counts struct {
	deadlocks, temp int64
	known           bool
}

// NewPostgres returns a watcher of a PostgreSQL server. run is the run's identity.
func NewPostgres(a targets.Address, run string, log *slog.Logger) Watcher {
	host := a.URL.Hostname()
	return &postgresWatcher{address: a, run: run, log: log, stats: statements{log: log}, local: host == "" || host == "localhost" || strings.HasPrefix(host, "127.") || host == "::1"}
}

func (w *postgresWatcher) String() string {
	return "what PostgreSQL's processes wait for at " + w.address.String()
}

func (w *postgresWatcher) Watch(ctx context.Context, j *Journal) error {
	c, err := postgres.Connect(ctx, w.address, postgres.Options{Run: w.run + " evidence"})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = c.Close(ctx) // it is only read from
	}()
	w.rights(ctx, c)
	w.stats.by, w.stats.at = map[int64]*statement{}, j.Now()
	open, plans := newSpans(j), newSpans(j)
	defer open.end()
	defer plans.end()
	counted := j.Now()
	period := func() time.Duration {
		if len(open.open) > 0 {
			return closeLooks
		}
		return looks
	}
	return oftener(ctx, j, period, func(before float64) error {
		if err := w.look(ctx, c, j, open, before); err != nil {
			return err
		}
		open.sweep()
		if j.Now()-counted < 1000 {
			return nil
		}
		counted = j.Now()
		if err := w.count(ctx, c, j); err != nil {
			return err
		}
		if err := w.stats.look(ctx, c, j, plans); err != nil {
			return err
		}
		plans.sweep()
		return nil
	})
}

// rights says once what the user may not see.
func (w *postgresWatcher) rights(ctx context.Context, c *pgx.Conn) {
	var all bool
	err := c.QueryRow(ctx, "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'MEMBER')").Scan(&all)
	if err == nil && !all && !w.said {
		w.said = true
		w.log.Info("the database's user may not see what others' connections do: perfctl slow knows less of them; GRANT pg_read_all_stats allows it")
	}
}

// checkpointPause is what the checkpointer waits for that spreads its writing over the time
// that it has (checkpoint_completion_target).
const checkpointPause = "CheckpointWriteDelay"

// backend is what one server process does.
type backend struct {
	pid                                 int32
	kind, state, waitType, event, query string
	age                                 float64
	blockers                            []int32
}

func (w *postgresWatcher) look(ctx context.Context, c *pgx.Conn, j *Journal, open *spans, before float64) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	asked := j.Now()
	rows, err := c.Query(ctx, activity, "perfctl/"+w.run)
	if err != nil {
		return err
	}
	now := j.Now()
	all := map[int32]*backend{}
	for rows.Next() {
		p := &backend{}
		if err := rows.Scan(&p.pid, &p.kind, &p.state, &p.waitType, &p.event, &p.age, &p.query, &p.blockers); err != nil {
			return err
		}
		all[p.pid] = p
	}
	if err := rows.Err(); err != nil {
		return err
	}
	// The server may have taken its time: what it says is of some instant in between.
	if answered := j.Now(); answered-asked > long {
		open.j.Note(exemplars.Evidence{From: asked, To: answered, Source: "postgres", Kind: exemplars.Silent,
			What: fmt.Sprintf("a question about its own processes took %s", figure.WholeMillis(answered-asked))})
	}
	for _, p := range all {
		w.judge(p, all, open, before, now)
	}
	return nil
}

// judge notes what of a process is worth it.
func (w *postgresWatcher) judge(p *backend, all map[int32]*backend, open *spans, before, now float64) {
	// It cannot have begun before its statement did, nor before the last look.
	v := exemplars.Evidence{From: max(before, now-p.age), To: now, Source: "postgres", Process: uint32(p.pid)}
	key := strconv.Itoa(int(p.pid)) + " "
	switch {
	case p.kind == "checkpointer":
		if p.event == checkpointPause { // it has time, and takes it: most do, for minutes
			return
		}
		v.From, v.Process, v.Kind, v.What = before, 0, exemplars.Checkpoint, "a checkpoint is being written"
	case p.kind == "autovacuum worker":
		v.Kind, v.What, v.From = exemplars.Vacuum, p.query, before
	case p.waitType == "Lock":
		v.Kind, v.What = exemplars.Lock, p.event+" lock, for: "+p.query
		for _, b := range roots(p, all) {
			v.Blockers = append(v.Blockers, uint32(b))
			if o := all[b]; o != nil && v.By == "" {
				v.By = o.doing()
			}
		}
		if len(v.Blockers) == 0 {
			return // it is given the lock at this very moment
		}
		key += fmt.Sprint(v.Blockers)
	case w.local && stopped(p.pid):
		v.From, v.Kind, v.What = before, exemplars.Stopped, "the process is stopped by a signal"
	case p.state != "active" || p.age < longWait || p.waitType == "Client" || p.waitType == "" && p.age < long:
		return
	case p.waitType == "":
		v.From, v.Kind, v.What = now-p.age, exemplars.Busy, p.query
	default:
		v.From = now - min(p.age, exemplars.Millis(looks))
		v.Kind, v.Waited, v.Disk = exemplars.Waits, p.waitType+" "+p.event, p.waitsForDisk()
		v.What = v.Waited + ", in: " + p.query
	}
	open.see(key+v.Kind, v)
}

// roots returns the processes that one waits for in the end: those that it waits for may
// wait themselves.
func roots(p *backend, all map[int32]*backend) (out []int32) {
	seen := map[int32]bool{p.pid: true}
	var follow func(*backend)
	follow = func(p *backend) {
		for _, b := range p.blockers {
			if seen[b] {
				continue
			}
			seen[b] = true
			if o := all[b]; o != nil && len(o.blockers) > 0 {
				follow(o)
			} else {
				out = append(out, b)
			}
		}
	}
	follow(p)
	slices.Sort(out)
	return out
}

// doing says what a process that others wait for does.
func (p *backend) doing() string {
	switch {
	case p.query == "":
		return p.kind
	case p.state == "active" || p.state == "":
		return p.query
	}
	return p.state + ", after: " + p.query
}

// waitsForDisk says whether what a process waits for is the disk, or another process that
// writes the log to it.
func (p *backend) waitsForDisk() bool {
	return p.waitType == "IO" || p.waitType == "LWLock" && strings.HasPrefix(p.event, "WAL")
}

// stopped says whether a process of this machine that is PostgreSQL's is stopped.
func stopped(pid int32) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/stat")
	if err != nil {
		return false
	}
	name, rest, ok := strings.Cut(string(text), ") ")
	return ok && strings.Contains(name, "(postgres") && strings.HasPrefix(rest, "T")
}

// count notes what the database counts: deadlocks and temporary files.
func (w *postgresWatcher) count(ctx context.Context, c *pgx.Conn, j *Journal) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var now counts
	if err := c.QueryRow(ctx, "SELECT deadlocks, temp_bytes FROM pg_stat_database WHERE datname = current_database()").Scan(&now.deadlocks, &now.temp); err != nil {
		return err
	}
	was := w.counts
	now.known = true
	w.counts = now
	if !was.known {
		return nil
	}
	at := j.Now()
	v := exemplars.Evidence{From: at - 1000, To: at, Source: "postgres"}
	if n := now.deadlocks - was.deadlocks; n > 0 {
		v.Kind, v.What = exemplars.Deadlock, fmt.Sprintf("%d deadlocks were broken, each after deadlock_timeout", n)
		j.Note(v)
	}
	if n := now.temp - was.temp; n > 0 {
		v.Kind, v.What = exemplars.Temp, fmt.Sprintf("%d bytes of temporary files were written: work_mem is too small for a query", n)
		j.Note(v)
	}
	return nil
}
