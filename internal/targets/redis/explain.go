package redis

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	driver "github.com/redis/go-redis/v9"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
)

const (
	setUser = "REDIS_USERNAME and REDIS_PASSWORD (or the user and password in REDIS_URL)"
	setHost = "REDIS_HOST and REDIS_PORT (or REDIS_URL)"
)

// answer is the step for a reply that begins with a word.
func answer(prefix, cause, next string) targets.Step {
	return targets.Step{Kind: targets.Redis, Sign: prefix, Cause: cause, Next: next,
		Match: func(err error) bool { return strings.HasPrefix(err.Error(), prefix) }}
}

var steps = append([]targets.Step{
	answer("WRONGPASS", "the password or the user is wrong", "the password or the user is wrong: set "+setUser),
	answer("NOAUTH", "the server wants a password", "the server wants a password: set REDIS_PASSWORD (or REDIS_URL)"),
	answer("ERR invalid password", "the password is wrong", "the password is wrong: set REDIS_PASSWORD (or REDIS_URL)"),
	answer("ERR AUTH", "the server has no password and one is given", "the server has no password and REDIS_PASSWORD gives one: unset it"),
	answer("ERR Client sent AUTH", "the server has no password and one is given", "the server has no password and REDIS_PASSWORD gives one: unset it"),
	answer("NOPERM", "the user's ACL lacks the command or the key", "the user may not run this command: grant it with ACL SETUSER, for keys perfctl:*"),
	answer("LOADING", "the server reads its data after a start", "the server is still loading its data: wait for it"),
	answer("MASTERDOWN", "a replica without its primary", "this is a replica that has lost its primary: set "+setHost+" to a primary"),
	answer("MISCONF", "the server cannot save and refuses writes", "the server refuses writes because it cannot save: free disk space or CONFIG SET stop-writes-on-bgsave-error no"),
	answer("READONLY", "a replica takes no writes", "this is a read-only replica: set "+setHost+" to the primary, which INFO replication names as master_host; or name the Sentinels with redis+sentinel://host:26379/NAME"),
	answer("NOREPLICAS", "too few replicas follow the primary", "the primary refuses writes while too few replicas follow it: start them, or lower min-replicas-to-write"),
	answer("OOM", "the server has reached maxmemory", "the server has reached maxmemory and evicts nothing: raise maxmemory, or set a maxmemory-policy that evicts"),
	answer("ERR DB index is out of range", "the server has fewer databases", "the server has fewer databases (16 unless its configuration says databases): set REDIS_DB (or the path of REDIS_URL) to a lower number"),
	answer("ERR SELECT is not allowed in cluster mode", "a cluster has database 0 only", "a cluster has database 0 only: unset REDIS_DB, or remove the path of REDIS_URL"),
	answer("ERR max number of clients", "maxclients is reached", "the server takes no more clients: raise maxclients or lower --set cache.pool_size"),
	answer("DENIED", "protected mode lets in nobody from elsewhere", "the server is in protected mode: set a password or bind it to loopback"),
	answer("MOVED", "the server is a node of a cluster", "this is a node of a cluster and the user may not run INFO or CLUSTER SLOTS, which would tell: grant them, or say so with REDIS_CLUSTER=true (or redis+cluster:// in REDIS_URL)"),
	answer("ASK ", "a slot is being moved", "the cluster moves slots between its nodes: wait until redis-cli --cluster check says that all is well"),
	answer("CLUSTERDOWN", "slots of the cluster are not served", "part of the cluster is down: redis-cli --cluster check HOST:PORT says which slots have no node; start the nodes that fail"),
	answer("CROSSSLOT", "the keys of one command are on several nodes", "the keys of one command must be in one slot of the cluster: give them a common part in braces, as in {task:1}:a and {task:1}:b"),
	answer("TRYAGAIN", "a slot is being moved", "the cluster moves slots between its nodes: wait until it is done"),
	answer("ERR This instance has cluster support disabled", "the server is no node of a cluster", "this server is no node of a cluster: unset REDIS_CLUSTER, or use redis:// in REDIS_URL"),
	{Kind: targets.Redis, Sign: "what answers is a Sentinel", Cause: "the port is a Sentinel's",
		Next: "this is a Sentinel: use redis+sentinel://{host}/NAME in REDIS_URL, or set REDIS_SENTINEL_MASTER to the NAME that SENTINEL MASTERS shows",
		Match: func(err error) bool {
			return errors.Is(err, errIsSentinel) || strings.Contains(err.Error(), "unknown command 'select'")
		}},
	{Kind: targets.Redis, Sign: "the Sentinels know no primary of the name", Cause: "the name is another one",
		Next: "set REDIS_SENTINEL_MASTER (or the path of REDIS_URL) to a name that redis-cli -p 26379 SENTINEL MASTERS shows",
		Match: func(err error) bool {
			e, ok := errors.AsType[*noPrimaryError](err)
			return ok && e.unknown
		}},
	{Kind: targets.Redis, Sign: "no Sentinel says which server is the primary", Cause: "no Sentinel can be asked",
		Next: "check that the Sentinels run and that REDIS_URL names them with their port, usually 26379; their own password is REDIS_SENTINEL_PASSWORD",
		Match: func(err error) bool {
			_, ok := errors.AsType[*noPrimaryError](err)
			return ok
		}},
	{Kind: targets.Redis, Sign: "they cannot fail over", Cause: "the primary is down and the Sentinels have no quorum",
		Next: "the primary is down and too few Sentinels see each other to make another one: start the primary, or the Sentinels that are missing",
		Match: func(err error) bool {
			e, ok := errors.AsType[*primaryError](err)
			return ok && e.quorum != nil
		}},
	{Kind: targets.Redis, Sign: "a failover is under way", Cause: "the Sentinels have not agreed on a new primary yet",
		Next:  "wait until the failover is over: SENTINEL CKQUORUM says whether it can end",
		Match: func(err error) bool { return errors.Is(err, errDemoted) }},
	{Kind: targets.Redis, Sign: "node HOST:PORT: connection refused", Cause: "a node of the cluster is down, or cannot be reached from here under the name it gives itself",
		Next: "a node of the cluster cannot be reached: start it, or let it announce an address that can be reached from here (cluster-announce-ip)",
		Match: func(err error) bool {
			_, ok := errors.AsType[*nodeError](err)
			return ok && (errors.Is(inside(err), syscall.ECONNREFUSED) || isDNS(inside(err)))
		}},
	{Kind: targets.Redis, Sign: "it names HOST, which is not this machine", Cause: "a cluster or a Sentinel leads to a host that was not allowed", Next: "{refused}",
		Match: func(err error) bool {
			_, ok := errors.AsType[*targets.RefusedError](err)
			return ok
		}},
}, append(targets.TLSSteps(targets.Redis, targets.TLSWords{
	Server: "the server", Plain: "use redis:// in REDIS_URL (or REDIS_TLS=false), or the TLS port",
	CA:     "REDIS_TLS_CA=FILE (or ?tls_ca=FILE in REDIS_URL), or check none with REDIS_TLS_INSECURE=true",
	Name:   "say which with REDIS_TLS_SERVER_NAME=NAME",
	Client: "name it with REDIS_TLS_CERT=FILE and REDIS_TLS_KEY=FILE", Files: "REDIS_TLS_CA, REDIS_TLS_CERT and REDIS_TLS_KEY (or the query of REDIS_URL)",
}), targets.Step{Kind: targets.Redis, Sign: "redis: invalid reply, EOF", Cause: "something else listens on the port, or TLS does",
	Next:  "something else than Redis may listen there: check " + setHost + ", and use rediss:// in REDIS_URL (or REDIS_TLS=true) if the port is for TLS",
	Match: notRedis})...)

