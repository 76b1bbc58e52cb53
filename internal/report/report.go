// Package report holds the run directory (write, read, merge) and every view of
// it. It reads what a run recorded and what was judged; it drives nothing,
// judges nothing and knows no target.
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
package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	return writeJSON(filepath.Join(dir, InfoFile), info)
}

// writeJSON writes v to a file so that a reader finds the old content or the
// new one, never a part of it.
func writeJSON(path string, v any) (err error) {
	var text bytes.Buffer
	if err := encode(&text, v); err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), removeLeftover(tmp))
		}
	}()
	if _, err = f.Write(text.Bytes()); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// encode writes v as people and diffs like to read it.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func removeLeftover(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
