package cluster

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Found is a run that is in a cluster.
type Found struct {
	Run, Profile string
	Shards       int
	Made         time.Time
	// Active, Succeeded and Failed are pods.
	Active, Succeeded, Failed int
	// Over says that none of its pods runs any more.
	Over bool
	// Plan is the hash of its plan, Planned how long it takes from its start.
	Plan    string
	Planned time.Duration
	// AbortOnFail says that a rule may end it, but not before AbortAfter.
	AbortOnFail bool
	AbortAfter  time.Duration
}

// notePlanned is how long a run takes, in seconds; noteAbortAfter, where it is there, from
// when on a rule may end it.
const (
	notePlanned    = annotationPrefix + "planned"
	noteAbortAfter = annotationPrefix + "abort-after"
)

func foundOf(j *batchv1.Job) Found {
	f := Found{
		Run: j.Labels[labelRun], Profile: j.Annotations[noteProfile], Plan: j.Annotations[notePlan], Made: j.CreationTimestamp.Time,
		Active: int(j.Status.Active), Succeeded: int(j.Status.Succeeded), Failed: int(j.Status.Failed),
	}
	if j.Spec.Completions != nil {
		f.Shards = int(*j.Spec.Completions)
	}
	if s, err := strconv.ParseFloat(j.Annotations[notePlanned], 64); err == nil {
		f.Planned = time.Duration(s * float64(time.Second))
	}
	if d, err := time.ParseDuration(j.Annotations[noteAbortAfter]); err == nil {
		f.AbortOnFail, f.AbortAfter = true, d
	}
	for _, c := range j.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == "True" {
			f.Over = true
		}
	}
	return f
}

// Runs lists the runs in the namespace, the newest first.
func (c *Client) Runs(ctx context.Context) ([]Found, error) {
	jobs, err := c.jobs(ctx)
	if err != nil {
		return nil, err
	}
	var out []Found
	for i := range jobs {
		out = append(out, foundOf(&jobs[i]))
	}
	slices.SortFunc(out, func(a, b Found) int { return b.Made.Compare(a.Made) })
	return out, nil
}

// Find looks for a run in the namespace.
func (c *Client) Find(ctx context.Context, run string) (*Found, error) {
	j, err := c.job(ctx, run)
	if apierrors.IsNotFound(err) {
		return nil, &UnreachableError{fmt.Sprintf("there is no run %s in the namespace %s", run, c.Namespace), "perfctl kubernetes list shows what there is", nil}
	}
	if err != nil {
		return nil, c.explain(err, "get jobs", nil)
	}
	f := foundOf(j)
	return &f, nil
}
