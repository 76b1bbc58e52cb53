package config

import (
	"fmt"

	"github.com/perfctl/perfctl/internal/targets"
)

// otherNames are the names under which other programs and hosts keep what perfctl has
// a setting of its own for: images of Compose, libpq, Spring, Laravel, Django, Celery,
// and the add-ons of hosting companies.
var otherNames = map[string]string{
	"POSTGRES_HOST": "DB_HOST", "POSTGRES_PORT": "DB_PORT", "POSTGRES_USER": "DB_USER", "POSTGRES_PASSWORD": "DB_PASSWORD", "POSTGRES_DB": "DB_NAME",
	"PGHOST": "DB_HOST", "PGPORT": "DB_PORT", "PGUSER": "DB_USER", "PGPASSWORD": "DB_PASSWORD", "PGDATABASE": "DB_NAME", "PGSSLMODE": "DB_SSLMODE",
	"DB_USERNAME": "DB_USER", "DB_PASS": "DB_PASSWORD", "DB_DATABASE": "DB_NAME", "DB_URL": "DATABASE_URL",
	"DATABASE_HOST": "DB_HOST", "DATABASE_PORT": "DB_PORT", "DATABASE_USER": "DB_USER", "DATABASE_USERNAME": "DB_USER", "DATABASE_PASSWORD": "DB_PASSWORD", "DATABASE_NAME": "DB_NAME",
	"POSTGRES_URL": "DATABASE_URL", "POSTGRES_PRISMA_URL": "DATABASE_URL", "POSTGRESQL_URL": "DATABASE_URL", "PG_URL": "DATABASE_URL",
	"DATABASE_PRIVATE_URL": "DATABASE_URL", "DATABASE_PUBLIC_URL": "DATABASE_URL", "DATABASE_URI": "DATABASE_URL",
	"SQLALCHEMY_DATABASE_URI": "DATABASE_URL", "SQLALCHEMY_DATABASE_URL": "DATABASE_URL", "JDBC_DATABASE_URL": "DATABASE_URL",
	"SPRING_DATASOURCE_URL": "DATABASE_URL", "SPRING_DATASOURCE_USERNAME": "DB_USER", "SPRING_DATASOURCE_PASSWORD": "DB_PASSWORD",

	"AMQP_URL": "RABBITMQ_URL", "AMQP_URI": "RABBITMQ_URL", "RABBITMQ_URI": "RABBITMQ_URL", "RABBIT_URL": "RABBITMQ_URL", "CLOUDAMQP_URL": "RABBITMQ_URL",
	"BROKER_URL": "RABBITMQ_URL", "CELERY_BROKER_URL": "RABBITMQ_URL",
	"RABBITMQ_USERNAME": "RABBITMQ_USER", "RABBITMQ_PASS": "RABBITMQ_PASSWORD", "RABBITMQ_VIRTUAL_HOST": "RABBITMQ_VHOST",
	"RABBITMQ_DEFAULT_USER": "RABBITMQ_USER", "RABBITMQ_DEFAULT_PASS": "RABBITMQ_PASSWORD", "RABBITMQ_DEFAULT_VHOST": "RABBITMQ_VHOST",
	"SPRING_RABBITMQ_HOST": "RABBITMQ_HOST", "SPRING_RABBITMQ_PORT": "RABBITMQ_PORT", "SPRING_RABBITMQ_USERNAME": "RABBITMQ_USER",
	"SPRING_RABBITMQ_PASSWORD": "RABBITMQ_PASSWORD", "SPRING_RABBITMQ_VIRTUAL_HOST": "RABBITMQ_VHOST", "SPRING_RABBITMQ_ADDRESSES": "RABBITMQ_HOST",
	"RABBITMQ_SSL": "RABBITMQ_TLS", "RABBITMQ_USE_SSL": "RABBITMQ_TLS",

	"REDISHOST": "REDIS_HOST", "REDISPORT": "REDIS_PORT", "REDISUSER": "REDIS_USERNAME", "REDISPASSWORD": "REDIS_PASSWORD", "REDIS_PASS": "REDIS_PASSWORD",
	"REDIS_URI": "REDIS_URL", "REDIS_TLS_URL": "REDIS_URL", "REDISCLOUD_URL": "REDIS_URL", "REDISTOGO_URL": "REDIS_URL", "UPSTASH_REDIS_URL": "REDIS_URL",
	"REDIS_PRIVATE_URL": "REDIS_URL", "KV_URL": "REDIS_URL", "VALKEY_URL": "REDIS_URL", "VALKEY_HOST": "REDIS_HOST", "VALKEY_PORT": "REDIS_PORT", "VALKEY_PASSWORD": "REDIS_PASSWORD",
	"SPRING_REDIS_HOST": "REDIS_HOST", "SPRING_REDIS_PORT": "REDIS_PORT", "SPRING_REDIS_PASSWORD": "REDIS_PASSWORD",
	"SPRING_DATA_REDIS_HOST": "REDIS_HOST", "SPRING_DATA_REDIS_PORT": "REDIS_PORT", "SPRING_DATA_REDIS_PASSWORD": "REDIS_PASSWORD", "SPRING_DATA_REDIS_URL": "REDIS_URL",
	"REDIS_SSL": "REDIS_TLS", "REDIS_USE_TLS": "REDIS_TLS",

	"API_URL": "API_BASE_URL", "BASE_URL": "API_BASE_URL",
}

// stray is a name in a source that is none of perfctl's settings.
type stray struct{ where, name string }

// warnOfStrays warns of names that other programs use for one of perfctl's settings,
// where nobody sets that one, and of those that are near to one: flows have names of
// their own, but few are so alike by intent.
func (l *Layers) warnOfStrays(strays []stray) {
	for _, s := range strays {
		meant, ok := otherNames[s.name]
		if !ok {
			l.warnOfTypo(s.where, s.name)
			continue
		}
		if l.isSet(meant) || l.isSet(targets.URLOf(meant)) {
			continue
		}
		l.Warnings = append(l.Warnings, fmt.Sprintf("%s %s: perfctl reads no setting of this name; it calls it %s, which nobody sets", s.where, s.name, meant))
	}
}

// isSet says whether a setting has a value.
func (l *Layers) isSet(name string) bool {
	v, _, ok := l.Lookup(name)
	return ok && v != ""
}
