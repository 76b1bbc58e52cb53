package strictyaml

import (
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Duration
		err  string
	}{
		{text: "2m", want: 2 * time.Minute},
		{text: "90s", want: 90 * time.Second},
		{text: "1h30m", want: 90 * time.Minute},
		{text: "1.5ms", want: 1500 * time.Microsecond},
		{text: "0", want: 0},
		{text: "90", err: "90 has no unit: write 90s, 90m or 90h"},
		{text: "1.5", err: "has no unit"},
		{text: "-5s", err: "is negative"},
		{text: "5 s", err: "is not a duration"},
		{text: "1d", err: "is not a duration"},
		{text: "", err: "is not a duration"},
		{text: "9999999999h", err: "is not a duration"},
		{text: strings.Repeat("9", 5000), err: "is not a duration"},
	} {
		got, err := ParseDuration(c.text)
		check(t, c.text, got, c.want, err, c.err)
	}
}

func TestParseRate(t *testing.T) {
	for _, c := range []struct {
		text string
		want float64
		err  string
	}{
		{text: "100", want: 100},
		{text: "100/s", want: 100},
		{text: "6000/min", want: 100},
		{text: "36 / h", want: 0.01},
		{text: "0.5", want: 0.5},
		{text: "1e3", want: 1000},
		{text: "0", want: 0},
		{text: "-1", err: "is negative"},
		{text: "nan", err: "is not a rate"},
		{text: "inf/s", err: "is not a rate"},
		{text: "1e999", err: "is not a rate"},
		{text: "100s", err: "is not a rate"},
		{text: "", err: "is not a rate"},
		{text: "100/", err: "unknown unit"},
		{text: "100/week", err: "unknown unit: write /s, /min or /h"},
		{text: "1/2/s", err: "unknown unit"},
	} {
		got, err := ParseRate(c.text)
		check(t, c.text, got, c.want, err, c.err)
	}
}

func check[T comparable](t *testing.T, text string, got, want T, err error, wantErr string) {
	t.Helper()
	switch {
	case wantErr == "" && err != nil:
		t.Errorf("%q: %v", text, err)
	case wantErr != "" && (err == nil || !strings.Contains(err.Error(), wantErr)):
		t.Errorf("%q: error %v, want one with %q", text, err, wantErr)
	case err == nil && got != want:
		t.Errorf("%q = %v, want %v", text, got, want)
	case err != nil && len(err.Error()) > 200:
		t.Errorf("%.20q: a message of %d bytes", text, len(err.Error()))
	}
}
