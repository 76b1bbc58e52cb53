package cluster

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// How far clocks may be apart before a run is called off. Latency never depends on it,
// which each shard measures by its own clock; how the shards' loads add up does.
const mostApart = time.Second

// The time from T0's announcement to T0, for one pod and for each one more, and how long
// before T0 all must be armed.
const (
	leadFirst = 3 * time.Second
	leadEach  = 40 * time.Millisecond
	armedBy   = time.Second
)

// mostLead bounds the lead that slow telling gives.
const mostLead = 30 * time.Second

// leadOf is the time from T0's announcement to T0. Where what the first shard made took
// long to reach all others and be answered, T0 will, too.
func (c *Conductor) leadOf(told time.Duration) time.Duration {
	if c.Lead > 0 {
		return c.Lead
	}
	return max(leadFirst+time.Duration(c.Shards)*leadEach, min(told*5/2+armedBy, mostLead))
}

// armedBy is how long before T0 all must be armed.
func (c *Conductor) armedBy() time.Duration { return min(armedBy, c.leadOf(0)/3) }

// mostHandover bounds what shard 0 may hand over, in bytes: annotations take 256 KiB.
const mostHandover = 180 << 10

// takeHello compares a shard with what all are to be.
func (c *Conductor) takeHello(shard int, f *follow, at time.Time) error {
	h := f.hello
	wrong := func(text string) error {
		return &UnreachableError{text, "give the pods the image of this version of perfctl", nil}
	}
	switch {
	case h.Run != c.Run || h.Shard != shard || h.Shards != c.Shards:
		return wrong(fmt.Sprintf("shard %d of %d of the run %s says that it is shard %d of %d of the run %s", shard, c.Shards, c.Run, h.Shard, h.Shards, h.Run))
	case c.Want.Version != "" && h.Version != c.Want.Version:
		return wrong(fmt.Sprintf("shard %d is perfctl %s, and this is perfctl %s", shard, h.Version, c.Want.Version))
	case c.Want.Plan != "" && h.Plan != c.Want.Plan:
		return wrong(fmt.Sprintf("shard %d has another plan: %s, and not %s", shard, h.Plan, c.Want.Plan))
	}
	for _, other := range c.shards {
		if other.hello == nil || other == f {
			continue
		}
		if text := other.hello.Differs(&h.Hello); text != "" {
			return &UnreachableError{text, "let all pods run on nodes of one kind, with one image", nil}
		}
		break
	}
	return c.aheadOfTime(shard, f, h.Clock.Sub(at))
}

// aheadOfTime refuses a shard whose clock shows more than the time at which its word came.
func (c *Conductor) aheadOfTime(shard int, f *follow, ahead time.Duration) error {
	if ahead <= mostApart || c.phase == running {
		return nil
	}
	return c.apart(shard, f, fmt.Sprintf("at least %s ahead of", ahead.Round(100*time.Millisecond)))
}

func (c *Conductor) apart(shard int, f *follow, how string) error {
	node := f.pod.node
	if node == "" {
		node = "its node"
	}
	return &UnreachableError{fmt.Sprintf("the clock of shard %d (on %s) is %s this machine's: the shards would not start together", shard, node, how),
		"set the clocks by NTP, on " + node + " or here", nil}
}

// takeArmed takes the word that a shard waits for T0, and bounds its clock's offset by
// it: it read T0 after it was told, and said so before it was heard.
func (c *Conductor) takeArmed(shard int, f *follow, at time.Time) error {
	if c.startAt.IsZero() { // told by a command that is no more
		c.startAt = f.armed.StartAt
		if c.phase < starting {
			c.phase = starting
		}
	}
	if f.told.IsZero() {
		return nil
	}
	f.from, f.to = f.armed.Clock.Sub(at), f.armed.Clock.Sub(f.told)
	switch {
	case c.phase == running:
	case f.from > mostApart:
		return c.apart(shard, f, fmt.Sprintf("%s to %s ahead of", tenth(f.from), tenth(f.to)))
	case f.to < -mostApart:
		return c.apart(shard, f, fmt.Sprintf("%s to %s behind", tenth(-f.to), tenth(-f.from)))
	}
	return nil
}