// cutAfterTLS is the step for a server that hung up as soon as TLS was set up. It
// says why with an alert, which may come too late to be read.
var cutAfterTLS = targets.Step{Kind: targets.Redis, Sign: "connection reset, EOF, after TLS was set up", Cause: "the server wants a certificate from its clients",
	Next: "the server closed the connection as soon as TLS was set up: it may want a client's certificate; name it with REDIS_TLS_CERT=FILE and REDIS_TLS_KEY=FILE"}

// Steps returns what is known of the errors of Redis.
func Steps() []targets.Step { return append(slices.Clip(steps), cutAfterTLS) }

// notRedis says whether an answer is none of Redis's.
func notRedis(err error) bool {
	text := err.Error()
	for _, s := range []string{"redis: can't parse", "redis: invalid", "proto: ", "unexpected EOF"} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return text == "EOF" || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func isDNS(err error) bool {
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

// Explain wraps an error of the server with the step that fits it.
func Explain(addr targets.Address, tried string, err error) error {
	s, ok := targets.FindStep(steps, err)
	if !ok {
		if s, ok = targets.FindStep(steps, inside(err)); !ok {
			return targets.Unreachable(addr, tried, err, "")
		}
	}
	if r, unread := addr.Redis(); unread == nil && r.TLS != nil && r.TLS.Cert == "" && notRedis(inside(err)) {
		s = cutAfterTLS
	}
	next := s.Next
	if e, ok := errors.AsType[*targets.RefusedError](err); ok {
		next = e.Next
		err = errors.New(strings.TrimPrefix(e.Target+": "+e.Reason, addr.String()+": "))
	}
	return targets.Unreachable(addr, tried, err, strings.ReplaceAll(next, "{host}", addr.URL.Host))
}

// Classify gives an error of a command its kind.
func Classify(err error) error {
	if err == nil {
		return nil
	}
	cause := inside(err)
	var reply driver.Error
	switch {
	case errors.Is(cause, driver.ErrPoolTimeout), errors.Is(cause, context.DeadlineExceeded), errors.Is(cause, os.ErrDeadlineExceeded):
		return work.Fail(work.KindTimeout, err)
	case errors.As(cause, &reply):
		return work.Fail(work.KindRejected, err)
	}
	if op, ok := errors.AsType[*net.OpError](cause); ok && op.Timeout() {
		return work.Fail(work.KindTimeout, err)
	}
	return work.Fail(work.KindOf(cause), err)
}
