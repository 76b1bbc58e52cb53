package voting

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/scenarios"
)

// The votes on a proposal come from all shards of a run. A hot row of the tally tells
// which of them made the quorum: the database counts, as it does for any client. In the
// other modes nothing tells that while the run goes on: each shard keeps when its votes
// were committed, and the one that made the quorum is found when all are put together;
// when a reader could have seen that is not known then. How long a decision took is known
// only then in any mode, for the first vote may have been another's.

// instant is a time and a stage in one number, so that both change at once.
type instant int64

const stageBits = 8

func instantOf(at time.Duration, stage int) instant {
	return instant(int64(at)<<stageBits | int64(stage&(1<<stageBits-1)))
}

func (i instant) at() time.Duration { return time.Duration(i >> stageBits) }
func (i instant) stage() int        { return int(i & (1<<stageBits - 1)) }

// committedHere notes a vote of this shard that was committed.
func (s *scenario) committedHere(a *work.Arrival, p *proposal, b ballot, v answer) {
	p.all.Add(1)
	raise(&p.newest, int64(instantOf(v.committed, a.Stage)))
	if s.mode != hotRow {
		p.mu.Lock()
		p.committed[b.choice] = append(p.committed[b.choice], vote{int64(a.Due), int64(v.committed), int64(a.Stage)})
		p.mu.Unlock()
		return
	}
	if v.tally != s.quorum || !p.done.CompareAndSwap(false, true) {
		return
	}
	s.decisions.Add(1)
	p.decided.Store(int64(instantOf(v.committed, a.Stage)))
	s.lag.Record(a.Stage, v.committed-time.Duration(p.last[b.choice].Load()))
	s.observer.look(decision{proposal: b.proposal, choice: b.choice, stage: a.Stage, committed: v.committed})
}

// vote is when a vote was due, when it was committed, and its stage. In an account the
// times are in nanoseconds after those of the proposal's opening in the shard.
type vote [3]int64

// share is what one shard knows of a proposal. Times are in nanoseconds since 1970.
type share struct {
	Proposal int64 `json:"p"`
	// Opened is when its first vote here was due, Votes how many were committed.
	Opened int64 `json:"o"`
	Votes  int64 `json:"n"`
	// Newest is when the last of them was, Decided when one of them made the quorum,
	// Seen when the reader saw it: 0 for never, and the stages that they count for.
	Newest       int64 `json:"l,omitempty"`
	NewestStage  int   `json:"ls,omitempty"`
	Decided      int64 `json:"d,omitempty"`
	DecidedStage int   `json:"ds,omitempty"`
	Seen         int64 `json:"v,omitempty"`
	// Committed are its votes by choice, where no row of the tally tells which decided.
	Committed [choices][]vote `json:"c,omitzero"`
}

// shares are the proposals that got a vote of this shard.
func (s *scenario) shares() ([]byte, error) {
	wall := func(d time.Duration) int64 { return s.env.Clock.Time(d).UnixNano() }
	var all []share
	for i := range s.proposals {
		p := &s.proposals[i]
		opened := p.opened.Load()
		if opened == 0 {
			continue
		}
		x := share{Proposal: int64(i), Opened: wall(time.Duration(opened - 1)), Votes: p.all.Load()}
		if at := instant(p.newest.Load()); at != 0 {
			x.Newest, x.NewestStage = wall(at.at()), at.stage()
		}
		if at := instant(p.decided.Load()); at != 0 {
			x.Decided, x.DecidedStage = wall(at.at()), at.stage()
		}
		if at := p.seen.Load(); at != 0 {
			x.Seen = wall(time.Duration(at))
		}
		p.mu.Lock()
		for c, votes := range p.committed {
			for _, m := range votes {
				x.Committed[c] = append(x.Committed[c], vote{m[0] - (opened - 1), m[1] - (opened - 1), m[2]})
			}
		}
		p.mu.Unlock()
		all = append(all, x)
	}
	return json.Marshal(all)
}

// together puts the shards' knowledge of the proposals together: how many got a vote,
// and how long each took to be decided, to be seen so, and to have all votes.
func together(a *scenarios.Account) (opened int64, values []scenarios.Value, err error) {
	agents, _ := strconv.ParseInt(a.Facts[factAgents], 10, 64) // 0 decides nothing
	quorum, _ := strconv.Atoi(a.Facts[factQuorum])             // as above
	whole := map[int64]*share{}
	for _, part := range a.Parts {
		var all []share
		if err := json.Unmarshal(part, &all); err != nil {
			return 0, nil, fmt.Errorf("the votes of a shard: %w", err)
		}
		for _, x := range all {
			x.fromThen()
			w := whole[x.Proposal]
			if w == nil {
				whole[x.Proposal] = &x
				continue
			}
			w.Opened, w.Votes = min(w.Opened, x.Opened), w.Votes+x.Votes
			if x.Newest > w.Newest {
				w.Newest, w.NewestStage = x.Newest, x.NewestStage
			}
			if x.Decided != 0 {
				w.Decided, w.DecidedStage, w.Seen = x.Decided, x.DecidedStage, x.Seen
			}
			for c := range x.Committed {
				w.Committed[c] = append(w.Committed[c], x.Committed[c]...)
			}
		}
	}
	for _, w := range whole {
		if lag, found := w.decide(quorum); found {
			values = append(values, scenarios.Value{Desc: consensusLag, Stage: w.DecidedStage, At: time.Unix(0, w.Decided), Value: lag})
		}
		for _, v := range []struct {
			at    int64
			stage int
			of    scenarios.Value
		}{
			{w.Decided, w.DecidedStage, scenarios.Value{Desc: consensusTime}},
			{w.Seen, w.DecidedStage, scenarios.Value{Desc: visibleTime}},
			{w.Newest, w.NewestStage, scenarios.Value{Desc: allTime}},
		} {
			if v.at == 0 || v.of.Desc.Name == allTime.Name && w.Votes != agents {
				continue
			}
			v.of.Stage, v.of.At, v.of.Value = v.stage, time.Unix(0, v.at), time.Duration(v.at-w.Opened)
			values = append(values, v.of)
		}
	}
	return int64(len(whole)), values, nil
}

// fromThen counts the times of the votes from 1970 on, as all others.
func (x *share) fromThen() {
	for c := range x.Committed {
		for i := range x.Committed[c] {
			x.Committed[c][i][0] += x.Opened
			x.Committed[c][i][1] += x.Opened
		}
	}
}

// decide finds the vote that made the quorum among those of all shards, and how long after
// the newest of the votes up to it was due it was committed.
func (x *share) decide(quorum int) (lag time.Duration, found bool) {
	if quorum < 1 {
		return 0, false
	}
	for _, votes := range x.Committed {
		if len(votes) < quorum {
			continue
		}
		slices.SortFunc(votes, func(a, b vote) int { return cmp.Compare(a[1], b[1]) })
		by := votes[quorum-1]
		if found && x.Decided <= by[1] {
			continue
		}
		newest := by[0]
		for _, v := range votes[:quorum] {
			newest = max(newest, v[0])
		}
		x.Decided, x.DecidedStage, lag, found = by[1], int(by[2]), time.Duration(by[1]-newest), true
	}
	return lag, found
}
