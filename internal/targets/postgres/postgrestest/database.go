// Package postgrestest gives tests a database of their own on the server that
// the environment names. It is for tests alone, and holds none.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/perfctl/perfctl/internal/targets"
	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// Address returns the address of the test program's database, which its first
// call makes: other programs' tests may remove what perfctl left behind. It
// skips the test where no servers are given.
func Address(tb testing.TB) targets.Address {
	tb.Helper()
	if os.Getenv("PERFCTL_TEST_SERVERS") != "1" { //nolint:forbidigo // tests alone run this
		tb.Skip("needs servers: run make test")
	}
	a, err := database()
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// Exit removes the database, if there is one, and ends the program: it is the
// last thing that TestMain does.
func Exit(code int) {
	if made != "" {
		if err := administer("DROP DATABASE " + made + " WITH (FORCE)"); err != nil && code == 0 {
			panic(err)
		}
	}
	os.Exit(code) //nolint:forbidigo // tests alone run this
}

// made is the name of the database, empty where no test asked for one.
var made string

var database = sync.OnceValues(func() (targets.Address, error) {
	s, err := resolve()
	if err != nil {
		return targets.Address{}, err
	}
	made = fmt.Sprintf("perf_test_%x", time.Now().UnixNano())
	u := *s.Postgres.URL
	u.Path = "/" + made
	return targets.Address{Kind: targets.Postgres, URL: &u}, administer("CREATE DATABASE " + made)
})

func resolve() (*targets.Settings, error) {
	return targets.Resolve(func(name string) (string, string, bool) {
		v, ok := os.LookupEnv(name) //nolint:forbidigo // tests alone run this
		return v, "environment", ok
	})
}

// administer runs a statement in the database that the environment names.
func administer(sql string) error {
	s, err := resolve()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := postgres.Connect(ctx, s.Postgres, postgres.Options{Run: "test"})
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, sql)
	return errors.Join(err, c.Close(ctx))
}
