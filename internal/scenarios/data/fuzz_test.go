package data

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

var placed = regexp.MustCompile(`rows\.[a-z]+(:\d+: | is in UTF-16| has no rows)`)

// FuzzRows reads whatever bytes as a file of rows: it is either refused with its place,
// or every row has a value for each column, whichever way it is reached.
func FuzzRows(f *testing.F) {
	for _, text := range []string{
		"a,b\n1,2\n", "a;b\r\n\"x\"\"y\r\nz\";2\r\n\r\n3;4", "\ufeffa,b\n1\n", "\xff\xfea\x00,\x00b\x00\n\x001\x00,\x002\x00", "\xfe\xff\x00a\x00\n\x001",
		"a\n\"open", "{\"a\":1}\n{\"b\":\"x\"}\n", "[{\"a\":null},{\"a\":[1]}]", "[", "", "\n\n", "a,a\n1,2\n", "a\x00b\n\x00\n", "\xff\xfe\x00\xd8\n\x00", "{\"a\":1}{\"a\":2}", "[{\"a\":1},]",
	} {
		for kind := range uint8(4) {
			f.Add(kind, []byte(text))
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, kind uint8, text []byte) {
		name := [...]string{"rows.csv", "rows.tsv", "rows.ndjson", "rows.json"}[kind%4]
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		table, err := open(path)
		if err != nil {
			if !placed.MatchString(err.Error()) {
				t.Fatalf("no file and line: %v", err)
			}
			return
		}
		rows := all(t, table)
		c := table.Cursor()
		for i := len(rows) - 1; i >= 0; i-- { // backwards, so that every row is looked for
			values, err := c.Read(int64(i))
			if err != nil {
				t.Fatal(err)
			}
			if len(values) != len(table.Columns()) {
				t.Fatalf("row %d has %d values of %d", i, len(values), len(table.Columns()))
			}
			for k, v := range values {
				if string(v) != rows[i][k] {
					t.Fatalf("row %d is %q read backwards and %q forwards", i, v, rows[i][k])
				}
			}
		}
	})
}
