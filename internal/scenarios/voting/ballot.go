package voting

import "github.com/perfctl/perfctl/internal/engine/work"

// The choices.
const (
	yes = iota
	no
	abstain
	choices
)

// The random streams of a vote.
const (
	streamChoice = 0x766f746501 + iota
	streamResubmit
	streamConflict
)

// ballot is one vote.
type ballot struct {
	proposal, agent int64
	choice          int
}

// layout says which vote an arrival is. A round is every agent's vote on every
// proposal; within it the proposals take turns, so that the votes on one are
// spread over the whole round and those at one time are on different ones.
type layout struct{ agents, proposals int64 }

func (l layout) round() int64 { return l.agents * l.proposals }

// ballot returns the vote of the scenario's arrival n. Seven in ten agents say
// yes, two no and one abstains.
func (l layout) ballot(seed uint64, n int64) ballot {
	round, i := n/l.round(), n%l.round()
	b := ballot{proposal: round*l.proposals + i%l.proposals, agent: i / l.proposals}
	switch h := work.Mix(seed, uint64(n), streamChoice) % 10; {
	case h < 7:
		b.choice = yes
	case h < 9:
		b.choice = no
	default:
		b.choice = abstain
	}
	return b
}

// proposalsOf returns how many proposals the first n votes touch.
func (l layout) proposalsOf(n int64) int64 {
	full := n / l.round() * l.proposals
	return full + min(n%l.round(), l.proposals)
}
