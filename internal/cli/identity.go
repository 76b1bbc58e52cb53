package cli

import (
	"regexp"
	"time"

	"github.com/perfctl/perfctl/internal/exitcode"
)

// idForm is what names of queues, tables and keys can carry.
var idForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// parseRunID reads the identity that the shards of a run have in common.
func parseRunID(id string) (string, error) {
	if id != "" && !idForm.MatchString(id) {
		return "", exitcode.UsageError("--run-id %q: want up to 32 lower-case letters, digits and hyphens", id)
	}
	return id, nil
}

// parseStart reads the instant at which the shards of a run start.
func parseStart(text string) (time.Time, error) {
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
