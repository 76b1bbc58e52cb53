package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/perfctl/perfctl/internal/engine/health"
	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/metrics"
)

// Pod is what one pod measured of itself, under its limits.
type Pod struct {
	Limits  health.Limits `json:"limits"`
	Nothing Rate          `json:"nothing"`
	Echo    Rate          `json:"echo"`
}

// MeasurePod measures it in the pod, for who reads it with ReadPod.
func MeasurePod(ctx context.Context) ([]byte, error) {
	p := Pod{Limits: health.ReadLimits()}
	var err error
	if p.Nothing, p.Echo, err = MeasureRates(ctx); err != nil {
		return nil, err
	}
	return json.Marshal(p)
}

// ReadPod reads what MeasurePod made.
func ReadPod(text []byte) (*Pod, error) {
	p := &Pod{}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("what the pod measured: %w", err)
	}
	return p, nil
}

// share is the part of the rate that a pod generates against an echo on which a run is
// laid out: what an arrival does costs more than an echo.
const share = 0.6

// Pods is how many pods a peak takes, arrivals a second; 0 where a pod generates nothing.
func (p *Pod) Pods(peak float64) int {
	if p.Echo.Best <= 0 {
		return 0
	}
	return max(1, int(math.Ceil(peak/(share*p.Echo.Best))))
}

// Tell says what was found, compared with what each of so many pods may have in flight.
func (p *Pod) Tell(bound int64, found func(Finding)) {
	compare(p.Limits, bound, found)
	found(p.Nothing.finding("rate without a target"))
	found(p.Echo.finding("rate against an echo"))
}

// Free is what a cluster's nodes have left for pods.
type Free struct {
	// Pods is how many of these pods find room, Nodes on how many nodes.
	Pods, Nodes int
	// CPU is what is requested by nobody, in processors.
	CPU float64
	// Unknown says why it is not known, "" where it is.
	Unknown string
}

// Propose says how many pods a peak takes, and whether there is room for them.
func (p *Pod) Propose(peak float64, free Free, found func(Finding)) (n int) {
	if peak <= 0 {
		found(Finding{OK: true, What: "pods", Found: "users have no rate that could be divided: begin with 2, and look whether the generator stays VALID"})
		return 0
	}
	n = p.Pods(peak)
	at := figure.Value(peak, metrics.UnitPerSec)
	switch n {
	case 0:
		found(Finding{What: "pods", Found: "a pod with these limits generates no load\n  next: give it more CPU, with --kubernetes-values"})
		return n
	case 1:
		found(Finding{OK: true, What: "pods", Found: fmt.Sprintf("one is enough for a peak of %s: %s of what one generates is %s; leave --kubernetes out, or take 2", at, figure.Share(share), figure.Value(share*p.Echo.Best, metrics.UnitPerSec))})
	default:
		found(Finding{OK: true, What: "pods", Found: fmt.Sprintf("--kubernetes %d for a peak of %s, at %s of what one generates", n, at, figure.Share(share))})
	}
	switch {
	case free.Unknown != "":
		found(Finding{OK: true, What: "room", Found: "not known: " + free.Unknown})
	case free.Pods < n:
		found(Finding{What: "room", Found: fmt.Sprintf("for %d pods; nodes: %d, with %s CPU free\n  next: ask for less CPU (--kubernetes-values, resources), or wait for nodes with --kubernetes-wait 10m", free.Pods, free.Nodes, figure.Number(free.CPU))})
	default:
		found(Finding{OK: true, What: "room", Found: fmt.Sprintf("for %d pods; nodes: %d, with %s CPU free", free.Pods, free.Nodes, figure.Number(free.CPU))})
	}
	return n
}
