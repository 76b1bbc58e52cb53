package data

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/perfctl/perfctl/internal/engine/work"
)

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func utf16of(text string, big bool) string {
	var b strings.Builder
	for _, u := range append([]uint16{0xfeff}, utf16.Encode([]rune(text))...) {
		if big {
			b.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return b.String()
}

// all reads every row.
func all(t testing.TB, table *Table) (out [][]string) {
	t.Helper()
	c := table.Cursor()
	for i := range table.Rows() {
		values, err := c.Read(i)
		if err != nil {
			t.Fatal(err)
		}
		var row []string
		for _, v := range values {
			row = append(row, string(v))
		}
		out = append(out, row)
	}
	return out
}

func TestRowsAreReadAsSpreadsheetsWriteThem(t *testing.T) {
	want := [][]string{{"a@x.test", "Jörg"}, {"b@x.test", "two, with \"quotes\"\r\nand lines"}, {"c@x.test", ""}}
	text := "email,name\r\na@x.test,Jörg\r\nb@x.test,\"two, with \"\"quotes\"\"\r\nand lines\"\r\n\r\nc@x.test,"
	for name, c := range map[string]struct{ file, text string }{
		"CRLF and quotes": {"u.csv", text}, "a mark": {"u.csv", "\ufeff" + text},
		"UTF-16": {"u.csv", utf16of(text, false)}, "UTF-16, big endian": {"u.csv", utf16of(text, true)},
		"semicola": {"u.csv", "email;name\na@x.test;Jörg\nb@x.test;\"two, with \"\"quotes\"\"\r\nand lines\"\nc@x.test;\n"},
		"tabs":     {"u.tsv", "email\tname\na@x.test\tJörg\nb@x.test\t\"two, with \"\"quotes\"\"\r\nand lines\"\nc@x.test\t\n"},
		"NDJSON":   {"u.ndjson", "{\"email\":\"a@x.test\",\"name\":\"Jörg\"}\n\n{\"name\":\"two, with \\\"quotes\\\"\\r\\nand lines\",\"email\":\"b@x.test\"}\n{\"email\":\"c@x.test\",\"name\":\"\"}"},
		"array":    {"u.json", "[\n{\"email\":\"a@x.test\",\"name\":\"Jörg\"},\n {\"name\":\"two, with \\\"quotes\\\"\\r\\nand lines\",\"email\":\"b@x.test\"},{\"email\":\"c@x.test\",\"name\":\"\"}\n]\n"},
	} {
		table, err := Open(write(t, c.file, c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff([]string{"email", "name"}, table.Columns()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if d := cmp.Diff(want, all(t, table)); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
	}
}

func TestFaultsNameFileAndLine(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"ragged":         {"u.csv", "a,b\n1,2\n3\n", "u.csv:3: a row of 1 values, and there are 2 columns"},
		"ragged further": {"u.csv", "a,b\n1,\"x\ny\"\n\n1,2,3\n", "u.csv:5: a row of 3 values"},
		"open quote":     {"u.csv", "a,b\n1,\"2\n3,4\n", "u.csv:2: a quote is not closed"},
		"no rows":        {"u.csv", "a,b\n", "has no rows"},
		"empty":          {"u.csv", "", "must name the columns"},
		"twice":          {"u.csv", "a,a\n1,2\n", `two columns are named "a"`},
		"no JSON":        {"u.ndjson", "{\"a\":1}\n{\"a\":}\n", "u.ndjson:2: a row must be an object"},
		"ragged lines":   {"u.ndjson", "{\"a\":1,\"b\":2}\n\n{\"a\":1}\n", `u.ndjson:3: the row has no "b"`},
		"ragged array":   {"u.json", "[{\"a\":1},\n{\n\"c\":1}]", `u.json:2: the row has no "a"`},
		"no array":       {"u.json", "{\"a\":1}", "want an array"},
		"open array":     {"u.json", "[{\"a\":1},", "not closed"},
		"a number":       {"u.json", "[{\"a\":1},\n2]", "u.json:2: a row must be an object"},
		"another kind":   {"u.xlsx", "x", "ends in .csv"},
	} {
		if _, err := Open(write(t, c.file, c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := Open("missing.csv"); err == nil || !strings.Contains(err.Error(), "missing.csv") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestAnyRowIsReadInAnyOrder(t *testing.T) {
	const rows = 1000
	var csv, nd strings.Builder
	csv.WriteString("n,text\n")
	for i := range rows {
		text := strings.Repeat("x", i%37)
		fmt.Fprintf(&csv, "%d,\"%s\"\n", i, text)
		fmt.Fprintf(&nd, "{\"n\":%d,\"text\":%q}\n", i, text)
	}
	for name, text := range map[string]string{"u.csv": csv.String(), "u.jsonl": nd.String()} {
		table, err := Open(write(t, name, text))
		if err != nil {
			t.Fatal(err)
		}
		c := table.Cursor()
		rapid.Check(t, func(t *rapid.T) {
			i := rapid.Int64Range(0, rows-1).Draw(t, "row")
			got, err := c.Read(i)
			if err != nil || string(got[0]) != fmt.Sprint(i) || len(got[1]) != int(i%37) {
				t.Errorf("%s: row %d is %q, %v", name, i, got, err)
			}
		})
	}
}

// Every row that is to be used once is used by one arrival, whichever shard and user.
func TestUniqueRowsArePartitioned(t *testing.T) {
	rows := Rows{Table: &Table{path: "u.csv", rows: 100}, Order: Unique}
	used := map[int64]bool{}
	for shard := range int64(4) {
		for n := shard; ; n += 4 {
			a := &work.Arrival{N: n, K: n, User: int(n%7) + 1}
			if rows.Spent(a) != "" {
				break
			}
			if row := rows.Table.Row(Unique, a); used[row] || row >= 100 {
				t.Errorf("row %d of arrival %d", row, n)
			} else {
				used[row] = true
			}
		}
	}
	if len(used) != 100 {
		t.Errorf("%d rows were used", len(used))
	}
	if rows.Enough(100, false) != nil || rows.Enough(101, false) == nil || rows.Enough(101, true) != nil {
		t.Error("what is enough is misjudged")
	}
}

func TestOrders(t *testing.T) {
	table := &Table{rows: 10}
	for _, c := range []struct {
		order Order
		a     work.Arrival
		want  int64
	}{
		{Sequential, work.Arrival{N: 23}, 3}, {Sticky, work.Arrival{N: 23, User: 2}, 1}, {Sticky, work.Arrival{N: 5, User: 12}, 1}, {Sticky, work.Arrival{N: 23}, 3},
	} {
		if got := table.Row(c.order, &c.a); got != c.want {
			t.Errorf("%s: arrival %+v has row %d, want %d", c.order, c.a, got, c.want)
		}
	}
	seen := map[int64]bool{}
	for k := range int64(1000) {
		a := &work.Arrival{K: k, N: k, Seed: 7}
		row := table.Row(Random, a)
		if row != table.Row(Random, &work.Arrival{K: k, Seed: 7, User: 3}) || row < 0 || row >= 10 {
			t.Fatalf("arrival %d has row %d", k, row)
		}
		seen[row] = true
	}
	if len(seen) != 10 {
		t.Errorf("of 10 rows %d were drawn", len(seen))
	}
}
