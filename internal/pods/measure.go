package pods

import (
	"context"
	"time"

	"github.com/perfctl/perfctl/internal/cluster"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
)

// measuring bounds what a pod that measures itself takes besides getting to run.
const measuring = 2 * time.Minute

// Measure has one pod measure itself under the limits that the run's pods will have, and
// returns what it said, and what the cluster has left for more of them; free is why that
// is not known. Nothing stays in the cluster. The error carries its exit code.
func (j *Job) Measure(ctx context.Context) (said []byte, left cluster.Free, free, err error) {
	image, values, err := j.pod()
	if err != nil {
		return nil, left, nil, err
	}
	id := run.NewID()
	parcel, err := cluster.Pack(&cluster.Manifest{Run: id, Shards: 1, Version: j.Version, Barrier: measuring, Hold: measuring}, nil)
	if err != nil {
		return nil, left, nil, err
	}
	left, free = j.Client.Free(ctx, values) // before there is one more
	spec := &cluster.Spec{
		Run: id, Profile: "doctor", Namespace: j.Namespace, Image: image, Shards: 1, Values: *values, Parcel: parcel, Secret: map[string]string{},
		Deadline: j.Wait + measuring, TTL: measuring, Args: cluster.MeasureArgs,
	}
	if err := j.Client.Create(ctx, spec); err != nil {
		return nil, left, nil, exitcode.With(exitcode.Unreachable, err)
	}
	r := &Run{Client: j.Client, Show: j.Show, ID: id}
	defer r.remove()
	k := &cluster.Conductor{
		Client: j.Client, Run: id, Shards: 1, Want: cluster.Want{Version: j.Version, Plan: cluster.ParcelHash(parcel)}, Stop: j.Stops, Patience: j.Wait,
		Voice: sink{r},
	}
	said, err = k.Measure(ctx)
	return said, left, free, r.explain(err)
}
