package config

import (
	"fmt"
	"os"
	"strings"

	"github.com/perfctl/perfctl/configs"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/profiles"
	"github.com/perfctl/perfctl/internal/suggest"
)

// Profile finds a built-in profile by its name, or reads a file: a name with a dot
// or a slash in it is a file's.
func Profile(name string) (*profiles.Profile, error) {
	if strings.ContainsAny(name, "/.") {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, exitcode.ConfigError(fmt.Errorf("read the profile: %w", err))
		}
		p, err := profiles.Decode(name, data)
		return p, exitcode.ConfigError(err)
	}
	file, data, err := configs.Profile(name)
	if err != nil {
		return nil, exitcode.UsageError("unknown profile %q%s\n  next: perfctl profiles lists them; a profile of your own is a FILE.yaml, a k6 script a FILE.js",
			name, suggest.DidYouMean(name, configs.Profiles()))
	}
	p, err := profiles.Decode(file, data)
	return p, exitcode.ConfigError(err)
}
