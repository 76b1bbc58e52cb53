package flags

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/profiles"
)

// userFlags make one closed stage of a profile.
type userFlags struct {
	users      int
	pace       time.Duration
	pause      time.Duration
	iterations int64
}

func (f *userFlags) Register(fs *pflag.FlagSet) {
	fs.IntVar(&f.users, "users", 0, "`N` users in place of the profile's stages: each begins its next arrival when its last is done, for the profile's length or -d")
	fs.DurationVar(&f.pace, "pace", 0, "with --users: a due time for every user each so long")
	fs.DurationVar(&f.pause, "pause", 0, "with --users: how long a user waits between two arrivals")
	fs.Int64VarP(&f.iterations, "iterations", "i", 0, "with --users, or of a k6 script: end after so many arrivals of all users together")
}

// asked returns the users that the flags ask for; nil for none.
func (f *userFlags) asked(fs *pflag.FlagSet) *profiles.Users {
	if !fs.Changed("users") {
		return nil
	}
	return &profiles.Users{From: f.users, To: f.users, Pace: f.pace, Pause: f.pause, Iterations: f.iterations}
}

// checkUsers refuses values that no users can have.
func (f *userFlags) checkUsers(fs *pflag.FlagSet) error {
	if fs.Lookup("users") == nil || fs.Lookup("pace") == nil {
		return nil
	}
	if fs.Changed("users") {
		if f.users < 1 {
			return exitcode.UsageError("--users %d: at least 1 user", f.users)
		}
		if f.iterations < 0 || fs.Changed("iterations") && f.iterations == 0 {
			return exitcode.UsageError("--iterations %d: at least 1", f.iterations)
		}
		return nil
	}
	for _, name := range []string{"pace", "pause", "iterations"} {
		if fs.Changed(name) {
			return exitcode.UsageError("--%s belongs to users: give --users N too", name)
		}
	}
	return nil
}
