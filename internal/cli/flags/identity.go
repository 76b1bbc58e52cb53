package flags

import (
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/run"
)

// tagForm is what the key of a label can be.
var tagForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)

// mostTagBytes bounds the value of a label.
const mostTagBytes = 256

// AddTags adds the labels of --tag to those that settings gave.
func AddTags(r *run.Request, list []string) error {
	tags := maps.Clone(r.Tags)
	for _, t := range list {
		k, v, ok := strings.Cut(t, "=")
		if !ok || !tagForm.MatchString(k) || len(v) > mostTagBytes {
			return exitcode.UsageError("--tag %.80q: want KEY=VALUE, as in branch=main; a key is letters, digits, _ . and -", t)
		}
		if tags == nil {
			tags = map[string]string{}
		}
		tags[k] = v
	}
	r.Tags = tags
	return nil
}

// idForm is what names of queues, tables and keys can carry.
var idForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// ParseRunID reads the identity that the shards of a run have in common.
func ParseRunID(id string) (string, error) {
	if id != "" && !idForm.MatchString(id) {
		return "", exitcode.UsageError("--run-id %q: want up to 32 lower-case letters, digits and hyphens", id)
	}
	return id, nil
}

// ParseStart reads the instant at which the shards of a run start.
func ParseStart(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, exitcode.UsageError("--start-at %q: want a time such as %s", text, time.Now().UTC().Add(time.Minute).Format(time.RFC3339))
	}
	if late := time.Since(at); late > 0 {
		return at, exitcode.UsageError("--start-at %s is %v ago", text, late.Round(time.Second))
	}
	return at, nil
}
