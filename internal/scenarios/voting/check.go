package voting

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// The names in the account: how many votes the client knows to be committed, of how
// many it does not know, and how many of those are there; then the faults. Lost votes
// were committed and are not there; phantom ones are there and nobody cast them;
// flipped ones say something else than was cast; duplicated ones are there once more;
// mismatched tallies are not what a recount of the votes gives. Then what the reader
// saw, and how many proposals were opened and decided.
const (
	sumCast, sumUnknown, sumRecovered                      = "cast", "unknown", "recovered"
	faultLost, faultPhantom, faultFlipped, faultDuplicated = "lost", "phantom", "flipped", "duplicated"
	faultMismatched                                        = "mismatched"
	sumReads, sumOutside, sumUnseen                        = "readings", "readings_outside", "decisions_unseen"
	sumOpened, sumDecided                                  = "proposals_opened", "proposals_decided"
	factAgents, factMode, factQuorum                       = "agents", "tally", "quorum"
)

// whose names the vote that a fault is about.
func whose(b ballot, more string) string {
	return fmt.Sprintf("agent %d on proposal %d%s", b.agent, b.proposal, more)
}

var choiceNames = [choices]string{"yes", "no", "abstain"}

func choiceName(c int) string {
	if c < 0 || c >= choices {
		return strconv.Itoa(c)
	}
	return choiceNames[c]
}

// Account recounts the votes in one snapshot of the server, as Jepsen's set checker
// does: what was acknowledged must be there, and nothing else may be. A shard counts its
// own votes, the first one compares the tallies of all.
func (s *scenario) Account(ctx context.Context) (*scenarios.Account, error) {
	c, err := postgres.Connect(ctx, s.address, s.options)
	if err != nil {
		return nil, err
	}
	defer c.Close(context.WithoutCancel(ctx))
	a := scenarios.NewAccount()
	a.Facts[factAgents], a.Facts[factMode] = strconv.FormatInt(s.agents, 10), s.mode
	a.Facts[factQuorum] = strconv.FormatInt(s.quorum, 10)
	opts := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, c, opts, func(tx pgx.Tx) error {
		if err := s.readVotes(ctx, tx, a); err != nil {
			return err
		}
		if !s.env.Plan.First() {
			a.Sums[sumDecided] = s.decisions.Load()
			return nil
		}
		return s.compareTally(ctx, tx, a)
	})
	if err != nil {
		return nil, fmt.Errorf("recount the votes in %s: %w", s.votes, err)
	}
	s.weigh(a)
	s.accuracy.Set(accuracyOf(a))
	s.decided.Set(float64(a.Sums[sumDecided]))
	a.Sums[sumOpened] = int64(s.opened())
	if o := s.observer; o != nil {
		a.Sums[sumReads], a.Sums[sumOutside], a.Sums[sumUnseen] = o.reads.Load(), o.outside.Load(), o.unseen.Load()
		if first := o.first.Load(); first != nil {
			a.Named[sumOutside] = []string{*first}
		}
	}
	if s.env.Plan.Sharded() {
		part, err := s.shares()
		if err != nil {
			return nil, err
		}
		a.Parts = [][]byte{part}
	}
	return a, nil
}

// wrong is how many faults there are.
func wrong(a *scenarios.Account) (n int64) {
	for _, fault := range []string{faultLost, faultPhantom, faultFlipped, faultDuplicated, faultMismatched} {
		n += a.Sums[fault]
	}
	return n
}

// accuracyOf is the share of the votes that nothing is wrong with.
func accuracyOf(a *scenarios.Account) float64 {
	n, faults := a.Sums[sumCast]+a.Sums[sumRecovered], wrong(a)
	switch {
	case n > 0:
		return max(1-float64(faults)/float64(n), 0)
	case faults > 0:
		return 0
	}
	return 1
}

