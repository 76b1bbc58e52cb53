package voting

import (
	"context"
	"fmt"

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
	// mismatched tallies are not what a recount of the votes gives.
	lost, phantom, flipped, mismatched int64
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
	wrong := r.lost + r.phantom + r.flipped + r.mismatched
	share := 1.0
	if n := r.cast + r.recovered; n > 0 {
		share = max(1-float64(wrong)/float64(n), 0)
	} else if wrong > 0 {
		share = 0
	}
	s.accuracy.Set(share)
	checks := []scenarios.Check{
		{Name: "votes_lost", Passed: r.lost == 0, Detail: fmt.Sprintf("%d of %d committed votes are not there (%d of unknown outcome, of which %d are)", r.lost, r.cast, r.unknown, r.recovered)},
		{Name: "votes_phantom", Passed: r.phantom == 0, Detail: fmt.Sprintf("%d votes that nobody cast, or that were refused, are there", r.phantom)},
		{Name: "votes_flipped", Passed: r.flipped == 0, Detail: fmt.Sprintf("%d votes do not say what was cast", r.flipped)},
	}
	if s.mode != computed {
		checks = append(checks, scenarios.Check{Name: "tally_mismatch", Passed: r.mismatched == 0, Detail: fmt.Sprintf("%d tallies are not what the votes add up to", r.mismatched)})
	}
	return append(checks, scenarios.Check{Name: "vote_count_accuracy", Passed: wrong == 0,
		Detail: fmt.Sprintf("%.4g%% of %d votes; %d of %d proposals decided", share*100, r.cast+r.recovered, s.decisions.Load(), s.opened())}), nil
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
		switch {
		case n < 0 || w.Outcome == postgres.NotSent || w.Outcome == postgres.Refused || w.Seen > 0:
			r.phantom++
		case b != s.ballot(s.env.Seed, n):
			r.flipped++
			s.log.See(n)
		default:
			s.log.See(n)
		}
		return nil
	})
	return err
}

// compareTally counts the proposals' choices whose tally differs from their
// votes, in either direction.
func (s *scenario) compareTally(ctx context.Context, tx pgx.Tx, r *recount) error {
	if s.mode == computed {
		return nil
	}
	tally := "SELECT proposal, choice, sum(votes)::bigint AS votes FROM " + s.tally + " GROUP BY 1, 2 HAVING sum(votes) <> 0"
	votes := "SELECT proposal, choice, count(*) AS votes FROM " + s.votes + " GROUP BY 1, 2"
	sql := fmt.Sprintf("SELECT count(DISTINCT (proposal, choice)) FROM ((%[1]s EXCEPT %[2]s) UNION ALL (%[2]s EXCEPT %[1]s)) d", "("+tally+")", "("+votes+")")
	return tx.QueryRow(ctx, sql).Scan(&r.mismatched)
}

func (s *scenario) weigh(r *recount) {
	s.log.Each(func(w postgres.Write) {
		switch w.Outcome {
		case postgres.Committed:
			r.cast++
			if w.Seen == 0 {
				r.lost++
			}
		case postgres.Unknown:
			r.unknown++
			r.recovered += w.Seen
		}
	})
}
