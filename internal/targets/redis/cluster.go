package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	driver "github.com/redis/go-redis/v9"
)

// openCluster opens the connections to each primary of the cluster.
func (c *Client) openCluster(ctx context.Context, o Options) error {
	one := c.options(o)
	c.cluster = driver.NewClusterClient(&driver.ClusterOptions{
		Addrs: c.to.Hosts, Password: one.Password, Username: one.Username, OnConnect: one.OnConnect,
		MaxRetries: -1, DialerRetries: 1, DialTimeout: one.DialTimeout, ReadTimeout: one.ReadTimeout, WriteTimeout: one.WriteTimeout,
		PoolSize: one.PoolSize, MinIdleConns: one.MinIdleConns, PoolTimeout: one.PoolTimeout, ConnMaxIdleTime: -1,
		Protocol: 2, DisableIdentity: true, PipelinePoolSize: -1, ContextTimeoutEnabled: false,
		MaintNotificationsConfig: one.MaintNotificationsConfig, Dialer: c.lazily,
		// A command goes to the node of its key and nowhere else.
		DisableRoutingPolicies: true,
		NewClient: func(opts *driver.Options) *driver.Client {
			n := driver.NewClient(opts)
			n.AddHook(node{c, opts.Addr})
			return n
		},
	})
	c.UniversalClient = c.cluster
	err := c.eachMaster(ctx, func(ctx context.Context, n *driver.Client) error {
		conns := make([]*driver.Conn, 0, o.Connections)
		defer func() {
			for _, x := range conns {
				_ = x.Close() // gives it back to the pool
			}
		}()
		for range o.Connections {
			x := n.Conn()
			conns = append(conns, x)
			if err := x.Ping(ctx).Err(); err != nil {
				return atNode(n.Options().Addr, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.serves(ctx)
}

// serves returns an error where the cluster says that it serves nobody, for slots of it
// have no node: each node that is left answers a ping all the same.
func (c *Client) serves(ctx context.Context) error {
	info, err := c.cluster.ClusterInfo(ctx).Result()
	if err != nil || infoField(info, "cluster_state") != "fail" {
		return nil //nolint:nilerr // a user who may not ask is not kept out
	}
	return fmt.Errorf("CLUSTERDOWN the cluster's state is fail: %s of its 16384 slots have a node that works", infoField(info, "cluster_slots_ok"))
}

// eachMaster calls f with a client of every primary. Every error is returned: a
// cluster of which two nodes are gone should not show one of them.
func (c *Client) eachMaster(ctx context.Context, f func(context.Context, *driver.Client) error) error {
	var mu sync.Mutex
	var errs []error
	err := c.cluster.ForEachMaster(ctx, func(ctx context.Context, n *driver.Client) error {
		err := f(ctx, n)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			errs = append(errs, err)
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// node keeps the driver from asking a node again for what failed: that would hide
// the failure, and might do a write twice. It follows only what is no failure, a
// redirection to another node.
type node struct {
	c       *Client
	address string
}

// nodeError is an error of one node. The driver does not look into it, so it does
// not try again; Classify and Explain do.
type nodeError struct {
	address string
	cause   error
}

func (e *nodeError) Error() string { return "node " + e.address + ": " + e.cause.Error() }

// DialHook leaves dialling as it is.
func (node) DialHook(next driver.DialHook) driver.DialHook { return next }

// ProcessPipelineHook leaves pipelines as they are: they load and remove keys, and
// are not measured.
func (node) ProcessPipelineHook(next driver.ProcessPipelineHook) driver.ProcessPipelineHook {
	return next
}

// ProcessHook marks the errors of a node and counts redirections.
func (n node) ProcessHook(next driver.ProcessHook) driver.ProcessHook {
	return func(ctx context.Context, cmd driver.Cmder) error {
		err := next(ctx, cmd)
		switch {
		case err == nil, errors.Is(err, driver.Nil):
			return err
		}
		if _, moved := driver.IsMovedError(err); moved {
			n.c.redirects.Add(1)
			return err
		}
		if _, ask := driver.IsAskError(err); ask {
			n.c.redirects.Add(1)
			return err
		}
		if errors.Is(err, net.ErrClosed) {
			return err // the node's client was closed: another one serves the slot
		}
		return atNode(n.address, err)
	}
}

// atNode returns an error with the node that it happened at.
func atNode(address string, err error) error {
	if _, ok := errors.AsType[*nodeError](err); ok {
		return err
	}
	return &nodeError{address, err}
}

// inside returns the error of the node, where err is one.
func inside(err error) error {
	if e, ok := errors.AsType[*nodeError](err); ok {
		return e.cause
	}
	return err
}