func tenth(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

// all says whether something holds of every shard.
func (c *Conductor) all(f func(*follow) bool) bool {
	for _, s := range c.shards {
		if !f(s) {
			return false
		}
	}
	return true
}

// look moves the run on, and says why it does not move.
func (c *Conductor) look(ctx context.Context) error {
	now := time.Now()
	if c.phase == gathering {
		if err := c.whyNotRunning(ctx, now); err != nil {
			return err
		}
		if c.all(func(f *follow) bool { return f.hello != nil }) {
			c.phase = settingUp
			c.Voice.Step("setting up …")
			c.tellAll(ctx, map[string]string{noteAgreed: "true"}, time.Time{})
		}
	}
	if c.phase == settingUp {
		if err := c.handOver(ctx); err != nil {
			return err
		}
		if c.all(func(f *follow) bool { return f.ready != nil }) {
			c.phase = starting
			c.startAt = now.Add(c.leadOf(now.Sub(c.handedAt)))
			c.Voice.Step("starting all shards …")
			c.tellAll(ctx, map[string]string{noteStartAt: c.startAt.UTC().Format(time.RFC3339Nano)}, c.startAt)
		}
	}
	if c.phase == starting {
		if !c.letGo && c.all(func(f *follow) bool { return f.armed != nil && f.lost == "" }) {
			c.letGo = true
			c.tellAll(ctx, map[string]string{noteGo: "true"}, time.Time{})
		}
		switch {
		case c.letGo && now.After(c.startAt):
			c.phase = running
			c.Voice.Started(c.startAt)
			for _, f := range c.shards {
				if f.lost != "" {
					c.tellLost(f)
				}
			}
		case !c.letGo && now.After(c.startAt.Add(-c.armedBy())):
			return c.notArmed()
		}
	}
	c.remind(ctx, now)
	if c.phase == running {
		c.meetAtEnd(ctx)
		c.lookAtRunning(now)
	}
	return nil
}

// notArmed says which shards did not answer.
func (c *Conductor) notArmed() error {
	var late []string
	for i, f := range c.shards {
		if f.armed == nil {
			late = append(late, fmt.Sprintf("%d (pod %s)", i, f.pod.name))
		}
	}
	return &UnreachableError{fmt.Sprintf("called off before any load was sent: of %d shards %d did not say in time that they wait for the start: %s",
		c.Shards, len(late), strings.Join(late[:min(len(late), 5)], ", ")), "run it again; where it comes again, the nodes or the API server have too much to do", nil}
}

// handOver gives all other shards what shard 0 made, once.
func (c *Conductor) handOver(ctx context.Context) error {
	made := c.shards[0].made
	if c.handedOver || made == nil {
		return nil
	}
	c.handedOver, c.handedAt = true, time.Now()
	text := base64.StdEncoding.EncodeToString(made)
	if len(text) > mostHandover {
		return &UnreachableError{fmt.Sprintf("what shard 0 set up takes %d KiB to be told to the others, and a pod can be told %d", len(text)>>10, mostHandover>>10), "set less up, or run it by hand with --shard on hosts that share a folder", nil}
	}
	c.tellAll(ctx, map[string]string{noteHandover: text}, time.Time{})
	return nil
}

// tellAll tells every shard something, side by side. Where it is T0, by which a shard
// must be told, the time of the telling is kept for its clock.
func (c *Conductor) tellAll(ctx context.Context, notes map[string]string, by time.Time) {
	maps.Copy(c.notes, notes)
	c.toldAt = time.Now()
	for _, f := range c.shards {
		if f.pod.name == "" || f.pod.gone {
			continue
		}
		name := f.pod.name
		if !by.IsZero() {
			f.told = time.Now()
		}
		c.listeners.Go(func() {
			told := ctx
			if !by.IsZero() {
				var cancel context.CancelFunc
				told, cancel = context.WithDeadline(ctx, by)
				defer cancel()
			}
			err := persist(told, func(ctx context.Context) error { return c.Client.annotate(ctx, name, notes) })
			if apierrors.IsForbidden(err) { // of all else: a shard that was not told does not answer
				c.send(ctx, event{refused: c.Client.explain(err, "patch pods", nil), early: true})
			}
		})
	}
}

// whyNotRunning ends the wait for pods that will not come.
func (c *Conductor) whyNotRunning(ctx context.Context, now time.Time) error {
	patience := c.Patience
	if patience == 0 {
		patience = DefaultPatience
	}
	waited := now.Sub(c.began)
	made, quiet := 0, ""
	for i, f := range c.shards {
		p := &f.pod
		if p.uid != "" {
			made++
		}
		if next, known := hopeless[p.reason]; known && !p.running && !p.over {
			return &UnreachableError{fmt.Sprintf("the pod of shard %d cannot run: %s: %s", i, p.reason, p.pending), next, nil}
		}
		if waited > patience && p.uid != "" && !p.running && !p.over {
			why := p.reason + ": " + p.pending
			next := "look at it: kubectl -n " + c.Client.Namespace + " describe pod " + p.name
			switch p.reason {
			case "":
				why = "it is still being made"
			case "Unschedulable":
				next = "ask for fewer pods or less CPU (--kubernetes-values, resources), or wait for nodes with --kubernetes-wait 10m"
			}
			return &UnreachableError{fmt.Sprintf("the pod of shard %d does not run after %s: %s", i, patience, why), next, nil}
		}
		if f.hello == nil && p.running {
			quiet = fmt.Sprintf("shard %d (pod %s) runs and says nothing", i, p.name)
		}
	}
	if made < c.Shards && now.Sub(c.asked) > askWhy && waited > askWhy {
		c.asked = now
		if err := c.whyNotMade(ctx, made, waited > patience, patience); err != nil {
			return err
		}
	}
	if quiet != "" && waited > patience+10*time.Second {
		return &UnreachableError{quiet, "give the pods the image of this version of perfctl", nil}
	}
	return nil
}

// askWhy is how often one asks why pods are not made.
const askWhy = 3 * time.Second

// whyNotMade says why pods are not made, where that will not change or one has waited
// long enough.
func (c *Conductor) whyNotMade(ctx context.Context, made int, late bool, patience time.Duration) error {
	why := "nobody says why"
	if events, err := c.Client.events(ctx, c.Run); err == nil {
		for _, e := range events {
			if e.Type == "Warning" {
				why = e.Message
			}
		}
	}
	next := "look at it: kubectl -n " + c.Client.Namespace + " describe job " + ObjectName(c.Run)
	switch {
	case strings.Contains(why, "violates PodSecurity"):
		return &UnreachableError{"the namespace's Pod Security level does not allow these pods: " + why, "leave hostNetwork and the like out of --kubernetes-values, or use a namespace that allows them", nil}
	case strings.Contains(why, "exceeded quota"), strings.Contains(why, "failed quota"):
		next = "ask for fewer pods or less CPU (--kubernetes-values, resources), or have the namespace's quota raised"
	}
	if !late {
		return nil
	}
	return &UnreachableError{fmt.Sprintf("of %d pods %d were made in %s: %s", c.Shards, made, patience, why), next, nil}
}
