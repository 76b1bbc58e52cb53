package flags

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/run"
)

// Barrier say where the shards of a run meet.
type Barrier struct {
	barrier  string
	patience time.Duration
}

// defaultPatience is how long the shards of a run wait for each other to come.
const defaultPatience = time.Minute

// Register makes the flags.
func (f *Barrier) Register(fs *pflag.FlagSet) {
	fs.StringVar(&f.barrier, "barrier", "", "meet the other shards of the run in `DIR`, a folder that all of them see, or at tcp://HOST:PORT, where shard 0 waits for them (default for shards that share tables, keys or a queue: one in the temporary folder of this machine)")
	fs.DurationVar(&f.patience, "barrier-timeout", defaultPatience, "how long the other shards may take to come to the barrier")
}

// Where says where the shards of a run with that identity meet.
func (f *Barrier) Where(id string) run.Barrier {
	return run.Barrier{
		Where: f.barrier, Folder: filepath.Join(os.TempDir(), fmt.Sprintf("perfctl-%d", os.Getuid())), Patience: f.patience, ID: id,
	}
}
