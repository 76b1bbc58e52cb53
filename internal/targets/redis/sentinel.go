package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	driver "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/perfctl/perfctl/internal/targets"
)

const (
	// sentinelTimeout bounds a question to one Sentinel, so that several that do
	// not answer leave time for one that does.
	sentinelTimeout = 1500 * time.Millisecond
	// sentinelFresh is how long an answer of the Sentinels serves the connections
	// that are opened at once.
	sentinelFresh = 200 * time.Millisecond
)

// sentinels are asked which server is the primary.
type sentinels struct {
	c  *Client
	mu sync.Mutex // one question at a time
	// last answered at that time, at is the first one to ask.
	last string
	when time.Time
	at   int
}

func newSentinels(c *Client) *sentinels { return &sentinels{c: c} }

// noPrimaryError says that no Sentinel named a primary.
type noPrimaryError struct {
	master string
	// unknown says that a Sentinel answered and knows no such name.
	unknown bool
	errs    error
}

func (e *noPrimaryError) Error() string {
	if e.unknown {
		return fmt.Sprintf("the Sentinels know no primary of the name %q", e.master)
	}
	return fmt.Sprintf("no Sentinel says which server is the primary %q: %v", e.master, e.errs)
}

// Is looks into the causes. There is no Unwrap: the driver would return what is
// inside in place of the error.
func (e *noPrimaryError) Is(target error) bool { return errors.Is(e.errs, target) }

// primary returns host and port of the primary.
func (s *sentinels) primary(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != "" && time.Since(s.when) < sentinelFresh {
		return s.last, nil
	}
	var errs []error
	for i := range s.c.to.Hosts {
		at := (s.at + i) % len(s.c.to.Hosts)
		var found []string
		err := s.ask(ctx, s.c.to.Hosts[at], func(ctx context.Context, q *driver.SentinelClient) (err error) {
			found, err = q.GetMasterAddrByName(ctx, s.c.to.Master).Result()
			return err
		})
		switch {
		case errors.Is(err, driver.Nil):
			return "", &noPrimaryError{master: s.c.to.Master, unknown: true}
		case err == nil && len(found) == 2:
			s.last, s.when, s.at = net.JoinHostPort(found[0], found[1]), time.Now(), at
			return s.last, nil
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", s.c.to.Hosts[at], err))
		}
	}
	return "", &noPrimaryError{master: s.c.to.Master, errs: errors.Join(errs...)}
}

func (s *sentinels) ask(ctx context.Context, address string, f func(context.Context, *driver.SentinelClient) error) error {
	ctx, cancel := context.WithTimeout(ctx, sentinelTimeout)
	defer cancel()
	q := driver.NewSentinelClient(&driver.Options{
		Addr: address, Username: s.c.to.SentinelUser, Password: s.c.to.SentinelPassword, MaxRetries: -1, DialerRetries: 1, PoolSize: 1,
		DialTimeout: sentinelTimeout, ReadTimeout: sentinelTimeout, WriteTimeout: sentinelTimeout, ContextTimeoutEnabled: true,
		Protocol: 2, DisableIdentity: true, MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		Dialer: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return s.c.connect(ctx, network, address, host)
		},
	})
	defer q.Close()
	return f(ctx, q)
}

// why adds to an error of the primary what the Sentinels think of it.
func (s *sentinels) why(ctx context.Context, err error) error {
	if s == nil {
		return err
	}
	if _, ok := errors.AsType[*noPrimaryError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*targets.RefusedError](err); ok {
		return err
	}
	s.mu.Lock()
	last, at := s.last, s.at
	s.mu.Unlock()
	if last == "" {
		return err
	}
	quorum := s.ask(ctx, s.c.to.Hosts[at], func(ctx context.Context, q *driver.SentinelClient) error {
		return q.CkQuorum(ctx, s.c.to.Master).Err()
	})
	return &primaryError{last, s.c.to.Master, quorum, err}
}

// primaryError is an error of the server that the Sentinels name.
type primaryError struct {
	address, master string
	quorum          error // what the Sentinels cannot agree on; nil for nothing
	cause           error
}

func (e *primaryError) Error() string {
	text := fmt.Sprintf("%v (the Sentinels name %s as primary %q)", e.cause, e.address, e.master)
	if e.quorum != nil {
		text += fmt.Sprintf("; they cannot fail over: %v", e.quorum)
	}
	return text
}

func (e *primaryError) Unwrap() error { return e.cause }

// errDemoted is a server that the Sentinels name and that is no primary any more.
var errDemoted = errors.New("the server that the Sentinels name as primary is a replica: a failover is under way")

// onlyPrimary lets a connection be used only if it leads to a primary: the
// Sentinels may still name the one that was.
func onlyPrimary(ctx context.Context, x *driver.Conn) error {
	role, err := x.Do(ctx, "ROLE").Slice()
	if err != nil {
		return nil //nolint:nilerr // a user who may not ask is not kept out
	}
	if len(role) > 0 && role[0] != "master" {
		return errDemoted
	}
	return nil
}
