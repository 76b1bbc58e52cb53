package lab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// database is the one that the defaults of the settings name.
const database = "orchestrator_test"

type postgresMaker struct{ bin string }

func findPostgres() (maker, string) {
	p := program([]string{"postgres"}, newest("/usr/lib/postgresql/*/bin"), newest("/usr/pgsql-*/bin"), "/usr/local/pgsql/bin")
	if p == "" {
		return nil, "postgresql"
	}
	return postgresMaker{filepath.Dir(p)}, ""
}

func (m postgresMaker) prepare(ctx context.Context, dir string, tell func(string)) (*server, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	cred, err := unprivileged()
	if err != nil {
		return nil, err
	}
	home, password := filepath.Join(dir, "postgres"), secret()
	data := filepath.Join(home, "data")
	pwfile := filepath.Join(home, "password")
	if err := os.RemoveAll(home); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(pwfile, []byte(password+"\n"), 0o600); err != nil {
		return nil, err
	}
	if cred != nil {
		for _, p := range []string{home, pwfile} {
			if err := os.Chown(p, int(cred.Uid), int(cred.Gid)); err != nil {
				return nil, err
			}
		}
	}
	tell("is making its data folder")
	// --no-sync spares the flush of the template only; the server itself runs
	// with every durability default as it is.
	init := exec.CommandContext(ctx, filepath.Join(m.bin, "initdb"), "-D", data, "-U", "postgres",
		"--auth=scram-sha-256", "--pwfile="+pwfile, "--encoding=UTF8", "--locale=C", "--no-sync")
	init.Dir = home
	init.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Setsid: true}
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}
	port := strconv.Itoa(ports[0])
	u := url.URL{Scheme: "postgres", Host: "127.0.0.1:" + port, User: url.UserPassword("postgres", password), Path: "/" + database, RawQuery: "sslmode=disable"}
	return &server{
		Name: Postgres, Log: filepath.Join(dir, "postgres.log"), dir: home, credential: cred,
		// SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
		Quit: syscall.SIGINT,
		args: []string{filepath.Join(m.bin, "postgres"), "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1",
			"-c", "unix_socket_directories=", "-c", "max_connections=300"},
		Settings: []Setting{
			{"DB_HOST", "127.0.0.1"}, {"DB_PORT", port}, {"DB_NAME", database}, {"DB_USER", "postgres"},
			{"DB_PASSWORD", password}, {"DATABASE_URL", u.String()},
		},
		ready: func(ctx context.Context) error { return ensureDatabase(ctx, u) },
	}, nil
}

// ensureDatabase makes the database, unless it is there, and asks it something.
func ensureDatabase(ctx context.Context, u url.URL) error {
	admin := u
	admin.Path = "/postgres"
	c, err := pgx.Connect(ctx, admin.String())
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	const duplicateDatabase = "42P04"
	if _, err := c.Exec(ctx, "CREATE DATABASE "+database); err != nil {
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != duplicateDatabase {
			return err
		}
	}
	own, err := pgx.Connect(ctx, u.String())
	if err != nil {
		return err
	}
	defer own.Close(context.WithoutCancel(ctx))
	_, err = own.Exec(ctx, "SELECT 1")
	return err
}

// unprivileged returns whose credentials a server runs under that refuses to
// run as root; nil where perfctl itself is not root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // no credential is the answer
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
}
