// Package rundir holds the run directory: it is written, read and merged here. It
// judges nothing, shows nothing and does not know what a summary says beyond a
// few words.
//
// A run directory is the only thing a run leaves behind. It has
//
//	run.json        what was asked, of what, by which versions and where
//	latency.hlog    the trends: an HdrHistogram interval log, nanoseconds
//	series.ndjson   one line a second: counters, rates, gauges, and the exact
//	                count, sum, minimum and maximum of each interval in the log
//	summary.json    the verdict and every figure of every view
//
// It is written while the run goes. A second's histograms are written before
// its line, so that a second that has a line is whole.
package rundir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of a run directory.
const (
	InfoFile    = "run.json"
	LogFile     = "latency.hlog"
	SeriesFile  = "series.ndjson"
	SummaryFile = "summary.json"
)

// Schema is the version of the layout of run.json and summary.json that this
// package writes. A later one only adds.
const Schema = 1

// writeInfo writes run.json.
func writeInfo(dir string, info *RunInfo) error {
	info.Schema = Schema
	text, err := Encode(info)
	if err != nil {
		return fmt.Errorf("encode %s: %w", InfoFile, err)
	}
	return Replace(filepath.Join(dir, InfoFile), text)
}

// WriteSummary writes a run directory's summary.json, given as it is to stand in
// the file: for a directory that was merged, or judged again.
func WriteSummary(dir string, text []byte) error {
	return Replace(filepath.Join(dir, SummaryFile), text)
}

// Encode returns v as JSON in the form of a run directory's files, which people
// and diffs like to read.
func Encode(v any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

func removeLeftover(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
