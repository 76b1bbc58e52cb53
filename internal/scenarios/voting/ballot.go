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
// proposal. Within it, open proposals take turns until every agent has voted on
// each, then the next ones are opened: how long a decision takes is then for
// the system to say and not for the length of the round.
type layout struct{ agents, proposals, open int64 }

func (l layout) round() int64 { return l.agents * l.proposals }

// place returns the proposal and the agent of the vote with that number.
func (l layout) place(n int64) (proposal, agent int64) {
	round, i := n/l.round(), n%l.round()
	first := i / (l.agents * l.open) * l.open
	width := min(l.open, l.proposals-first)
	i -= first * l.agents
	return round*l.proposals + first + i%width, i / width
}

// ballot returns the vote of the scenario's arrival n. Seven in ten agents say
// yes, two no and one abstains.
func (l layout) ballot(seed uint64, n int64) ballot {
	var b ballot
	b.proposal, b.agent = l.place(n)
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
	round, i := n/l.round(), n%l.round()
	first := i / (l.agents * l.open) * l.open
	return round*l.proposals + first + min(i-first*l.agents, l.open, l.proposals-first)
}
