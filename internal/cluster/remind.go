package cluster

import (
	"context"
	"maps"
	"strconv"
	"time"
)

// A node may miss a change of a pod, and then looks at it again after a minute or more. A
// shard that does not answer what it was told is told all of it once more, with a number
// that is new.

// remindAfter is how long after it was told something a shard is reminded, beforeStart
// how long where an instant is near. The word to go, which nothing answers, is said so
// many times more.
const (
	remindAfter = 3 * time.Second
	beforeStart = 700 * time.Millisecond
	goTimes     = 2
)

// remind reminds the shards that have not answered.
func (c *Conductor) remind(ctx context.Context, now time.Time) {
	after := remindAfter
	if c.phase == starting {
		after = beforeStart
	}
	if len(c.notes) == 0 || now.Sub(c.toldAt) < after {
		return
	}
	if c.letGo && c.phase == starting {
		c.wentAgain++
	}
	late := c.names(c.owesAnAnswer)
	c.toldAt = now
	if len(late) == 0 {
		return
	}
	notes := c.reminder()
	c.listeners.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, remindAfter)
		defer cancel()
		c.tellPods(ctx, notes, late)
	})
}

// reminder is all that the shards were told, and a new number.
func (c *Conductor) reminder() map[string]string {
	c.reminders++
	notes := maps.Clone(c.notes)
	notes[noteReminder] = strconv.Itoa(c.reminders)
	return notes
}

// owesAnAnswer says whether a shard has not answered what it was told last.
func (c *Conductor) owesAnAnswer(f *follow) bool {
	switch {
	case f.final != nil || f.lost != "":
		return false
	case c.phase == settingUp:
		return f.ready == nil
	case c.phase == starting:
		return f.armed == nil || c.letGo && c.wentAgain <= goTimes
	case c.phase == running:
		// A stop is answered by the end, a point by the next one.
		return c.met >= 0 && f.reached <= c.met || c.stopped != nil && f.reached < 0
	}
	return false
}
