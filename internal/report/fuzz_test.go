package report_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perfctl/perfctl/internal/report"
	"github.com/perfctl/perfctl/internal/rundir"
	"github.com/perfctl/perfctl/internal/rundir/rundirtest"
	"github.com/perfctl/perfctl/internal/summary"
)

func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	rundirtest.Record(f, dir, 1)
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			f.Fatal(err)
		}
		return text
	}
	firstLines := func(text []byte, n int) []byte {
		return bytes.Join(bytes.SplitAfterN(text, []byte{'\n'}, n+1)[:n], nil)
	}
	f.Add(read(rundir.InfoFile), firstLines(read(rundir.LogFile), 8), firstLines(read(rundir.SeriesFile), 2), []byte(`{"schema":9}`))
	f.Add([]byte(`{"schema":1}`), []byte("Tag=a,0,1,2,HIST\n"), []byte(`{"t":1,"trends":{"a":{"n":1}}}`+"\n"), []byte(`[]`))
	f.Fuzz(func(t *testing.T, info, log, series, sum []byte) {
		dir := t.TempDir()
		for name, text := range map[string][]byte{rundir.InfoFile: info, rundir.LogFile: log, rundir.SeriesFile: series, rundir.SummaryFile: sum} {
			rundirtest.Write(t, filepath.Join(dir, name), text)
		}
		run, err := rundir.Open(dir)
		if err != nil && strings.Contains(err.Error(), "not perfctl's") {
			return // JSON, and of something else
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range run.Lines {
			if n := len(l.At); n == 0 || len(l.Trend) != n && len(l.Value) != n {
				t.Fatalf("%s: %d points, %d values", l.Series.Key(), n, len(l.Value)+len(l.Trend))
			}
		}
		s := summary.Summarise(run, summary.Inputs{})
		for _, s := range []*summary.Summary{s, summary.Read(run)} {
			if s != nil {
				if err := report.Text(io.Discard, s, report.Options{}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
