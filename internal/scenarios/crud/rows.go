package crud

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/perfctl/perfctl/internal/targets/postgres"
)

// columns of the table. version counts the updates of a row; token is the
// number of the arrival that wrote it last, and decides its payload.
const columns = "id bigint PRIMARY KEY, version integer NOT NULL, token bigint NOT NULL, payload text NOT NULL"

var columnNames = []string{"id", "version", "token", "payload"}

// fillPayload writes the payload of a row: the hexadecimal MD5 of "id:token",
// over and over. The server can compute the same, which is how altered rows
// are found without reading them. MD5 serves as a checksum here.
func fillPayload(dst []byte, id, token int64) {
	var text [48]byte
	b := strconv.AppendInt(text[:0], id, 10)
	b = append(b, ':')
	b = strconv.AppendInt(b, token, 10)
	sum := md5.Sum(b)
	var digits [2 * md5.Size]byte
	hex.Encode(digits[:], sum[:])
	for n := copy(dst, digits[:]); n < len(dst); {
		n += copy(dst[n:], dst[:n])
	}
}

// payloadSQL is what fillPayload writes, as an SQL expression of a row.
func payloadSQL(size int) string {
	return fmt.Sprintf("left(repeat(md5(id::text || ':' || token::text), %d), %d)", (size+31)/32, size)
}

// statements are those of the hot path.
type statements struct {
	insert, read, update, remove, trim *postgres.Statement
	all                                []*postgres.Statement
}

func newStatements(table string) statements {
	s := statements{
		insert: postgres.NewStatement("crud_insert", insertSQL(table, 1)),
		read:   postgres.NewStatement("crud_select", "SELECT token, payload FROM "+table+" WHERE id = $1"),
		update: postgres.NewStatement("crud_update", "UPDATE "+table+" SET version = version + 1, token = $2, payload = $3 WHERE id = $1"),
		remove: postgres.NewStatement("crud_delete", "DELETE FROM "+table+" WHERE id = $1"),
		trim:   postgres.NewStatement("crud_trim", "DELETE FROM "+table+" WHERE id BETWEEN $1 AND $2"),
	}
	s.all = []*postgres.Statement{s.insert, s.read, s.update, s.remove, s.trim}
	return s
}

// prepareMultiRow gives every stage that needs one the statement of its batch
// size: the text of a multi-row insert depends on it.
func (s *statements) prepareMultiRow(table string, stages []stage) {
	bySize := map[int]*postgres.Statement{}
	for i := range stages {
		n := stages[i].batch
		if stages[i].mode != modeMultiRow {
			continue
		}
		if bySize[n] == nil {
			bySize[n] = postgres.NewStatement("crud_insert_"+strconv.Itoa(n), insertSQL(table, n))
			s.all = append(s.all, bySize[n])
		}
		stages[i].multiRow = bySize[n]
	}
}

// insertParams is how many parameters a row takes.
const insertParams = 3

// insertSQL returns the INSERT of n rows.
func insertSQL(table string, n int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (id, version, token, payload) VALUES ")
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "($%d, 0, $%d, $%d)", insertParams*i+1, insertParams*i+2, insertParams*i+3)
	}
	return b.String()
}

// source hands rows to COPY: the ids from first on, all of one token.
type source struct {
	first, n, token int64
	i               int64
	id              int64
	version         int32
	payload         []byte
	values          []any
}

func newSource(size int) *source {
	s := &source{payload: make([]byte, size)}
	s.values = []any{&s.id, &s.version, &s.token, &s.payload}
	return s
}

func (s *source) reset(first, n, token int64) { s.first, s.n, s.token, s.i = first, n, token, 0 }

// Next goes on to the next row.
func (s *source) Next() bool {
	if s.i >= s.n {
		return false
	}
	s.id = s.first + s.i
	fillPayload(s.payload, s.id, s.token)
	s.i++
	return true
}

// Values returns the row.
func (s *source) Values() ([]any, error) { return s.values, nil }

// Err returns nil: rows are made, not read.
func (s *source) Err() error { return nil }
