package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// addTroubles lets a broker be brought into trouble by what its own control program
// calls: expressions that the node evaluates.
func (m rabbitMaker) addTroubles(s *server, node, epmdPort string) {
	do := func(ctx context.Context, expression string) error {
		return m.evaluate(ctx, s, node, epmdPort, expression)
	}
	s.lookAtDisk = func(ctx context.Context) error { return do(ctx, askDisk) }
	s.trouble(MemoryAlarm, func(ctx context.Context, _ int) (Mend, error) {
		const before = "perfctl_watermark"
		begin := "application:set_env(rabbit, " + before + ", vm_memory_monitor:get_vm_memory_high_watermark()), " +
			"vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1})."
		end := "{ok, W} = application:get_env(rabbit, " + before + "), vm_memory_monitor:set_vm_memory_high_watermark(W)."
		return func(ctx context.Context) error { return do(ctx, end) }, do(ctx, begin)
	})
	s.trouble(ConnectionLimit, func(ctx context.Context, n int) (Mend, error) {
		begin := fmt.Sprintf(`ok = rabbit_vhost_limit:parse_set(<<"/">>, <<"{\"max-connections\":%d}">>, <<"perfctl">>), `+
			`Open = rabbit_networking:connections(), `+
			`[rabbit_networking:close_connection(C, "no more than %d connections") || C <- lists:nthtail(min(%d, length(Open)), Open)], ok.`, n, n, n)
		return func(ctx context.Context) error { return do(ctx, `rabbit_vhost_limit:clear(<<"/">>, <<"perfctl">>).`) }, do(ctx, begin)
	})
}

// askDisk has a broker look at once how much room there is, which it else does every
// few seconds.
const askDisk = "rabbit_disk_monitor:set_disk_free_limit(rabbit_disk_monitor:get_disk_free_limit())."

// evaluateTimeout bounds what a node takes for an expression.
const evaluateTimeout = 20 * time.Second

// evaluate has the broker's node evaluate an expression: by Erlang's own small caller,
// which takes milliseconds, or by RabbitMQ's control program, which takes seconds.
func (m rabbitMaker) evaluate(ctx context.Context, s *server, node, epmdPort, expression string) error {
	ctx, cancel := context.WithTimeout(ctx, evaluateTimeout)
	defer cancel()
	name, args, stdin := program([]string{"erl_call"}, filepath.Dir(m.epmd), newest("/usr/lib/erlang/erts-*/bin")), []string{"-n", node, "-e"}, expression+"\n"
	if name == "" {
		name, args, stdin = program([]string{"rabbitmqctl"}, filepath.Dir(m.program)), []string{"-n", node, "eval", expression}, ""
	}
	if name == "" {
		return errors.New("neither erl_call nor rabbitmqctl is installed")
	}
	c := exec.CommandContext(ctx, name, args...)
	c.Env, c.Dir, c.Stdin = serverEnv(s.dir, "ERL_EPMD_PORT="+epmdPort, "ERL_EPMD_ADDRESS=127.0.0.1"), s.dir, strings.NewReader(stdin)
	c.WaitDelay = time.Second
	out, err := c.CombinedOutput()
	text := string(bytes.TrimSpace(out))
	if err == nil && (strings.Contains(text, "EXIT") || strings.Contains(text, "{error")) { // erl_call itself succeeds
		err = errors.New("it failed")
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %.300s", filepath.Base(name), err, text)
	}
	return nil
}
