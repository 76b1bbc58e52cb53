package config

import (
	"errors"
	"fmt"
	"os"

	"github.com/perfctl/perfctl/configs"
	"github.com/perfctl/perfctl/internal/exitcode"
	"github.com/perfctl/perfctl/internal/sla"
)

// Rules are what a run is judged by: SLA tables, and the thresholds that a user
// gave besides.
type Rules struct {
	// Name and Text are the file of the SLA tables, kept in the run directory so
	// that a merged run is judged by what its shards were.
	Name, Text string
	// Given says that the user gave the file, in place of the built-in one.
	Given bool
	// Thresholds are the thresholds as they were given.
	Thresholds []string
	// Table and Own are the rules of the tables and of the thresholds.
	Table, Own []sla.Rule
}

// ReadRules reads the SLA tables in a file, or the built-in ones where path is
// empty, and the thresholds.
func ReadRules(path string, thresholds []string) (*Rules, error) {
	file, data, err := configs.SLA()
	if path != "" {
		file = path
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, exitcode.ConfigError(fmt.Errorf("read the SLA tables: %w", err))
	}
	r, err := DecodeRules(file, string(data), thresholds)
	if r != nil {
		r.Given = path != ""
	}
	return r, err
}

// DecodeRules reads SLA tables and thresholds. All faults are reported at once.
func DecodeRules(name, text string, thresholds []string) (*Rules, error) {
	r := &Rules{Name: name, Text: text, Thresholds: thresholds}
	var err error
	if r.Table, err = sla.DecodeTable(name, []byte(text)); err != nil {
		return nil, exitcode.ConfigError(err)
	}
	var errs []error
	for _, t := range thresholds {
		rule, err := sla.ParseThreshold(t)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.Own = append(r.Own, rule)
	}
	return r, exitcode.ConfigError(errors.Join(errs...))
}
