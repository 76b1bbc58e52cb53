package config

import (
	"maps"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/targets"
)

func environment(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := values[name]; return v, ok }
}

// What dotenv, Compose and Node agree on.
func TestAnEnvironmentFileIsReadAsOthersReadIt(t *testing.T) {
	f, err := parseEnv("\ufeff# a comment\r\n"+
		"export DB_HOST=127.0.0.1\r\n"+
		"DB_NAME=app_test # test db # ask ops\n"+
		"DB_PASSWORD=pa$WORD1\n"+
		"HASH=a#b\n"+
		"WIN_PATH='C:\\tmp\\'\n"+
		"NOTE='$DB_HOST'\n"+
		"URL=\"http://${DB_HOST}:$PORT/\\\"x\\\"\" # behind\n"+
		"KEY=\"one\ntwo\"\n"+
		"EMPTY=\n"+
		"  SPACED = a b  \n"+
		"DEFAULT=${NOPE:-fall back}/${EMPTY:-e}/${EMPTY-none}\n"+
		"COST=\\$5\n"+
		"MY-KEY=1\n", environment(map[string]string{"PORT": "8080"}))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"DB_HOST": "127.0.0.1", "DB_NAME": "app_test", "DB_PASSWORD": "pa$WORD1", "HASH": "a#b", "WIN_PATH": `C:\tmp\`,
		"NOTE": "$DB_HOST", "URL": `http://127.0.0.1:8080/"x"`, "KEY": "one\ntwo", "EMPTY": "", "SPACED": "a b",
		"DEFAULT": "fall back/e/", "COST": "$5", "MY-KEY": "1",
	}
	if !maps.Equal(f.values, want) {
		for k, v := range want {
			if f.values[k] != v {
				t.Errorf("%s is %q, want %q", k, f.values[k], v)
			}
		}
	}
	if len(f.notes) != 1 || !strings.Contains(f.notes[0], "line 4: DB_PASSWORD") || strings.Contains(f.notes[0], "WORD1") {
		t.Errorf("notes %q", f.notes)
	}
}

func TestAFaultOfAnEnvironmentFileNamesLineAndKey(t *testing.T) {
	for text, want := range map[string]string{
		"DB_HOST=x\nAPI_TOKEN\n":         "line 2: API_TOKEN has no value",
		"A=1\n\n# c\nthe secret\n":       "line 4: want KEY=VALUE",
		"A=1\nB='never\nends\n":          "line 2: the quote that begins the value of B",
		"KEY=\"a\nb\"\n=secret-no-key\n": "line 3: want KEY=VALUE",
	} {
		_, err := parseEnv(text, environment(nil))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestAPieceOfAStrongerSourceReplacesThatOfAURL(t *testing.T) {
	l, err := Load(Sources{
		Env: []string{"DB_PASSWORD=secret", "MINE=1"}, Lookup: environment(map[string]string{"DATABASE_URL": "postgres://app@127.0.0.1/app_test", "REDIS_DB": "3"}),
		File: &File{Path: "c.yaml", Settings: map[string]string{"DB_HOST": "elsewhere", "REDIS_URL": "redis://127.0.0.1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Warnings) > 0 {
		t.Errorf("warnings %q", l.Warnings)
	}
	s, err := targets.Resolve(l.Lookup)
	if err != nil || s.Postgres.String() != "postgres://app@127.0.0.1/app_test" || s.Postgres.Password() != "secret" || s.Redis.String() != "redis://127.0.0.1?db=3" {
		t.Errorf("%s with %q, %s, %v", s.Postgres, s.Postgres.Password(), s.Redis, err)
	}
	if v, ok := s.Setting("DB_HOST"); v != "elsewhere" || !ok {
		t.Errorf("a flow cannot read a setting that the address does not use: %q, %v", v, ok)
	}
}

func TestNamesThatOtherProgramsUseAreToldApart(t *testing.T) {
	for name, want := range map[string]string{"POSTGRES_PASSWORD": "DB_PASSWORD", "PGHOST": "DB_HOST", "CLOUDAMQP_URL": "RABBITMQ_URL", "REDIS_TLS_URL": "REDIS_URL",
		"SPRING_DATASOURCE_URL": "DATABASE_URL", "DB_HOSTS": "DB_HOST", "MINE": "", "DB_USER": ""} {
		l, err := Load(Sources{Env: []string{name + "=secret"}, Lookup: environment(nil)})
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(l.Warnings, "\n"); !strings.Contains(text, want) || (want == "") != (text == "") || strings.Contains(text, "secret") {
			t.Errorf("%s: warned %q, want %q", name, text, want)
		}
	}
	l, err := Load(Sources{Env: []string{"POSTGRES_PASSWORD=secret", "DATABASE_URL=postgres://h/x_test"}, Lookup: environment(nil)})
	if err != nil || len(l.Warnings) > 0 {
		t.Errorf("warned %q, %v, though the setting is there", l.Warnings, err)
	}
}

func FuzzParseEnv(f *testing.F) {
	f.Add("A=1\nB=\"x\\\"\ny\"\nC='${A}'\nexport D=${A:-b} # c\n")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parseEnv(text, environment(nil)); err == nil && len(got.values) > len(got.keys) {
			t.Errorf("%d values of %d keys", len(got.values), len(got.keys))
		}
	})
}
