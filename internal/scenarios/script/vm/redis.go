package vm

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/dop251/goja"
	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/targets/redis"
)

// redisModule is the module k6/experimental/redis and k6/x/redis.
func (v *VM) redisModule() *goja.Object {
	m := v.rt.NewObject()
	_ = m.Set("Client", func(c goja.ConstructorCall) *goja.Object {
		address, err := v.redisAddress(c.Argument(0))
		if err != nil {
			panic(v.rt.NewTypeError("redis.Client: " + err.Error()))
		}
		v.redisMethods(c.This, address)
		return nil
	})
	return m
}

// redisAddress reads what a client is made of: a URL, or an object.
func (v *VM) redisAddress(x goja.Value) (string, error) {
	if nothing(x) {
		return "", errors.New("it needs an address, as redis://localhost:6379")
	}
	o, ok := x.(*goja.Object)
	if !ok {
		text := x.String()
		if scheme, _, ok := strings.Cut(text, "://"); !ok || !strings.HasPrefix(scheme, "redis") {
			return "", errors.New("the address begins with redis:// or rediss://")
		}
		return text, nil
	}
	u := url.URL{Scheme: "redis", Host: "localhost:6379"}
	var user, password string
	for _, k := range o.Keys() {
		y := o.Get(k)
		switch k {
		case "username":
			user = y.String()
		case "password":
			password = y.String()
		case "database", "db":
			u.Path = "/" + y.String()
		case "addrs":
			if err := v.redisNodes(&u, y.ToObject(v.rt)); err != nil {
				return "", err
			}
		case "cluster":
			if err := v.redisCluster(&u, y.ToObject(v.rt)); err != nil {
				return "", err
			}
		case "socket":
			v.redisSocket(&u, y.ToObject(v.rt))
		case "clientName", "poolSize", "minIdleConns", "maxConnAge", "dialTimeout", "readTimeout", "writeTimeout", "idleTimeout", "idleCheckFrequency":
			v.warn("redis "+k, "redis.Client: "+k+" does nothing: perfctl opens script.connections connections before they are used")
		default:
			return "", fmt.Errorf("%s is not there; there are username, password, database, socket.host, socket.port, socket.tls, cluster.nodes, or a URL; sentinels are reached by redis+sentinel://HOST:26379/MASTER", k)
		}
	}
	if user != "" || password != "" {
		u.User = url.UserPassword(user, password)
	}
	return u.String(), nil
}

// redisCluster reads the nodes of a cluster.
func (v *VM) redisCluster(u *url.URL, o *goja.Object) error {
	for _, k := range o.Keys() {
		switch k {
		case "nodes":
			if err := v.redisNodes(u, o.Get(k).ToObject(v.rt)); err != nil {
				return err
			}
		case "maxRedirects", "readOnly", "routeByLatency", "routeRandomly":
			v.warn("redis cluster."+k, "redis.Client: cluster."+k+" does nothing: commands go to the primaries")
		default:
			return fmt.Errorf("cluster.%s is not there; there is cluster.nodes", k)
		}
	}
	return nil
}

// redisNodes reads a list of servers, each a URL, HOST:PORT, or an object as a client is
// made of. What they say besides must be the same for all.
func (v *VM) redisNodes(u *url.URL, list *goja.Object) error {
	var hosts []string
	for i := range int(list.Get("length").ToInteger()) {
		x := list.Get(itoa(i))
		text := x.String()
		if _, object := x.(*goja.Object); object {
			var err error
			if text, err = v.redisAddress(x); err != nil {
				return err
			}
		}
		if !strings.Contains(text, "://") {
			hosts = append(hosts, text)
			continue
		}
		one, err := url.Parse(text)
		if err != nil {
			return errors.New("the address of a node cannot be read")
		}
		if u.Scheme, hosts = one.Scheme, append(hosts, one.Host); one.User != nil {
			u.User = one.User
		}
	}
	if len(hosts) == 0 {
		return errors.New("no node is named")
	}
	u.Host = strings.Join(hosts, ",")
	return nil
}

func (v *VM) redisSocket(u *url.URL, o *goja.Object) {
	host, port := "localhost", "6379"
	for _, k := range o.Keys() {
		switch k {
		case "host":
			host = o.Get(k).String()
		case "port":
			port = o.Get(k).String()
		case "tls":
			u.Scheme = "rediss"
		default:
			v.warn("redis socket."+k, "redis.Client: socket."+k+" does nothing")
		}
	}
	u.Host = net.JoinHostPort(host, port)
}

// redisCall is how a method is sent: the command's words before its arguments, and what
// its reply becomes.
type redisCall struct {
	words []string
	reply func(v *VM, x any) any
}

func asIs(_ *VM, x any) any { return x }

// truth is a reply of 1 or 0.
func truth(_ *VM, x any) any {
	n, ok := x.(int64)
	return ok && n == 1
}

