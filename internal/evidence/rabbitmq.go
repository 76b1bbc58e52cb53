package evidence

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/figure"
	"github.com/perfctl/perfctl/internal/rundir/exemplars"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
)

// slowConfirm is how long a broker may take to confirm a message for which there is no
// queue, in milliseconds.
const slowConfirm = 50.0

// asks is how often the broker is asked.
const asks = 200 * time.Millisecond

// nowhere is a queue that there is not: the broker drops what is sent to it.
const nowhere = "perfctl.evidence.nowhere"

type rabbitWatcher struct {
	address targets.Address
	run     string
}

// NewRabbitMQ returns a watcher of a broker. run is the run's identity. A broker says
// that it takes no more messages to a connection that publishes: the watcher's own
// publishes an empty message for which there is no queue, five times a second.
func NewRabbitMQ(a targets.Address, run string) Watcher { return &rabbitWatcher{a, run} }

func (w *rabbitWatcher) String() string { return "the alarms of RabbitMQ at " + w.address.String() }

func (w *rabbitWatcher) Watch(ctx context.Context, j *Journal) error {
	c, err := rabbitmq.Dial(ctx, w.address, rabbitmq.Options{Name: "perfctl/" + w.run + " evidence"})
	if err != nil {
		return err
	}
	defer c.End(time.Second)
	blocked := c.NotifyBlocked(make(chan amqp.Blocking, 16))
	ch, err := c.Channel()
	if err != nil {
		return err
	}
	if err := ch.Confirm(false); err != nil {
		return err
	}
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	open := newSpans(j)
	defer open.end()
	return w.ask(ctx, j, ch, blocked, closed, open)
}

// ask publishes and listens until ctx or the channel ends.
func (w *rabbitWatcher) ask(ctx context.Context, j *Journal, ch *amqp.Channel, blocked <-chan amqp.Blocking, closed <-chan *amqp.Error, open *spans) error {
	tick := time.NewTicker(asks)
	defer tick.Stop()
	reason, since := "", 0.0
	var confirm *amqp.DeferredConfirmation
	asked, last := 0.0, j.Now()
	for {
		var done <-chan struct{}
		if confirm != nil {
			done = confirm.Done()
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-closed:
			return closedChannel(err)
		case b := <-blocked:
			if b.Active {
				reason, since = b.Reason, last // it holds since the last message that it took
			} else if reason != "" {
				open.see("alarm", alarm(reason, since, j.Now()))
				reason = ""
			}
		case <-done:
			now := j.Now()
			last = now
			if now-asked >= slowConfirm && reason == "" {
				j.Note(exemplars.Evidence{From: asked, To: now, Source: "rabbitmq", Kind: exemplars.Silent,
					What: fmt.Sprintf("confirmed nothing for %s", figure.WholeMillis(now-asked))})
			}
			confirm = nil
		case <-tick.C:
			if reason != "" {
				open.see("alarm", alarm(reason, since, j.Now()))
			}
			open.sweep()
			if confirm == nil && reason == "" {
				asked = j.Now()
				var err error
				if confirm, err = ch.PublishWithDeferredConfirm("", nowhere, false, false, amqp.Publishing{}); err != nil {
					return err
				}
			}
		}
	}
}

func alarm(reason string, from, to float64) exemplars.Evidence {
	return exemplars.Evidence{From: from, To: to, Source: "rabbitmq", Kind: exemplars.Alarm, What: "took no more messages: " + reason}
}

// closedChannel is the error of a channel that was closed, and why, where that is told.
func closedChannel(err *amqp.Error) error {
	if err == nil {
		return errors.New("its channel was closed")
	}
	return fmt.Errorf("its channel was closed: %w", err)
}
