package voting

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// recount is what the server's votes are against the client's log.
type recount struct {
	// cast is how many votes the client knows to be committed, unknown of how
	// many it does not know, recovered how many of those are there.
	cast, unknown, recovered int64
	// lost votes were committed and are not there; phantom ones are there and
	// nobody cast them; flipped ones say something else than was cast;
	// duplicated ones are there once more; mismatched tallies are not what a
	// recount of the votes gives.
	lost, phantom, flipped, duplicated, mismatched named
}

// named counts faults and names the first of them.
type named struct {
	n   int64
	who []string
}

// maxNamed is how many faults are named.
const maxNamed = 5

func (f *named) add(b ballot, more string) {
	if f.n++; f.n <= maxNamed {
		f.who = append(f.who, fmt.Sprintf("agent %d on proposal %d%s", b.agent, b.proposal, more))
	}
}

// String returns the names for a message, with a leading colon; nothing where
// there are none.
func (f *named) String() string {
	if len(f.who) == 0 {
		return ""
	}
	more := ""
	if f.n > maxNamed {
		more = " …"
	}
	return ": " + strings.Join(f.who, ", ") + more
}

var choiceNames = [choices]string{"yes", "no", "abstain"}

func choiceName(c int) string {
	if c < 0 || c >= choices {
		return strconv.Itoa(c)
	}
	return choiceNames[c]
}

// Check recounts the votes in one snapshot of the server, as Jepsen's set
// checker does: what was acknowledged must be there, and nothing else may be.
func (s *scenario) Check(ctx context.Context) ([]scenarios.Check, error) {
	c, err := postgres.Connect(ctx, s.address, s.options)
	if err != nil {
		return nil, err
	}
	defer c.Close(context.WithoutCancel(ctx))
	var r recount
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, c, opts, func(tx pgx.Tx) error {
		if err := s.readVotes(ctx, tx, &r); err != nil {
			return err
		}
		return s.compareTally(ctx, tx, &r)
	})
	if err != nil {
		return nil, fmt.Errorf("recount the votes in %s: %w", s.votes, err)
	}
	s.weigh(&r)
	wrong := r.lost.n + r.phantom.n + r.flipped.n + r.duplicated.n + r.mismatched.n
	share := 1.0
	if n := r.cast + r.recovered; n > 0 {
		share = max(1-float64(wrong)/float64(n), 0)
	} else if wrong > 0 {
		share = 0
	}
	s.accuracy.Set(share)
	return s.verdicts(&r, wrong, share), nil
}

func (s *scenario) verdicts(r *recount, wrong int64, share float64) []scenarios.Check {
	check := func(name string, f *named, format string, more ...any) scenarios.Check {
		return scenarios.Check{Name: name, Passed: f.n == 0, Detail: fmt.Sprintf(format, append([]any{f.n}, more...)...) + f.String()}
	}
	checks := []scenarios.Check{
		check("votes_lost", &r.lost, "%d of %d committed votes are not there (%d of unknown outcome, of which %d are)", r.cast, r.unknown, r.recovered),
		check("votes_phantom", &r.phantom, "%d votes that nobody cast, or that were refused, are there"),
		check("votes_flipped", &r.flipped, "%d votes do not say what was cast"),
		check("votes_duplicated", &r.duplicated, "%d votes are there once more"),
	}
	if s.mode != computed {
		checks = append(checks, check("tally_mismatch", &r.mismatched, "%d tallies are not what the votes add up to"))
	}
	if o := s.observer; o != nil {
		detail := fmt.Sprintf("%d of %d readings of a tally during the run lack a committed vote or hold one that was never sent", o.outside.Load(), o.reads.Load())
		if first := o.first.Load(); first != nil {
			detail += ": " + *first
		}
		if n := o.unseen.Load(); n > 0 {
			detail += fmt.Sprintf("; %d decisions were not seen by the reader", n)
		}
		checks = append(checks, scenarios.Check{Name: "tally_readings", Passed: o.outside.Load() == 0, Detail: detail})
	}
	return append(checks, scenarios.Check{Name: "vote_count_accuracy", Passed: wrong == 0,
		Detail: fmt.Sprintf("%.4g%% of %d votes; %d of %d proposals decided", share*100, r.cast+r.recovered, s.decisions.Load(), s.opened())})
}

// opened is how many proposals got a vote.
func (s *scenario) opened() (n int) {
	for i := range s.proposals {
		if s.proposals[i].opened.Load() != 0 {
			n++
		}
	}
	return n
}

func (s *scenario) readVotes(ctx context.Context, tx pgx.Tx, r *recount) error {
	rows, err := tx.Query(ctx, "SELECT number, proposal, agent, choice FROM "+s.votes)
	if err != nil {
		return err
	}
	var n int64
	var b ballot
	_, err = pgx.ForEachRow(rows, []any{&n, &b.proposal, &b.agent, &b.choice}, func() error {
		w := s.log.Get(n)
		switch want := s.ballot(s.env.Seed, n); {
		case n < 0 || w.Outcome == postgres.NotSent || w.Outcome == postgres.Refused:
			r.phantom.add(b, "")
			return nil
		case w.Seen > 0:
			r.duplicated.add(b, "")
			return nil
		case !says(b, want, int(w.Rows)):
			r.flipped.add(want, fmt.Sprintf(" (now agent %d on proposal %d: %s)", b.agent, b.proposal, choiceName(b.choice)))
		}
		s.log.See(n)
		return nil
	})
	return err
}

// says tells whether what is there is the vote that was cast. logged is the
// choice that counts, or either.
func says(there, cast ballot, logged int) bool {
	if there == rivalOf(cast) && logged == either {
		return true
	}
	if logged != either {
		cast.choice = logged
	}
	return there == cast
}

// compareTally finds the proposals' choices whose tally differs from their
// votes, in either direction.
func (s *scenario) compareTally(ctx context.Context, tx pgx.Tx, r *recount) error {
	if s.mode == computed {
		return nil
	}
	sql := fmt.Sprintf(`SELECT proposal, choice, coalesce(t.votes, 0), coalesce(v.votes, 0)
		FROM (SELECT proposal, choice, sum(votes)::bigint AS votes FROM %s GROUP BY 1, 2) t
		FULL JOIN (SELECT proposal, choice, count(*) AS votes FROM %s GROUP BY 1, 2) v USING (proposal, choice)
		WHERE coalesce(t.votes, 0) <> coalesce(v.votes, 0) ORDER BY 1, 2`, s.tally, s.votes)
	rows, err := tx.Query(ctx, sql)
	if err != nil {
		return err
	}
	var proposal, tallied, votes int64
	var choice int
	_, err = pgx.ForEachRow(rows, []any{&proposal, &choice, &tallied, &votes}, func() error {
		m := &r.mismatched
		if m.n++; m.n <= maxNamed {
			m.who = append(m.who, fmt.Sprintf("proposal %d has %d votes for %s and a tally of %d", proposal, votes, choiceName(choice), tallied))
		}
		return nil
	})
	return err
}

func (s *scenario) weigh(r *recount) {
	s.log.Each(func(w postgres.Write) {
		switch w.Outcome {
		case postgres.Committed:
			r.cast++
			if w.Seen == 0 {
				r.lost.add(s.ballot(s.env.Seed, w.N), "")
			}
		case postgres.Unknown:
			r.unknown++
			r.recovered += w.Seen
		}
	})
}