// weighVotes makes the checks of what was recounted.
func weighVotes(a *scenarios.Account) (out scenarios.Weighed, err error) {
	check := func(name, fault, format string, more ...any) {
		out.Checks = append(out.Checks, scenarios.Check{Name: name, Passed: a.Sums[fault] == 0,
			Detail: fmt.Sprintf(format, append([]any{a.Sums[fault]}, more...)...) + a.Who(fault, ": ")})
	}
	check("votes_lost", faultLost, "%d of %d committed votes are not there (%d of unknown outcome, of which %d are)", a.Sums[sumCast], a.Sums[sumUnknown], a.Sums[sumRecovered])
	out.Checks[0].Balance = &scenarios.Balance{Kept: a.Sums[sumCast], Lost: a.Sums[faultLost], Duplicated: a.Sums[faultDuplicated], Unknown: a.Sums[sumUnknown]}
	check("votes_phantom", faultPhantom, "%d votes that nobody cast, or that were refused, are there")
	check("votes_flipped", faultFlipped, "%d votes do not say what was cast")
	check("votes_duplicated", faultDuplicated, "%d votes are there once more")
	if a.Facts[factMode] != computed {
		check("tally_mismatch", faultMismatched, "%d tallies are not what the votes add up to")
	}
	detail := fmt.Sprintf("%d of %d readings of a tally during the run lack a committed vote or hold one that was never sent", a.Sums[sumOutside], a.Sums[sumReads])
	for _, first := range a.Named[sumOutside][:min(len(a.Named[sumOutside]), 1)] {
		detail += ": " + first
	}
	if n := a.Sums[sumUnseen]; n > 0 {
		detail += fmt.Sprintf("; %d decisions were not seen by the reader", n)
	}
	out.Checks = append(out.Checks, scenarios.Check{Name: "tally_readings", Passed: a.Sums[sumOutside] == 0, Detail: detail})
	opened := a.Sums[sumOpened]
	if len(a.Parts) > 0 {
		opened, out.Values, err = together(a)
	}
	out.Checks = append(out.Checks, scenarios.Check{Name: "vote_count_accuracy", Passed: wrong(a) == 0,
		Detail: fmt.Sprintf("%.4g%% of %d votes; %d of %d proposals decided", accuracyOf(a)*100, a.Sums[sumCast]+a.Sums[sumRecovered], a.Sums[sumDecided], opened)})
	return out, err
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

func (s *scenario) readVotes(ctx context.Context, tx pgx.Tx, a *scenarios.Account) error {
	rows, err := tx.Query(ctx, "SELECT number, proposal, agent, choice FROM "+s.votes)
	if err != nil {
		return err
	}
	var n int64
	var b ballot
	_, err = pgx.ForEachRow(rows, []any{&n, &b.proposal, &b.agent, &b.choice}, func() error {
		if n >= 0 && !s.env.Plan.Mine(n) || n < 0 && !s.env.Plan.First() {
			return nil // another shard's to count
		}
		w := s.log.Get(n)
		switch want := s.ballot(s.env.Seed, n); {
		case n < 0 || w.Outcome == postgres.NotSent || w.Outcome == postgres.Refused:
			a.Fault(faultPhantom, whose(b, ""))
			return nil
		case w.Seen > 0:
			a.Fault(faultDuplicated, whose(b, ""))
			return nil
		case !says(b, want, int(w.Rows)):
			a.Fault(faultFlipped, whose(want, fmt.Sprintf(" (now agent %d on proposal %d: %s)", b.agent, b.proposal, choiceName(b.choice))))
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
func (s *scenario) compareTally(ctx context.Context, tx pgx.Tx, a *scenarios.Account) error {
	a.Sums[sumDecided] = s.decisions.Load()
	if s.env.Plan.Sharded() && s.mode != hotRow { // no single shard could tell
		var n int64
		sql := fmt.Sprintf("SELECT count(DISTINCT proposal) FROM (SELECT proposal FROM %s GROUP BY proposal, choice HAVING count(*) >= %d) x", s.votes, s.quorum)
		if err := tx.QueryRow(ctx, sql).Scan(&n); err != nil {
			return err
		}
		a.Sums[sumDecided] = n
	}
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
		a.Fault(faultMismatched, fmt.Sprintf("proposal %d has %d votes for %s and a tally of %d", proposal, votes, choiceName(choice), tallied))
		return nil
	})
	return err
}

func (s *scenario) weigh(a *scenarios.Account) {
	s.log.Each(func(w postgres.Write) {
		switch w.Outcome {
		case postgres.Committed:
			a.Sums[sumCast]++
			if w.Seen == 0 {
				a.Fault(faultLost, whose(s.ballot(s.env.Seed, w.N), ""))
			}
		case postgres.Unknown:
			a.Sums[sumUnknown]++
			a.Sums[sumRecovered] += w.Seen
		}
	})
}
