package lab

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"
)

// setting returns a setting of a lab.
func setting(t *testing.T, l *Lab, name string) string {
	t.Helper()
	for _, s := range l.Settings() {
		if s.Name == name {
			return s.Value
		}
	}
	t.Fatalf("no setting %s", name)
	return ""
}

// inTrouble brings a service into trouble, has it looked at, mends it and has it looked
// at again.
func inTrouble(t *testing.T, l *Lab, service string, what Trouble, n int, troubled, well func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	mend, err := l.Trouble(ctx, service, what, n)
	if err != nil {
		t.Fatal(err)
	}
	if err := troubled(ctx); err != nil {
		t.Errorf("%s in %s: %v", service, what, err)
	}
	if err := mend(ctx); err != nil {
		t.Fatal(err)
	}
	if err := well(ctx); err != nil {
		t.Errorf("%s after %s: %v", service, what, err)
	}
}

func TestARedisIsBroughtIntoTrouble(t *testing.T) {
	l := startOnly(t, Redis)
	o, err := redis.ParseURL(setting(t, l, "REDIS_URL"))
	if err != nil {
		t.Fatal(err)
	}
	o.MaxRetries = -1
	write := func(ctx context.Context) error {
		c := redis.NewClient(o)
		defer c.Close()
		return c.Set(ctx, "k", "v", 0).Err()
	}
	refused := func(word string) func(context.Context) error {
		return func(ctx context.Context) error {
			if err := write(ctx); err == nil || !strings.Contains(err.Error(), word) {
				return errors.Join(errors.New("want "+word+" of a write"), err)
			}
			return nil
		}
	}
	inTrouble(t, l, Redis, MemoryAlarm, 0, refused("OOM"), write)
	inTrouble(t, l, Redis, ReadOnly, 0, refused("READONLY"), write)
	inTrouble(t, l, Redis, FlushAll, 0, func(ctx context.Context) error {
		c := redis.NewClient(o)
		defer c.Close()
		if n, err := c.DBSize(ctx).Result(); err != nil || n != 0 {
			return errors.New("keys are left")
		}
		return nil
	}, write)
	held := make([]*redis.Conn, 5)
	clients := redis.NewClient(o)
	defer clients.Close()
	for i := range held {
		held[i] = clients.Conn()
		if err := held[i].Ping(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	inTrouble(t, l, Redis, ConnectionLimit, 2, func(ctx context.Context) error {
		left := 0
		for _, c := range held {
			if c.Ping(ctx).Err() == nil {
				left++
			}
		}
		if left != 2 {
			return errors.New("not two connections are left")
		}
		return turnedAway(ctx, o.Addr)
	}, write)
	if _, err := l.Trouble(t.Context(), Redis, DiskFull, 0); err == nil {
		t.Error("the disk of a server that has none of its own is filled")
	}
}

// turnedAway says whether a Redis takes no connection more.
func turnedAway(ctx context.Context, address string) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	line, err := bufio.NewReader(c).ReadString('\n') // it speaks first to those whom it turns away
	if !strings.Contains(line, "max number of clients") {
		return errors.Join(errors.New("it says "+line), err)
	}
	return nil
}

func TestADatabaseIsBroughtIntoTrouble(t *testing.T) {
	l := startOnly(t, Postgres, Postgres)
	address := setting(t, l, "DATABASE_URL")
	do := func(text string) func(context.Context) error {
		return func(ctx context.Context) error {
			c, err := pgx.Connect(ctx, address)
			if err != nil {
				return err
			}
			defer c.Close(ctx)
			_, err = c.Exec(ctx, text)
			return err
		}
	}
	code := func(want, text string) func(context.Context) error {
		return func(ctx context.Context) error {
			err := do(text)(ctx)
			if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != want {
				return errors.Join(errors.New("want the code "+want), err)
			}
			return nil
		}
	}
	if err := do("CREATE TABLE filled (x text)")(t.Context()); err != nil {
		t.Fatal(err)
	}
	write := do("INSERT INTO filled VALUES ('x')")
	held, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close(context.Background())
	inTrouble(t, l, Postgres, ReadOnly, 0, code("25006", "INSERT INTO filled VALUES ('x')"), write)
	inTrouble(t, l, Postgres, ConnectionLimit, 1, func(ctx context.Context) error {
		if err := held.Ping(ctx); err != nil {
			return errors.Join(errors.New("the oldest connection was ended"), err)
		}
		return code("53300", "SELECT 1")(ctx)
	}, write)
	const much = "INSERT INTO filled SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 500000) GROUP BY random() < 2"
	inTrouble(t, l, Postgres, DiskFull, 0, func(ctx context.Context) error {
		if do(much)(ctx) == nil {
			return errors.New("16 MB are written to a full disk")
		}
		return nil
	}, do(much))
}

func TestABrokerIsBroughtIntoTrouble(t *testing.T) {
	l := startOnly(t, RabbitMQ, RabbitMQ)
	u, err := url.Parse(setting(t, l, "RABBITMQ_URL"))
	if err != nil {
		t.Fatal(err)
	}
	// publish says whether a confirmed message went through soon.
	publish := func(ctx context.Context) error {
		// A broker in alarm does not even read that a connection is to be closed.
		var raw net.Conn
		c, err := amqp.DialConfig(u.String(), amqp.Config{Dial: func(network, address string) (_ net.Conn, err error) {
			raw, err = net.Dial(network, address)
			return raw, err
		}})
		if err != nil {
			return err
		}
		defer func() { _ = raw.Close() }()
		ch, err := c.Channel()
		if err != nil {
			return err
		}
		if err := ch.Confirm(false); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		for range 2 { // the first one still passes: by it the broker learns that the client publishes
			d, err := ch.PublishWithDeferredConfirmWithContext(ctx, "", "nobody", false, false, amqp.Publishing{})
			if err != nil {
				return err
			}
			if _, err = d.WaitContext(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	held := func(ctx context.Context) error {
		if publish(ctx) == nil {
			return errors.New("a message goes through")
		}
		return nil
	}
	soon := func(ctx context.Context) error { // the alarm is over when every node heard of it
		var err error
		for range 10 {
			if err = publish(ctx); err == nil {
				return nil
			}
		}
		return err
	}
	inTrouble(t, l, RabbitMQ, MemoryAlarm, 0, held, soon)
	inTrouble(t, l, RabbitMQ, DiskFull, 0, held, soon)
	open, err := amqp.Dial(u.String())
	if err != nil {
		t.Fatal(err)
	}
	closed := open.NotifyClose(make(chan *amqp.Error, 1))
	inTrouble(t, l, RabbitMQ, ConnectionLimit, 0, func(ctx context.Context) error {
		select {
		case <-closed:
		case <-ctx.Done():
			return errors.New("a connection above the limit stays open")
		}
		if c, err := amqp.Dial(u.String()); err == nil {
			return errors.Join(errors.New("a connection above the limit is opened"), c.Close())
		}
		return nil
	}, soon)
}
