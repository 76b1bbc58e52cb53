package targets

import (
	"context"
	"errors"
	"fmt"
)

// ErrClaimed says that somebody else works under the name that was to be claimed.
var ErrClaimed = errors.New("another run with this identity is under way")

// Claim is a name that is held at a target, so that no other run works under it. What
// ends the process ends it too.
type Claim interface {
	// Release gives the name back. It is to be called once.
	Release(ctx context.Context)
}

// Claimed is the error of a name that is taken.
func Claimed(a Address, name string) error {
	return Unreachable(a, fmt.Sprintf("begin the run %s", name), ErrClaimed,
		"wait until that run has ended, or use another --run-id; the shards of one run have different --shard numbers")
}
