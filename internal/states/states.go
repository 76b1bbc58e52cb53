// Package states holds the words for what a run came to and for the state of its
// generator, as files, exit and views have them. It is a leaf: what they mean is decided
// in summary and in engine/health.
package states

// The states of a generator.
const (
	GeneratorValid   = "valid"
	GeneratorSuspect = "suspect"
	GeneratorInvalid = "invalid"
)

// What a run comes to.
const (
	Pass = "pass"
	Fail = "fail"
	// Incomplete is a run of which data is missing: it was killed, or a shard of it is
	// not there.
	Incomplete  = "incomplete"
	Invalid     = "invalid"
	Interrupted = "interrupted"
)
