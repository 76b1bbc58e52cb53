package postgres

import (
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/perfctl/perfctl/internal/targets"
)

// The order is libpq's: the address, PGPASSWORD, the passfile.
func TestAPasswordOfTheEnvironmentIsUsedWhereTheAddressHasNone(t *testing.T) {
	t.Setenv("PGPASSWORD", "from-environment")
	for text, want := range map[string]string{
		"postgres://app@127.0.0.1/app_test":     "from-environment",
		"postgres://app:own@127.0.0.1/app_test": "own",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		plain := *u
		plain.User = url.User("app")
		cfg, err := pgx.ParseConfig(plain.String())
		if err != nil {
			t.Fatal(err)
		}
		configure(cfg, targets.Address{Kind: targets.Postgres, URL: u}, Options{})
		if cfg.Password != want {
			t.Errorf("%s: %q, want %q", text, cfg.Password, want)
		}
	}
}
