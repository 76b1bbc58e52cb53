package rundir

import "github.com/perfctl/perfctl/internal/rundir/exemplars"

// mergeExemplars puts together what was kept of single arrivals beside each shard.
func mergeExemplars(shards []*shard, info *RunInfo, out string) error {
	parts := make([]exemplars.Part, len(shards))
	for i, s := range shards {
		parts[i] = exemplars.Part{Shard: s.run.Info.Shard, Dir: s.run.Dir}
	}
	notes, err := exemplars.Merge(parts, out)
	info.Merged.Notes = append(info.Merged.Notes, notes...)
	return err
}
