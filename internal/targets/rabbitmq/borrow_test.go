package rabbitmq

import (
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

func TestBorrowedChannelsAreUsedAgainUnlessTheyBroke(t *testing.T) {
	ctx := bounded(t, 30*time.Second)
	c, err := OpenControl(ctx, broker(t), Options{Name: "perfctl-test"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	borrow := func() *Borrowed {
		b, err := c.Borrow(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first, second := borrow(), borrow()
	if first.ch == second.ch {
		t.Error("two have the same channel")
	}
	first.Return()
	if again := borrow(); again.ch != first.ch {
		t.Error("a returned channel is not used again")
	}
	err = second.Do(ctx, func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclarePassive("perfctl-test-nowhere", false, false, false, false, nil)
		return err
	})
	if err == nil {
		t.Fatal("a queue that is not there was found")
	}
	second.Return()
	if next := borrow(); next.ch == second.ch || next.ch.IsClosed() {
		t.Error("a closed channel was handed on")
	}
}
