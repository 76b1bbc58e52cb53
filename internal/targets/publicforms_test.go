package targets

import (
	"strings"
	"testing"
)

// Addresses as the documentation of other programs and hosts writes them.
func TestAddressesAsOthersPublishThem(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		// Heroku, Render, Supabase, Neon, Railway
		{"DATABASE_URL", "postgres://u:p@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d1", "postgres://u@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d1"},
		{"DATABASE_URL", "postgresql://u:p@dpg-abc-a/app_test", "postgresql://u@dpg-abc-a/app_test"},
		{"DATABASE_URL", "postgresql://postgres.ref:p@aws-0-eu-1.pooler.supabase.com:6543/postgres?pgbouncer=true", "postgresql://postgres.ref@aws-0-eu-1.pooler.supabase.com:6543/postgres?default_query_exec_mode=exec"},
		{"DATABASE_URL", "postgresql://u:p@ep-x-pooler.eu.aws.neon.tech/neondb?sslmode=require&channel_binding=require", "postgresql://u@ep-x-pooler.eu.aws.neon.tech/neondb?channel_binding=require&sslmode=require"},
		// Prisma, Rails, Django, SQLAlchemy, Spring
		{"DATABASE_URL", "postgresql://u:p@h:5432/d?schema=shop&connection_limit=5&pool_timeout=2", "postgresql://u@h:5432/d?search_path=shop"},
		{"DATABASE_URL", "postgres://h/d?pool=5&timeout=5000&prepared_statements=false&schema_search_path=a,b", "postgres://h/d?default_query_exec_mode=exec&search_path=a%2Cb"},
		{"DATABASE_URL", "postgis://u:p@h/d?conn_max_age=600", "postgres://u@h/d"},
		{"DATABASE_URL", "postgresql+psycopg2://u:p@/d?host=h1:5432&host=h2:5433", "postgresql://u@/d?host=h1%2Ch2&port=5432%2C5433"},
		{"DATABASE_URL", "postgresql+psycopg://u:p@/d?host=/var/run/postgresql", "postgresql://u@/d?host=%2Fvar%2Frun%2Fpostgresql"},
		{"DATABASE_URL", "postgresql://u:p@%2Fvar%2Frun%2Fpostgresql:5433/d", "postgresql://u@/d?host=%2Fvar%2Frun%2Fpostgresql&port=5433"},
		{"DATABASE_URL", "jdbc:postgresql://h1:1,h2:2/d?user=u&password=p&targetServerType=primary&ssl=true&sslmode=verify-full", "postgresql://h1:1,h2:2/d?password=xxx&sslmode=verify-full&target_session_attrs=primary&user=u"},
		{"DATABASE_URL", "postgres://u:p@h/d?sslmode=no-verify", "postgres://u@h/d?sslmode=require"},
		{"DATABASE_URL", "postgres://u:p@h/d?ssl=no-verify", "postgres://u@h/d?sslmode=require"},
		{"DATABASE_URL", "postgres://u:p@h/d\n", "postgres://u@h/d"},
		{"DB_HOST", "/var/run/postgresql", "postgres://postgres@/orchestrator_test?host=%2Fvar%2Frun%2Fpostgresql&port=5432"},
		{"DB_HOST", "db\n", "postgres://postgres@db:5432/orchestrator_test"},
		// CloudAMQP, Celery
		{"RABBITMQ_URL", "amqps://u:p@cow.rmq2.cloudamqp.com/u", "amqps://u@cow.rmq2.cloudamqp.com/u"},
		{"RABBITMQ_URL", "pyamqp://guest:guest@localhost//", "amqp://guest@localhost//"},
		{"RABBITMQ_VHOST", "%2F", "amqp://guest@localhost:5672/%2F"},
		{"RABBITMQ_HOST", "a:1,b", "amqp://guest@a:1,b:5672/%2F"},
		// Upstash, Heroku, Laravel, ioredis
		{"REDIS_URL", "rediss://default:p@eu1-x.upstash.io:6379", "rediss://default@eu1-x.upstash.io:6379"},
		{"REDIS_URL", "rediss://:p@ec2.compute.amazonaws.com:7000?ssl_cert_reqs=CERT_NONE", "rediss://ec2.compute.amazonaws.com:7000?ssl_cert_reqs=CERT_NONE"},
		{"REDIS_HOST", "/run/redis/redis.sock", "unix:///run/redis/redis.sock"},
	} {
		s, err := Resolve(from(map[string]string{c.name: c.value}))
		if err != nil {
			t.Errorf("%s=%s: %v", c.name, c.value, err)
			continue
		}
		kind := map[string]Kind{"DA": Postgres, "DB": Postgres, "RA": RabbitMQ, "RE": Redis}[c.name[:2]]
		if got := s.Address(kind).String(); got != c.want {
			t.Errorf("%s=%s: %s, want %s", c.name, c.value, got, c.want)
		}
		if _, err := s.Address(kind).Destination(); err != nil {
			t.Errorf("%s=%s: the driver cannot read it: %v", c.name, c.value, err)
		}
	}
}

func TestWhatIsNoAddressIsRefusedOrWarnedAbout(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"DATABASE_URL", "Host=h;Database=d;Username=u;Password=hidden-pw", "is not a URL"},
		{"DATABASE_URL", "host=h dbname=d password=hidden-pw", "is not a URL"},
		{"DATABASE_URL", "mysql://u:hidden-pw@h/d", "not one of"},
		{"DATABASE_URL", "postgresql:///app_test", "names no host"},
		{"DATABASE_URL", "postgresql://postgres:[YOUR-hidden-pw]@h/d", "is not a URL"},
		{"DATABASE_URL", "\"postgres://u:hidden-pw@h/d\"", "quotes around it"},
		{"RABBITMQ_URL", "amqp://u:hidden-pw@h1,amqp://u:hidden-pw@h2", "has an @ in its path"},
		{"RABBITMQ_HOST", "/run/rabbit.sock", "no Unix socket"},
		{"REDIS_URL", "h:6379,password=hidden-pw,ssl=True", ""},
		{"REDIS_URL", "redis://h:6379/1/namespace", "number of a database"},
		{"REDIS_HOST", "tls://h", "a URL stands where a host is wanted"},
		{"DB_PASSWORD", "\"hidden-pw\"", "quotes around it"},
		{"DB_PASSWORD", "hidden-pw\n", "line break"},
		{"DB_HOST", "'db'", "quotes around it"},
		{"API_BASE_URL", "localhost:3000", "not one of"},
	} {
		s, err := Resolve(from(map[string]string{c.name: c.value}))
		text := strings.Join(s.Warnings, "\n")
		if err != nil {
			text += err.Error()
		}
		if text == "" || !strings.Contains(text, c.want) || strings.Contains(text, "hidden-pw") {
			t.Errorf("%s=%s: said %q, want %q", c.name, c.value, text, c.want)
		}
	}
	// A piece gives what the URL lacks.
	s, err := Resolve(from(map[string]string{"DATABASE_URL": "postgresql:///app_test", "DB_HOST": "db"}))
	if err != nil || s.Postgres.String() != "postgresql://db/app_test" {
		t.Errorf("%s, %v", s.Postgres, err)
	}
}
