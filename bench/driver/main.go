// Command driver tells what a driver costs by itself: the simplest loop over one
// connection, one operation after the other, with no schedule and no record. It
// prints the CPU microseconds of an operation.
//
//	driver redis|postgres|rabbitmq|http OPERATIONS
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"
)

// limit bounds the whole: it stops by itself.
const limit = time.Minute

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "driver:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: driver redis|postgres|rabbitmq|http OPERATIONS")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil || n < 1 {
		return fmt.Errorf("OPERATIONS %q: want a positive number", args[1])
	}
	open := map[string]func(context.Context) (func() error, error){
		"redis": openRedis, "postgres": openPostgres, "rabbitmq": openRabbitMQ, "http": openHTTP,
	}[args[0]]
	if open == nil {
		return fmt.Errorf("unknown driver %q", args[0])
	}
	operation, err := open(ctx)
	if err != nil {
		return err
	}
	for range min(n, 1000) { // buffers and statements are warm
		if err := operation(); err != nil {
			return err
		}
	}
	before := used()
	for range n {
		if err := operation(); err != nil {
			return err
		}
	}
	fmt.Printf("%.2f\n", float64((used()-before).Nanoseconds())/1e3/float64(n))
	return nil
}

// used returns the CPU time of this process, user and system.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails only for a wrong argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func openRedis(ctx context.Context) (func() error, error) {
	o, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		return nil, err
	}
	o.MaxRetries, o.PoolSize = -1, 1
	c := redis.NewClient(o)
	if err := c.Set(ctx, "perfctl:bench:driver", strings.Repeat("x", 512), time.Minute).Err(); err != nil {
		return nil, err
	}
	return func() error { return c.Get(ctx, "perfctl:bench:driver").Err() }, nil
}

func openPostgres(ctx context.Context) (func() error, error) {
	c, err := pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return nil, err
	}
	if _, err := c.Exec(ctx, "create temporary table bench (id bigint generated always as identity primary key, payload text)"); err != nil {
		return nil, err
	}
	payload := strings.Repeat("x", 200)
	return func() error {
		_, err := c.Exec(ctx, "insert into bench (payload) values ($1)", payload)
		return err
	}, nil
}

func openRabbitMQ(ctx context.Context) (func() error, error) {
	c, err := amqp.Dial(os.Getenv("RABBITMQ_URL"))
	if err != nil {
		return nil, err
	}
	ch, err := c.Channel()
	if err != nil {
		return nil, err
	}
	q, err := ch.QueueDeclare("", false, true, true, false, amqp.Table{"x-max-length": int32(1000)})
	if err != nil {
		return nil, err
	}
	if err := ch.Confirm(false); err != nil {
		return nil, err
	}
	body := []byte(strings.Repeat("x", 256))
	return func() error {
		d, err := ch.PublishWithDeferredConfirmWithContext(ctx, "", q.Name, false, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: body})
		if err != nil {
			return err
		}
		if ok, err := d.WaitContext(ctx); err != nil || !ok {
			return fmt.Errorf("not confirmed: %w", err)
		}
		return nil
	}, nil
}

func openHTTP(ctx context.Context) (func() error, error) {
	url := os.Getenv("API_BASE_URL") + "/"
	return func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return errors.Join(err, resp.Body.Close())
	}, nil
}
