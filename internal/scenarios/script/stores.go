package script

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/perfctl/perfctl/internal/scenarios"
	"github.com/perfctl/perfctl/internal/scenarios/script/vm"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq"
	"github.com/perfctl/perfctl/internal/targets/redis"
)

// stores are the databases and Redis servers that the script reaches, opened where they
// are first used and shared by all users.
type stores struct {
	env     *scenarios.Env
	size    int
	timeout time.Duration

	mu    sync.Mutex
	redis map[string]*redis.Client
	pools map[string]*postgres.Pool
	// brokers are connections to RabbitMQ.
	brokers map[string]*vm.Broker
	// restored and blocked are told of connections to RabbitMQ that were lost and came
	// back, and of how long a broker held publishers back.
	restored, blocked func(time.Duration)
	// refused is called where the guard does not let an address be reached.
	refused func(error)
}

func newStores(env *scenarios.Env, refused func(error), stage func() int) *stores {
	tags := env.Tags("")
	return &stores{env: env, size: min(max(env.Plan.Workers, 1), env.Values.Int(0, keyConnections)), timeout: env.Values.Duration(0, keyTimeout),
		redis: map[string]*redis.Client{}, pools: map[string]*postgres.Pool{}, brokers: map[string]*vm.Broker{}, refused: refused,
		restored: func(time.Duration) { env.Metrics.Counter(rabbitmq.Reconnects, tags).Add(stage(), 1) },
		blocked:  func(took time.Duration) { env.Metrics.Trend(rabbitmq.BlockedTime, tags).Record(stage(), took) }}
}

// address checks an address; the guard's refusal ends the run, since nothing that the
// script does from then on is what was meant.
func (s *stores) address(ctx context.Context, kind targets.Kind, text string) (a targets.Address, err error) {
	u, err := url.Parse(text)
	if err != nil {
		return a, errors.New("the address cannot be read: what is special in a password is written as %40 and the like")
	}
	if a, err = s.env.Targets.Checked(ctx, targets.Address{Kind: kind, URL: u}); err != nil {
		if _, ok := errors.AsType[*targets.RefusedError](err); ok {
			s.refused(err)
		}
	}
	return a, err
}

// Redis returns the client of an address.
func (s *stores) Redis(ctx context.Context, address string) (*redis.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.redis[address]; c != nil {
		return c, nil
	}
	a, err := s.address(ctx, targets.Redis, address)
	if err != nil {
		return nil, err
	}
	c, err := redis.Open(ctx, a, redis.Options{Connections: s.size, Timeout: s.timeout, Name: "perfctl-" + s.env.RunID})
	if err == nil {
		s.redis[address] = c
	}
	return c, err
}

// Postgres returns the pool of an address, a URL or words such as host=127.0.0.1.
func (s *stores) Postgres(ctx context.Context, address string) (*postgres.Pool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pools[address]; p != nil {
		return p, nil
	}
	text, err := urlOf(address)
	if err != nil {
		return nil, err
	}
	a, err := s.address(ctx, targets.Postgres, text)
	if err != nil {
		return nil, err
	}
	p, err := postgres.Open(ctx, a, postgres.Options{Run: s.env.RunID, Size: s.size, StatementTimeout: s.timeout, Log: s.env.Log})
	if err == nil {
		s.pools[address] = p
	}
	return p, err
}

// RabbitMQ returns the connections to the broker at an address, a URL.
func (s *stores) RabbitMQ(ctx context.Context, address string) (*vm.Broker, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.brokers[address]; b != nil {
		return b, nil
	}
	a, err := s.address(ctx, targets.RabbitMQ, address)
	if err != nil {
		return nil, err
	}
	named := func(part string) rabbitmq.Options {
		return rabbitmq.Options{Name: "perfctl/" + s.env.RunID + " " + part, Timeout: s.timeout}
	}
	control, err := rabbitmq.OpenControl(ctx, a, named("script"), s.env.Log)
	if err != nil {
		return nil, err
	}
	publisher, err := rabbitmq.OpenPublisher(ctx, rabbitmq.PublisherConfig{Address: a, Options: named("publisher"), Channels: s.size,
		Reconnected: s.restored, Blocked: s.blocked, Log: s.env.Log})
	if err != nil {
		return nil, errors.Join(err, control.Close(ctx))
	}
	b := &vm.Broker{Address: a, Publisher: publisher, Control: control}
	s.brokers[address] = b
	return b, nil
}

// urlOf makes a URL of an address in words, as host=127.0.0.1 dbname=shop_test.
func urlOf(address string) (string, error) {
	if strings.Contains(address, "://") {
		return address, nil
	}
	u := url.URL{Scheme: "postgres", Host: "localhost"}
	port, user, password := "5432", "", ""
	q := url.Values{}
	for _, word := range strings.Fields(address) {
		k, v, ok := strings.Cut(word, "=")
		if v = strings.Trim(v, "'"); !ok {
			return "", fmt.Errorf("the address is neither a URL nor words such as host=127.0.0.1 dbname=shop_test")
		}
		switch k {
		case "host", "hostaddr":
			u.Host = v
		case "port":
			port = v
		case "user":
			user = v
		case "password":
			password = v
		case "dbname":
			u.Path = "/" + v
		default:
			q.Set(k, v)
		}
	}
	if u.Host += ":" + port; user != "" {
		u.User = url.UserPassword(user, password)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// close closes every connection.
func (s *stores) close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, c := range s.redis {
		errs = append(errs, c.Close())
	}
	for _, p := range s.pools {
		errs = append(errs, p.Close(ctx))
	}
	for _, b := range s.brokers {
		errs = append(errs, b.Publisher.Close(ctx), b.Control.Close(ctx))
	}
	return errors.Join(errs...)
}
