package exemplars

import (
	"os"
	"path/filepath"
	"testing"
)

// evidenceIn reads evidence that some version of perfctl wrote.
func evidenceIn(t *testing.T, text string) *Evidence {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, EvidenceFile), []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := Read(dir)
	if len(s.Evidence) != 1 {
		t.Fatalf("read %+v", s)
	}
	return &s.Evidence[0]
}

func TestEvidenceOfTheVersionBeforeSaysWhatItSaid(t *testing.T) {
	const line = `{"from_ms":1,"to_ms":2,"source":"postgres","kind":"`
	for text, want := range map[string]Evidence{
		`waits","what":"IO DataFileRead, in: SELECT 1"}`:                       {Waited: "IO DataFileRead", Disk: true},
		`waits","what":"LWLock WALWrite, in: COMMIT"}`:                         {Waited: "LWLock WALWrite", Disk: true},
		`waits","what":"LWLock BufferMapping, in: SELECT ', in: '"}`:           {Waited: "LWLock BufferMapping"},
		`waits","what":"the disk"}`:                                            {Waited: "the disk", Disk: true},
		`waits","what":"told otherwise","waited":"IO DataFileRead"}`:           {Waited: "IO DataFileRead"},
		`command","what":"keys * took 300 ms"}`:                                {Command: "KEYS"},
		`command","what":"took 300 ms in all: SAVE","command":"SAVE"}`:         {Command: "SAVE"},
		`busy","what":"IO, in: a statement"}`:                                  {},
		`waits","what":"told otherwise","waited":"Timeout Sleep","disk":true}`: {Waited: "Timeout Sleep", Disk: true},
	} {
		v := evidenceIn(t, line+text)
		if got := (Evidence{Waited: v.Waited, Disk: v.Disk, Command: v.Command}); got.Waited != want.Waited || got.Disk != want.Disk || got.Command != want.Command {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func TestOperationsOfTheVersionBeforeDoWhatTheyDid(t *testing.T) {
	for op, want := range map[string]string{
		`"system":"rabbitmq","request":"publish work"`:                 Publishes,
		`"system":"rabbitmq","request":"work"`:                         "",
		`"system":"redis","request":"publish channel"`:                 "",
		`"system":"rabbitmq","request":"publish","role":"consumes"`:    Consumes,
		`"system":"rabbitmq","request":"send work","role":"publishes"`: Publishes,
	} {
		dir := t.TempDir()
		text := `{"k":1,"scenario":"a","stage":"s","as":["slow"],"due_ms":1,"response_ms":2,"ops":[{"name":"a","start_ms":0,"end_ms":1,` + op + "}]}\n"
		if err := os.WriteFile(filepath.Join(dir, File), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		s := Read(dir)
		if len(s.Exemplars) != 1 || s.Exemplars[0].Ops[0].Role != want {
			t.Errorf("%s: read %+v", op, s)
		}
	}
}
