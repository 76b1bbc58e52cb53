package flow

import (
	"container/list"
	"context"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/metrics"
)

// The bounds on messages that nobody has asked for yet.
const (
	maxHeld = 100_000
	heldFor = time.Minute
)

// inbox brings the messages of a queue and the arrivals that wait for them
// together. A message may come before it is asked for.
type inbox struct {
	mu      sync.Mutex
	waiting map[string][]chan *amqp.Delivery
	held    map[string][]*list.Element
	order   *list.List       // of held messages, the oldest first
	lost    *metrics.Counter // nil to count none
	stage   func() int
}

type heldMessage struct {
	key  string
	d    *amqp.Delivery
	came time.Time
}

func newInbox(lost *metrics.Counter, stage func() int) *inbox {
	return &inbox{waiting: map[string][]chan *amqp.Delivery{}, held: map[string][]*list.Element{}, order: list.New(), lost: lost, stage: stage}
}

// put hands a message to who waited longest for its key, or holds it.
func (b *inbox) put(key string, d *amqp.Delivery) {
	kept := *d
	b.mu.Lock()
	defer b.mu.Unlock()
	if w := b.waiting[key]; len(w) > 0 {
		w[0] <- &kept // there is room: each waits for one
		b.leave(key, w[0])
		return
	}
	now := time.Now()
	b.held[key] = append(b.held[key], b.order.PushBack(&heldMessage{key, &kept, now}))
	for e := b.order.Front(); e != nil && (b.order.Len() > maxHeld || now.Sub(e.Value.(*heldMessage).came) > heldFor); e = b.order.Front() {
		b.take(e.Value.(*heldMessage).key)
		b.strange()
	}
}

// strange counts a message that nobody asks for.
func (b *inbox) strange() {
	if b.lost != nil {
		b.lost.Add(b.stage(), 1)
	}
}

// take removes the oldest held message of a key; nil where there is none.
func (b *inbox) take(key string) *amqp.Delivery {
	all := b.held[key]
	if len(all) == 0 {
		return nil
	}
	e := all[0]
	if len(all) == 1 {
		delete(b.held, key)
	} else {
		b.held[key] = all[1:]
	}
	b.order.Remove(e)
	return e.Value.(*heldMessage).d
}

// leave takes one who waits from the list.
func (b *inbox) leave(key string, who chan *amqp.Delivery) {
	all := b.waiting[key]
	for i, w := range all {
		if w != who {
			continue
		}
		if len(all) == 1 {
			delete(b.waiting, key)
		} else {
			b.waiting[key] = append(all[:i:i], all[i+1:]...)
		}
		return
	}
}

// wait returns the next message of the key. inbox is the caller's channel, with
// room for one message and empty, and so is the timer.
func (b *inbox) wait(ctx context.Context, key string, mine chan *amqp.Delivery, timer *time.Timer, timeout time.Duration) (*amqp.Delivery, error) {
	b.mu.Lock()
	if d := b.take(key); d != nil {
		b.mu.Unlock()
		return d, nil
	}
	b.waiting[key] = append(b.waiting[key], mine)
	b.mu.Unlock()
	timer.Reset(timeout)
	select {
	case d := <-mine:
		timer.Stop()
		return d, nil
	case <-timer.C:
	case <-ctx.Done():
		timer.Stop()
	}
	b.mu.Lock()
	b.leave(key, mine)
	b.mu.Unlock()
	select {
	case d := <-mine: // it came just now
		return d, nil
	default:
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, errNoMessage
}

// len returns how many messages are held.
func (b *inbox) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.order.Len()
}
