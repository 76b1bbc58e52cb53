package work_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/engine/work"
)

func TestAnErrorSaysWhatWasAskedForAndKeepsItsKind(t *testing.T) {
	cause := errors.New("no such key")
	err := work.Asked("GET a", work.Fail(work.KindRejected, cause))
	if got := err.Error(); got != "rejected: GET a: no such key" || work.KindOf(err) != work.KindRejected || !errors.Is(err, cause) {
		t.Errorf("%q, kind %s", got, work.KindOf(err))
	}
	if again := work.Asked("step", err); again.Error() != err.Error() {
		t.Errorf("told twice: %q", again)
	}
	if work.Asked("GET a", nil) != nil {
		t.Error("an error of nothing")
	}
	if text := work.Asked(strings.Repeat("ü", 1000), cause).Error(); len([]rune(text)) > 200 {
		t.Errorf("%d characters", len([]rune(text)))
	}
}

func TestAStatementIsToldOnOneLineWithoutWhatIsQuoted(t *testing.T) {
	for sql, want := range map[string]string{
		"select *\n  from t\twhere a = 'hunter2' and b = $1": "select * from t where a = '…' and b = $1",
		"insert into t values ('it''s', '')":                 "insert into t values ('…''…', '…')",
		"select 'open":                                       "select '",
	} {
		if got := work.Statement(sql); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
