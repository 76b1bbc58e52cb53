package rabbitmq

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/perfctl/perfctl/internal/engine/work"
	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/rabbitmq/rabbitmqtest"
	"github.com/perfctl/perfctl/internal/targets/tlstest"
)

// query writes parameters of an address.
func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q.Encode()
}

// refused checks that an address cannot be opened, within the 15 s that a user is
// promised, and that the error holds every word of want.
func refused(t *testing.T, a targets.Address, want ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	c, err := Dial(ctx, a, Options{})
	if err == nil {
		c.End(time.Second)
		t.Fatalf("%s was opened", a)
	}
	if ctx.Err() != nil {
		t.Errorf("it took longer than 15 s: %v", err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v lacks %q", err, w)
		}
	}
}

func mustDial(t *testing.T, a targets.Address, name string) *Conn {
	t.Helper()
	c, err := Dial(bounded(t, 15*time.Second), a, Options{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.End(time.Second) })
	return c
}

func TestTLSToARealBroker(t *testing.T) {
	rabbitmqtest.Need(t)
	own, foreign := tlstest.New(t), tlstest.New(t)
	cert, key := own.Issue(t, "server", time.Now().Add(time.Hour))
	mine, mineKey := own.Issue(t, "agent", time.Now().Add(time.Hour))
	b := rabbitmqtest.Start(t, []string{"rabbitmq_auth_mechanism_ssl"},
		"listeners.ssl.1 = 127.0.0.1:{tls}", "ssl_options.cacertfile = "+own.CA, "ssl_options.certfile = "+cert, "ssl_options.keyfile = "+key,
		"ssl_options.verify = verify_peer", "ssl_options.fail_if_no_peer_cert = true", "ssl_cert_login_from = common_name",
		"auth_mechanisms.1 = PLAIN", "auth_mechanisms.2 = EXTERNAL")
	client := []string{"cacertfile", own.CA, "certfile", mine, "keyfile", mineKey}
	with := func(more ...string) string { return query(append(more, client...)...) }

	mustDial(t, b.At(t, "amqps", with()), "perfctl/by password")
	mustDial(t, b.At(t, "amqps", query("verify", "verify_none", "certfile", mine, "keyfile", mineKey)), "perfctl/unchecked")
	refused(t, b.At(t, "amqps", query("cacertfile", own.CA)), "client's certificate", "RABBITMQ_TLS_CERT")
	refused(t, b.At(t, "amqps", query("certfile", mine, "keyfile", mineKey)), "unknown authority", "RABBITMQ_TLS_CA")
	refused(t, b.At(t, "amqps", query("cacertfile", foreign.CA, "certfile", mine, "keyfile", mineKey)), "unknown authority")
	refused(t, b.At(t, "amqps", with("server_name_indication", "other.test")), "another name", "RABBITMQ_TLS_SERVER_NAME")
	plainOnTLS := b.At(t, "amqp", "")
	plainOnTLS.URL.Host = b.At(t, "amqps", "").URL.Host
	refused(t, plainOnTLS, "amqps://")
	tlsOnPlain := b.At(t, "amqps", with())
	tlsOnPlain.URL.Host = b.At(t, "amqp", "").URL.Host
	refused(t, tlsOnPlain, "does not speak TLS", "amqp://")

	// Without a user of that name the certificate does not log in; with one it does.
	external := b.At(t, "amqps", with("auth_mechanism", "external"))
	refused(t, external, "the name in the client's certificate")
	b.Control(t, "add_user", "agent", "unused-by-this-test")
	b.Control(t, "set_permissions", "agent", ".*", ".*", ".*")
	mustDial(t, external, "perfctl/by certificate")
	if list := b.Control(t, "list_connections", "user", "ssl", "client_properties"); !strings.Contains(list, "agent\ttrue") || !strings.Contains(list, "perfctl/by certificate") {
		t.Errorf("the broker lists %s", list)
	}

	// The first host is gone, the second one speaks TLS: its name is checked by itself.
	several := b.At(t, "amqps", with())
	several.URL.Host = "127.0.0.1:1," + several.URL.Host
	mustDial(t, several, "perfctl/second")

	// TLS from settings, as the environment gives them.
	settings := map[string]string{"RABBITMQ_HOST": "127.0.0.1", "RABBITMQ_PORT": fmt.Sprint(b.TLS), "RABBITMQ_USER": b.User, "RABBITMQ_PASSWORD": b.Password,
		"RABBITMQ_TLS_CA": own.CA, "RABBITMQ_TLS_CERT": mine, "RABBITMQ_TLS_KEY": mineKey}
	s, err := targets.Resolve(func(n string) (string, string, bool) { v, ok := settings[n]; return v, "environment", ok })
	if err != nil {
		t.Fatal(err)
	}
	mustDial(t, s.RabbitMQ, "perfctl/by settings")
	brokerThatBlocks(t, b, external)
}

