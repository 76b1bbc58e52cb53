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
	"time"

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
	ports, err := choosePorts(1)
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
		if err := passable(dir, cred); err != nil {
			return nil, err
		}
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
	init.Dir, init.Env, init.WaitDelay = home, serverEnv(home), time.Second
	init.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Setsid: true}
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}
	statements := m.hasStatements()
	port := strconv.Itoa(ports[0])
	u := url.URL{Scheme: "postgres", Host: "127.0.0.1:" + port, User: url.UserPassword("postgres", password), Path: "/" + database, RawQuery: "sslmode=disable"}
	args := []string{
		filepath.Join(m.bin, "postgres"), "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "max_connections=300",
	}
	if statements {
		args = append(args, "-c", "shared_preload_libraries="+statementsExtension)
	}
	out := &server{
		Name: Postgres, Log: filepath.Join(dir, "postgres.log"), dir: home, credential: cred,
		// SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
		Quit: syscall.SIGINT,
		args: args,
		Settings: []Setting{
			{"DB_HOST", "127.0.0.1"}, {"DB_PORT", port}, {"DB_NAME", database}, {"DB_USER", "postgres"},
			{"DB_PASSWORD", password}, {"DATABASE_URL", u.String()},
		},
		ready: func(ctx context.Context) error { return ensureDatabase(ctx, u, statements) },
	}
	addPostgresTroubles(out, u)
	return out, nil
}

// ensureDatabase makes the database, unless it is there, and asks it something.
func ensureDatabase(ctx context.Context, u url.URL, statements bool) error {
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
	if statements {
		if _, err := own.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS "+statementsExtension); err != nil {
			return err
		}
	}
	_, err = own.Exec(ctx, "SELECT 1")
	return err
}

// statementsExtension counts what each kind of statement cost the server.
const statementsExtension = "pg_stat_statements"

// hasStatements says whether the server's contributed modules are installed:
// without the library the server would not start.
func (m postgresMaker) hasStatements() bool {
	bin, err := filepath.EvalSymlinks(filepath.Join(m.bin, "postgres"))
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join(filepath.Dir(bin), "..", "lib", statementsExtension+".so"))
	return err == nil
}

// passable says which folder on the way to dir the user of cred may not pass.
func passable(dir string, cred *syscall.Credential) error {
	for p := dir; ; p = filepath.Dir(p) {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		mask := os.FileMode(0o001)
		if own, ok := info.Sys().(*syscall.Stat_t); ok {
			switch {
			case own.Uid == cred.Uid:
				mask = 0o100
			case own.Gid == cred.Gid:
				mask = 0o010
			}
		}
		if info.Mode().Perm()&mask == 0 {
			return fmt.Errorf("PostgreSQL refuses to run as root, and user %d, which it runs as instead, may not pass through %s\n  next: set TMPDIR to a folder that every user may pass through, as /tmp", cred.Uid, p)
		}
		if p == filepath.Dir(p) {
			return nil
		}
	}
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
