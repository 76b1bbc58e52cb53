package scenarios

import (
	"errors"
	"strings"
	"testing"
	"time"
)

var testDefinition = Definition{
	Name: "demo",
	Settings: []Option{
		{Key: "agents", Default: "20", Type: Int{Min: 1, Max: 100}},
		{Key: "hit_ratio", Default: "0.9", Type: Float{Min: 0, Max: 1}, PerStage: true},
		{Key: "work_time", Default: "5ms", Type: Duration{Max: time.Minute}},
		{Key: "durable", Default: "true", Type: Bool{}},
		{Key: "mode", Default: "single", Type: Enum{"single", "batch"}, PerStage: true},
	},
}

func TestValuesResolveInOrder(t *testing.T) {
	v, errs := NewValues(&testDefinition, 2, []Override{
		{Key: "agents", Value: "30", Stage: -1, Place: "profile"},
		{Key: "hit_ratio", Value: "0.5", Stage: 1, Place: "stage"},
		{Key: "mode", Value: "batch", Stage: 0, Place: "stage"},
		{Key: "mode", Value: "single", Stage: -1, Place: "--set"},
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if v.Int(0, "agents") != 30 || v.Int(1, "agents") != 30 {
		t.Error("a setting of the run does not hold in every stage")
	}
	if v.Float(0, "hit_ratio") != 0.9 || v.Float(1, "hit_ratio") != 0.5 {
		t.Errorf("hit ratios %g and %g, want the default and the stage's", v.Float(0, "hit_ratio"), v.Float(1, "hit_ratio"))
	}
	if v.Text(0, "mode") != "single" {
		t.Error("a later override did not win")
	}
	if v.Duration(0, "work_time") != 5*time.Millisecond || !v.Bool(0, "durable") {
		t.Error("defaults are lost")
	}
}

func TestWrongValuesNamePlaceAndChoice(t *testing.T) {
	for _, c := range []struct {
		o    Override
		want string
	}{
		{Override{"agnets", "1", -1, "p.yaml:3:5"}, `p.yaml:3:5: scenario demo has no setting "agnets"; did you mean "agents"?`},
		{Override{"agents", "0", -1, "--set"}, `--set: demo.agents: "0" is not a whole number from 1 to 100`},
		{Override{"hit_ratio", "NaN", -1, "--set"}, `is not a number from 0 to 1`},
		{Override{"work_time", "5", -1, "--set"}, `as in 5ms`},
		{Override{"mode", "bulk", -1, "--set"}, `is not one of single, batch`},
		{Override{"agents", "3", 1, "p.yaml:9:1"}, `holds for a whole run`},
	} {
		_, errs := NewValues(&testDefinition, 2, []Override{c.o})
		if err := errors.Join(errs...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.o, err, c.want)
		}
	}
}

func TestFindNamesTheNearest(t *testing.T) {
	r := NewRegistry(testDefinition)
	if _, err := r.Find("dmo"); err == nil || !strings.Contains(err.Error(), `did you mean "demo"?`) {
		t.Errorf("got %v", err)
	}
	if d, err := r.Find("demo"); err != nil || d.Name != "demo" {
		t.Errorf("got %v, %v", d, err)
	}
}
