package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// AMQP cannot list queues, so perfctl keeps a record of those that it made: a
// durable queue with one persistent message for each, whose body is the name.
// An exclusive queue serves as the lock around it, for reading such a record
// means taking the messages out and putting them back.
const (
	// QueuePrefix begins the name of every queue that perfctl makes.
	QueuePrefix = "perfctl."

	registryQueue = "perfctl.registry"
	registryLock  = "perfctl.registry.lock"
	lockPause     = 50 * time.Millisecond
	maxRecords    = 100_000
)

// Record notes that the queue of that name is about to be made.
func (c *Control) Record(ctx context.Context, queue string) error {
	return c.locked(ctx, func(ch *amqp.Channel) error {
		if err := declareRegistry(ch); err != nil {
			return err
		}
		if err := ch.Confirm(false); err != nil {
			return err
		}
		dc, err := ch.PublishWithDeferredConfirm("", registryQueue, false, false,
			amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(queue)})
		if err != nil {
			return err
		}
		acked, err := dc.WaitContext(ctx)
		if err == nil && !acked {
			err = errors.New("the broker did not take the record")
		}
		return err
	})
}

// Forget removes the record of a queue, and the registry itself when it was
// the last one.
func (c *Control) Forget(ctx context.Context, queue string) error {
	return c.locked(ctx, func(ch *amqp.Channel) error {
		return eachRecord(ch, func(name string) (bool, error) { return name == queue, nil })
	})
}

// Reset deletes every recorded queue whose name begins with the prefix, of any
// run, and says what it removed.
func (c *Control) Reset(ctx context.Context, prefix string) (removed []string, err error) {
	err = c.locked(ctx, func(ch *amqp.Channel) error {
		return eachRecord(ch, func(name string) (bool, error) {
			if !strings.HasPrefix(name, prefix) {
				return false, nil
			}
			text, err := c.remove(ctx, name)
			if text != "" {
				removed = append(removed, text)
			}
			return err == nil, err
		})
	})
	return removed, err
}

// Delete deletes a queue with all that it holds; one that is missing is no
// error.
func (c *Control) Delete(ctx context.Context, queue string) error {
	return c.Do(ctx, func(ch *amqp.Channel) error {
		_, err := ch.QueueDelete(queue, false, false, false)
		return err
	})
}

// remove deletes a queue and describes it, with an empty text if there was
// none.
func (c *Control) remove(ctx context.Context, queue string) (string, error) {
	var text string
	err := c.Do(ctx, func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
		if e, ok := errors.AsType[*amqp.Error](err); ok && e.Code == amqp.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := ch.QueueDelete(queue, false, false, false); err != nil {
			return err
		}
		text = fmt.Sprintf("queue %s with %d messages", queue, q.Messages)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("delete queue %s: %w", queue, err)
	}
	return text, nil
}

// locked calls f while no other perfctl touches the registry.
func (c *Control) locked(ctx context.Context, f func(ch *amqp.Channel) error) error {
	for {
		err := c.Do(ctx, func(ch *amqp.Channel) error {
			_, err := ch.QueueDeclare(registryLock, false, true, true, false, nil)
			return err
		})
		if err == nil {
			break
		}
		if e, ok := errors.AsType[*amqp.Error](err); !ok || e.Code != amqp.ResourceLocked {
			return fmt.Errorf("lock the record of queues: %w", err)
		}
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
			return fmt.Errorf("wait for another perfctl to release the record of queues: %w", ctx.Err())
		}
	}
	err := c.Do(ctx, f)
	return errors.Join(err, c.Delete(ctx, registryLock))
}

// declareRegistry makes the registry where it is missing.
func declareRegistry(ch *amqp.Channel) error {
	_, err := ch.QueueDeclare(registryQueue, true, false, false, false, nil)
	return err
}

// eachRecord drops the records that drop returns true for and keeps the rest.
func eachRecord(ch *amqp.Channel, drop func(name string) (bool, error)) error {
	if err := declareRegistry(ch); err != nil {
		return err
	}
	var errs []error
	kept := false
	for range maxRecords {
		m, ok, err := ch.Get(registryQueue, false)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		if !ok {
			break
		}
		gone, err := drop(string(m.Body))
		if err != nil {
			errs = append(errs, err)
		}
		if !gone {
			// It stays unacknowledged until all have been seen, then goes back.
			kept = true
			continue
		}
		if err := m.Ack(false); err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
	if kept {
		return errors.Join(append(errs, ch.Nack(0, true, true))...)
	}
	if _, err := ch.QueueDelete(registryQueue, false, true, false); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