// brokerThatBlocks checks that an alarm of the broker is told apart from a confirm that
// is late for another reason.
func brokerThatBlocks(t *testing.T, b *rabbitmqtest.Broker, a targets.Address) {
	t.Helper()
	control, err := OpenControl(bounded(t, 15*time.Second), a, Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = control.Close(bounded(t, 5*time.Second)) })
	if err := control.Do(bounded(t, 5*time.Second), func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclare("perfctl.blocked", true, false, false, false, nil)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	took := make(chan time.Duration, 4)
	p, err := OpenPublisher(bounded(t, 15*time.Second), PublisherConfig{Address: a, Channels: 1, Blocked: func(d time.Duration) { took <- d }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(bounded(t, 5*time.Second)) })
	timer := time.NewTimer(time.Hour)
	publish := func(wait time.Duration) error {
		return p.Publish(t.Context(), 0, "", "perfctl.blocked", false, &amqp.Publishing{Body: []byte("x")}, timer, wait)
	}
	if err := publish(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	b.Control(t, "set_disk_free_limit", "1000000000000000")
	for i := 0; i < 50 && !p.link.Blocked(); i++ {
		_ = publish(200 * time.Millisecond) // the broker tells those who publish
	}
	if kind := work.KindOf(publish(200 * time.Millisecond)); kind != KindBlocked {
		t.Errorf("a publish to a broker with an alarm is of kind %q", kind)
	}
	b.Control(t, "set_disk_free_limit", "1000000")
	select {
	case d := <-took:
		if d <= 0 || d > time.Minute {
			t.Errorf("blocked for %v", d)
		}
	case <-time.After(30 * time.Second):
		t.Error("nobody was told that the broker lets publish again")
	}
	for i := 0; i < 50; i++ {
		if err = publish(2 * time.Second); err == nil {
			return
		}
	}
	t.Errorf("publishing does not go on: %v", err)
}

func TestAnExpiredCertificateOfTheBroker(t *testing.T) {
	own := tlstest.New(t)
	cert, key := own.Issue(t, "expired", time.Now().Add(-time.Hour))
	at := "amqps://u:s3cret@" + tlstest.Serve(t, cert, key)
	refused(t, address(t, at+"?cacertfile="+own.CA), "renew it")
}

func TestAWriteThatTheOtherSideDoesNotReadIsFlowControl(t *testing.T) {
	far := make(chan net.Conn, 1)
	at := serve(t, func(c net.Conn) { far <- c; _, _ = c.Read(nil); time.Sleep(2 * time.Second) })
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := newStallConn(c, 300*time.Millisecond)
	for range 1000 {
		if _, err = s.Write(make([]byte, 64<<10)); err != nil {
			break
		}
	}
	if got := unwritten(err, false); work.KindOf(got) != KindBlocked {
		t.Errorf("%v is of kind %s", err, work.KindOf(got))
	}
}

func TestOffsetsOfAStreamGoOnAfterAReconnect(t *testing.T) {
	c := &Consumer{cfg: ConsumerConfig{Offset: "first"}}
	if got := c.arguments()[streamOffset]; got != "first" {
		t.Errorf("begins at %v", got)
	}
	c.next.Store(42)
	if got := c.arguments()[streamOffset]; got != int64(42) {
		t.Errorf("goes on at %v", got)
	}
	if (&Consumer{}).arguments() != nil {
		t.Error("a queue has an offset")
	}
}

func TestPublishingGoesOnAfterTheBrokerWasKilled(t *testing.T) {
	b := rabbitmqtest.Start(t, nil)
	a := b.At(t, "amqp", "")
	declare := func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclare("perfctl.killed", true, false, false, false, nil)
		return err
	}
	p, err := OpenPublisher(bounded(t, 15*time.Second), PublisherConfig{Address: a, Channels: 8, Declare: declare})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(bounded(t, 5*time.Second)) })
	received := make(chan struct{}, 1000)
	c, err := OpenConsumer(bounded(t, 15*time.Second), ConsumerConfig{Address: a, Queue: "perfctl.killed", Prefetch: 20, Declare: declare,
		Handle: func(*amqp.Delivery) { received <- struct{}{} }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(bounded(t, 5*time.Second)) })
	timer := time.NewTimer(time.Hour)
	publish := func(i int) error {
		return p.Publish(t.Context(), i, "", "perfctl.killed", false, &amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte("x")}, timer, 2*time.Second)
	}
	for i := range 8 {
		if err := publish(i); err != nil {
			t.Fatal(err)
		}
		<-received
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 100 {
			_ = publish(i) // under way when the broker goes
			time.Sleep(10 * time.Millisecond)
		}
	}()
	b.Restart(t)
	<-done
	for i := range 8 {
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			err := publish(i)
			if err == nil {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("channel %d: publishing does not go on: %v", i, err)
			}
		}
	}
	select {
	case <-received:
	case <-time.After(30 * time.Second):
		t.Error("consuming does not go on")
	}
}