// pairs is a reply of fields and values.
func pairs(v *VM, x any) any {
	o := v.rt.NewObject()
	switch all := x.(type) {
	case map[any]any:
		keys := make([]string, 0, len(all))
		for k := range all {
			keys = append(keys, fmt.Sprint(k))
		}
		slices.Sort(keys)
		for _, k := range keys {
			_ = o.Set(k, all[k])
		}
	case []any:
		for i := 0; i+1 < len(all); i += 2 {
			_ = o.Set(fmt.Sprint(all[i]), all[i+1])
		}
	}
	return o
}

// redisCalls are the methods of a client, as k6's documentation lists them.
var redisCalls = map[string]redisCall{
	"get": {[]string{"GET"}, asIs}, "getSet": {[]string{"GETSET"}, asIs}, "getDel": {[]string{"GETDEL"}, asIs}, "del": {[]string{"DEL"}, asIs},
	"exists": {[]string{"EXISTS"}, asIs}, "incr": {[]string{"INCR"}, asIs}, "incrBy": {[]string{"INCRBY"}, asIs}, "decr": {[]string{"DECR"}, asIs},
	"decrBy": {[]string{"DECRBY"}, asIs}, "randomKey": {[]string{"RANDOMKEY"}, asIs}, "mget": {[]string{"MGET"}, asIs}, "expire": {[]string{"EXPIRE"}, truth},
	"ttl": {[]string{"TTL"}, asIs}, "persist": {[]string{"PERSIST"}, truth},
	"lpush": {[]string{"LPUSH"}, asIs}, "rpush": {[]string{"RPUSH"}, asIs}, "lpop": {[]string{"LPOP"}, asIs}, "rpop": {[]string{"RPOP"}, asIs},
	"lrange": {[]string{"LRANGE"}, asIs}, "lindex": {[]string{"LINDEX"}, asIs}, "lset": {[]string{"LSET"}, asIs}, "lrem": {[]string{"LREM"}, asIs}, "llen": {[]string{"LLEN"}, asIs},
	"hset": {[]string{"HSET"}, asIs}, "hsetnx": {[]string{"HSETNX"}, truth}, "hget": {[]string{"HGET"}, asIs}, "hdel": {[]string{"HDEL"}, asIs},
	"hgetall": {[]string{"HGETALL"}, pairs}, "hkeys": {[]string{"HKEYS"}, asIs}, "hvals": {[]string{"HVALS"}, asIs}, "hlen": {[]string{"HLEN"}, asIs},
	"hincrby": {[]string{"HINCRBY"}, asIs},
	"sadd":    {[]string{"SADD"}, asIs}, "srem": {[]string{"SREM"}, asIs}, "sismember": {[]string{"SISMEMBER"}, truth}, "smembers": {[]string{"SMEMBERS"}, asIs},
	"srandmember": {[]string{"SRANDMEMBER"}, asIs}, "spop": {[]string{"SPOP"}, asIs}, "sendCommand": {nil, asIs},
}

func (v *VM) redisMethods(o *goja.Object, address string) {
	for name, call := range redisCalls {
		_ = o.Set(name, v.promised(func(c goja.FunctionCall) (any, error) { return v.redis(address, call, c.Arguments) }))
	}
	_ = o.Set("set", v.promised(func(c goja.FunctionCall) (any, error) {
		args := []goja.Value{c.Argument(0), c.Argument(1)}
		if x := c.Argument(2); !nothing(x) && x.ToInteger() > 0 {
			args = append(args, v.rt.ToValue("EX"), x)
		}
		return v.redis(address, redisCall{[]string{"SET"}, asIs}, args)
	}))
	v.told(o, "redis.Client")
}

// redis sends a command and reads its reply. A reply of nothing is an error, as in k6.
func (v *VM) redis(address string, call redisCall, args []goja.Value) (any, error) {
	v.mustRun("a command of Redis")
	words := make([]any, 0, len(call.words)+len(args))
	for _, w := range call.words {
		words = append(words, w)
	}
	for _, x := range args {
		if o, ok := x.(*goja.Object); ok && o.ClassName() == "Array" {
			for i := range int(o.Get("length").ToInteger()) {
				words = append(words, v.redisWord(o.Get(itoa(i))))
			}
			continue
		}
		words = append(words, v.redisWord(x))
	}
	if len(words) == 0 {
		return nil, errors.New("sendCommand needs a command")
	}
	began := v.now()
	c, err := v.s.settings.Stores.Redis(v.ctx, address)
	if err != nil {
		return nil, err
	}
	x, err := c.Do(v.ctx, words...).Result()
	if err != nil && !errors.Is(err, driver.Nil) {
		v.timed(RedisCommand, "", began, err)
		return nil, redis.Classify(err)
	}
	v.timed(RedisCommand, strings.ToLower(fmt.Sprint(words[0])), began, nil)
	if err != nil {
		return nil, errors.New("redis: nil")
	}
	return call.reply(v, x), nil
}

// redisWord is a word of a command: bytes as they are, all else as text.
func (v *VM) redisWord(x goja.Value) any {
	if v.isBinary(x) {
		return v.bytesOf(x)
	}
	return x.String()
}
