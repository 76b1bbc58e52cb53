package lab

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMissingProgramsAreNamedAtOnce(t *testing.T) {
	saved := finders
	defer func() { finders = saved }()
	none := func(pkg string) func() (maker, string) { return func() (maker, string) { return nil, pkg } }
	finders = map[string]func() (maker, string){RabbitMQ: none("rabbitmq-server"), Postgres: none("postgresql"), Redis: findRedis}
	_, err := Start(t.Context(), Options{Services: []string{RabbitMQ, Postgres}, Dir: t.TempDir()})
	for _, want := range []string{"rabbitmq, postgres", "apt-get install rabbitmq-server postgresql", "configs/compose.yaml"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestUnknownServiceIsRefused(t *testing.T) {
	if _, err := Start(t.Context(), Options{Services: []string{"mongo"}}); err == nil || !strings.Contains(err.Error(), "mongo") {
		t.Errorf("got %v", err)
	}
}

func TestARecycledPidIsNotOurs(t *testing.T) {
	s := &server{Name: Redis, Pid: os.Getpid(), Born: "another boot/1", Log: filepath.Join(t.TempDir(), "redis.log")}
	if s.running() {
		t.Fatal("a process that began at another time was taken for the server")
	}
	if err := s.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Born = born(os.Getpid())
	if !s.running() {
		t.Error("the very process is not recognised")
	}
}

func TestAServerThatFailsShowsItsLog(t *testing.T) {
	dir := t.TempDir()
	s := &server{Name: "broken", Log: filepath.Join(dir, "log"), dir: dir, Quit: syscall.SIGTERM,
		args: []string{"/bin/sh", "-c", "echo all is well; echo the disk is on fire; exit 1"}, ready: func(context.Context) error { return errors.New("no") }}
	if err := s.start(false); err != nil {
		t.Fatal(err)
	}
	if err := s.await(t.Context()); err == nil {
		t.Fatal("a server that ended is ready")
	}
	if tail := s.logTail(1); !strings.Contains(tail, "the disk is on fire") || strings.Contains(tail, "well") {
		t.Errorf("log tail %q", tail)
	}
}

func TestNewestTakesTheHighestVersion(t *testing.T) {
	dir := t.TempDir()
	for _, v := range []string{"9.6", "15", "9"} {
		if err := os.MkdirAll(filepath.Join(dir, "pg", v, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got := newest(filepath.Join(dir, "pg", "*", "bin")); !strings.HasSuffix(got, "15/bin") {
		t.Errorf("got %s", got)
	}
}

func TestARecycledSessionIsNotOurs(t *testing.T) {
	sleep := exec.CommandContext(t.Context(), "sleep", "60")
	sleep.Dir, sleep.SysProcAttr = t.TempDir(), &syscall.SysProcAttr{Setsid: true}
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sleep.Process.Kill(); _ = sleep.Wait() }()
	if got := family(sleep.Process.Pid, t.TempDir()); len(got) > 0 {
		t.Errorf("%v would be killed, which work elsewhere", got)
	}
	if got := family(sleep.Process.Pid, sleep.Dir); !slices.Equal(got, []int{sleep.Process.Pid}) {
		t.Errorf("the session's own process is not found: %v", got)
	}
}

func TestAStateComesBackAsItWasSaved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), dirPrefix+"1")
	pid := os.Getpid()
	want := &Lab{dir: dir, servers: []*server{{
		Name: Redis, Pid: pid, Born: born(pid), Log: filepath.Join(dir, "redis.log"), Quit: syscall.SIGTERM,
		Settings: []Setting{{"REDIS_HOST", "127.0.0.1"}, {"REDIS_PASSWORD", "s3cret"}},
	}}}
	file := filepath.Join(t.TempDir(), "lab.json")
	if err := os.WriteFile(file, []byte("an earlier one"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := want.Save(file); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the passwords is %v (%v)", info.Mode(), err)
	}
	got, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Settings(), got.Settings()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{Redis: pid}, got.Pids()); diff != "" {
		t.Error(diff)
	}
}

func TestADamagedStateStopsNothing(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":          `{`,
		"the root":          `{"dir":"/","servers":[]}`,
		"another folder":    `{"dir":"/home/me","servers":[]}`,
		"a way out":         `{"dir":"/tmp/perfctl-lab-1/../../perfctl-lab-etc","servers":[]}`,
		"relative":          `{"dir":"perfctl-lab-1","servers":[]}`,
		"no server":         `{"dir":"/tmp/perfctl-lab-1","servers":[null]}`,
		"an unknown server": `{"dir":"/tmp/perfctl-lab-1","servers":[{"name":"sshd","pid":7,"born":"x"}]}`,
		"every process":     `{"dir":"/tmp/perfctl-lab-1","servers":[{"name":"redis","pid":1,"born":"x","log":"/tmp/perfctl-lab-1/redis.log"}]}`,
		"a log elsewhere":   `{"dir":"/tmp/perfctl-lab-1","servers":[{"name":"redis","pid":7,"born":"x","log":"/etc/redis.log"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "lab.json")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(file); err == nil || !strings.Contains(err.Error(), "is not a lab's state") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSettingsOfOtherServersStayOut(t *testing.T) {
	got := filterEnv([]string{"PATH=/opt/bin", "LC_ALL=C.UTF-8", "RABBITMQ_NODE_PORT=5672", "PGDATA=/srv", "ERL_FLAGS=-x", "DB_PASSWORD=s3cret", "HOME=/root"})
	want := []string{"LC_ALL=C.UTF-8", "PATH=/opt/bin:" + systemPath}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAClosedFolderOnTheWayIsNamed(t *testing.T) {
	closed := filepath.Join(t.TempDir(), "closed")
	dir := filepath.Join(closed, "lab")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	stranger := &syscall.Credential{Uid: uint32(os.Getuid()) + 12345, Gid: uint32(os.Getgid()) + 12345}
	if err := passable(dir, stranger); err == nil || !strings.Contains(err.Error(), closed+"\n") {
		t.Errorf("got %v", err)
	}
	if err := passable("/", stranger); err != nil {
		t.Error(err)
	}
}

func TestAServiceAskedForTwiceIsRefused(t *testing.T) {
	if _, err := Start(t.Context(), Options{Services: []string{Redis, Redis}}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("got %v", err)
	}
}

// What stopping a lab acts on is what Save wrote, whatever the file holds.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"dir":"/tmp/perfctl-lab-1","servers":[{"name":"redis","pid":7,"born":"x/1","log":"/tmp/perfctl-lab-1/redis.log"}]}`))
	f.Add([]byte(`{"dir":"/tmp/perfctl-lab-1/../x","servers":[null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s state
		if json.Unmarshal(text, &s) != nil || s.check() != nil {
			return
		}
		if !strings.HasPrefix(filepath.Base(s.Dir), dirPrefix) || filepath.Clean(s.Dir) != s.Dir {
			t.Errorf("%q is taken for a lab's folder", s.Dir)
		}
		for _, v := range s.Servers {
			if v.Pid <= 1 || filepath.Dir(v.Log) != s.Dir {
				t.Errorf("%+v is taken for a server of %s", v, s.Dir)
			}
		}
	})
}
