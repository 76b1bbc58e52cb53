package targets

import (
	"net/url"
	"slices"
	"strings"
)

// extra is a setting that changes one thing of an address, whether that is given
// as a URL or in pieces.
type extra struct {
	kind  Kind
	name  string
	apply func(u *url.URL, value string) error
	// secret says that the value is not to be shown.
	secret bool
}

var extras = []extra{
	{kind: Redis, name: "REDIS_DB", apply: redisDatabase},
	{kind: Redis, name: "REDIS_DATABASE", apply: redisDatabase},
	{kind: Redis, name: "REDIS_USERNAME", apply: userName},
	{kind: Redis, name: "REDIS_USER", apply: userName},
	{kind: Redis, name: "REDIS_TLS", apply: secureScheme("redis", "rediss")},
	{kind: Redis, name: "REDIS_TLS_CA", apply: redisTLS("tls_ca")},
	{kind: Redis, name: "REDIS_TLS_CERT", apply: redisTLS("tls_cert")},
	{kind: Redis, name: "REDIS_TLS_KEY", apply: redisTLS("tls_key")},
	{kind: Redis, name: "REDIS_TLS_SERVER_NAME", apply: redisTLS("tls_server_name")},
	{kind: Redis, name: "REDIS_TLS_INSECURE", apply: redisTLS("tls_insecure")},
	{kind: Redis, name: "REDIS_SENTINEL_MASTER", apply: parameter("master")},
	{kind: Redis, name: "REDIS_SENTINEL_USERNAME", apply: parameter("sentinel_username")},
	{kind: Redis, name: "REDIS_SENTINEL_PASSWORD", apply: parameter("sentinel_password"), secret: true},
	{kind: Redis, name: "REDIS_CLUSTER", apply: parameter("cluster")},
	{kind: RabbitMQ, name: "RABBITMQ_TLS", apply: secureScheme("amqp", "amqps")},
	{kind: RabbitMQ, name: "RABBITMQ_TLS_CA", apply: rabbitTLS("cacertfile")},
	{kind: RabbitMQ, name: "RABBITMQ_TLS_CERT", apply: rabbitTLS("certfile")},
	{kind: RabbitMQ, name: "RABBITMQ_TLS_KEY", apply: rabbitTLS("keyfile")},
	{kind: RabbitMQ, name: "RABBITMQ_TLS_SERVER_NAME", apply: rabbitTLS("server_name_indication")},
	{kind: RabbitMQ, name: "RABBITMQ_TLS_INSECURE", apply: rabbitInsecure},
	{kind: RabbitMQ, name: "RABBITMQ_AUTH_MECHANISM", apply: parameter("auth_mechanism")},
	{kind: Postgres, name: "DB_SSLMODE", apply: parameter("sslmode")},
	{kind: Postgres, name: "DB_SSLROOTCERT", apply: parameter("sslrootcert")},
	{kind: Postgres, name: "DB_SSLCERT", apply: parameter("sslcert")},
	{kind: Postgres, name: "DB_SSLKEY", apply: parameter("sslkey")},
}

// URLOf returns the URL setting of which another setting changes one thing, empty
// for any other setting.
func URLOf(name string) string {
	for _, e := range extras {
		if e.name == name {
			return urlNameOf(e.kind)
		}
	}
	for _, p := range kinds {
		if name != "" && name != p.urlName && slices.Contains(p.nameList(), name) {
			return p.urlName
		}
	}
	return ""
}

func urlNameOf(k Kind) string {
	for _, p := range kinds {
		if p.kind == k {
			return p.urlName
		}
	}
	return ""
}

// applyExtras changes an address by the settings that are set, and returns them
// for display.
func applyExtras(a Address, look Lookup) ([]Setting, error) {
	var list []Setting
	for _, e := range extras {
		if e.kind != a.Kind {
			continue
		}
		value, origin, ok := look(e.name)
		if !ok && origin != "" {
			list = append(list, Setting{e.name, "(overridden by " + urlNameOf(e.kind) + ")", origin})
		}
		if !ok || value == "" {
			continue
		}
		if err := e.apply(a.URL, value); err != nil {
			return list, within(e.name, origin, err)
		}
		if e.secret {
			value = "xxx"
		}
		list = append(list, Setting{e.name, value, origin})
	}
	return list, nil
}

func redisDatabase(u *url.URL, value string) error {
	if _, err := databaseNumber(value); err != nil {
		return err
	}
	return parameter("db")(u, value)
}

func userName(u *url.URL, value string) error {
	if password, ok := u.User.Password(); ok {
		u.User = url.UserPassword(value, password)
	} else {
		u.User = url.User(value)
	}
	return nil
}

func parameter(key string) func(*url.URL, string) error {
	return func(u *url.URL, value string) error {
		q := u.Query()
		q.Set(key, value)
		u.RawQuery = q.Encode()
		return nil
	}
}

// secureScheme changes the scheme to the one with TLS, or back.
func secureScheme(plain, secure string) func(*url.URL, string) error {
	return func(u *url.URL, value string) error {
		on := strings.HasPrefix(u.Scheme, secure)
		if err := truth(&on, value); err != nil {
			return err
		}
		rest := strings.TrimPrefix(strings.TrimPrefix(u.Scheme, secure), plain)
		if u.Scheme = plain + rest; on {
			u.Scheme = secure + rest
		}
		return nil
	}
}

// rabbitTLS sets a parameter of TLS, which it switches on.
func rabbitTLS(key string) func(*url.URL, string) error {
	return func(u *url.URL, value string) error {
		if err := secureScheme("amqp", "amqps")(u, "true"); err != nil {
			return err
		}
		return parameter(key)(u, value)
	}
}

// rabbitInsecure says whether the broker's certificate is checked.
func rabbitInsecure(u *url.URL, value string) error {
	var on bool
	if err := truth(&on, value); err != nil {
		return err
	}
	if !on {
		return nil
	}
	return rabbitTLS("verify")(u, "verify_none")
}

// redisTLS sets a parameter of TLS, which it switches on.
func redisTLS(key string) func(*url.URL, string) error {
	return func(u *url.URL, value string) error {
		if err := secureScheme("redis", "rediss")(u, "true"); err != nil {
			return err
		}
		return parameter(key)(u, value)
	}
}
