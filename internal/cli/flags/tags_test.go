package flags

import (
	"maps"
	"testing"

	"github.com/perfctl/perfctl/internal/run"
)

func TestLabelsOfTheCommandLineStandAboveTheEnvironments(t *testing.T) {
	r := &run.Request{Tags: map[string]string{"env": "staging"}}
	if err := AddTags(r, []string{"branch=main", "commit=a=b"}); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"env": "staging", "branch": "main", "commit": "a=b"}; !maps.Equal(r.Tags, want) {
		t.Errorf("got %v, want %v", r.Tags, want)
	}
	if err := AddTags(r, []string{"env=prod"}); err != nil || r.Tags["env"] != "prod" {
		t.Errorf("got %v, %v", r.Tags, err)
	}
	for _, bad := range []string{"main", "=x", "a b=c"} {
		if AddTags(r, []string{bad}) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
