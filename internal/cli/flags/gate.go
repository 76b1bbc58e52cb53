package flags

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/perfctl/perfctl/internal/compare"
	"github.com/perfctl/perfctl/internal/exitcode"
)

// Gate say by what a comparison is judged: they are shared by compare and by
// run --baseline.
type Gate struct {
	Least  []string
	gate   []string
	failOn string
}

// Register adds the flags to a command's.
func (f *Gate) Register(fs *pflag.FlagSet) {
	fs.StringArrayVar(&f.Least, "min-effect", nil, "smallest difference that matters, of all figures or of one, as in `5%` or response_time=5%,2ms or error_rate=0.5pp (repeatable; default 5%, and 100us for times, 0.2pp for shares)")
	fs.StringArrayVar(&f.gate, "gate", nil, "let this `METRIC` make a comparison fail as well, as in 'db_query_duration{scenario:crud}: p(95)' (repeatable)")
	fs.StringVar(&f.failOn, "fail-on", "regressed", "mildest `WORD` that ends with 112: regressed or inconclusive")
}

// Options reads the flags.
func (f *Gate) Options() (o compare.Options, err error) {
	if o.Least, err = compare.ParseLeasts(f.Least); err != nil {
		return o, exitcode.UsageError("--min-effect %w", err)
	}
	switch strings.ToLower(f.failOn) {
	case "regressed":
		o.FailOn = compare.Regressed
	case "inconclusive":
		o.FailOn = compare.Inconclusive
	default:
		return o, exitcode.UsageError("--fail-on %q: want regressed or inconclusive", f.failOn)
	}
	if err := compare.CheckGate(f.gate); err != nil {
		return o, exitcode.UsageError("%w", err)
	}
	o.Gate = f.gate
	return o, nil
}
