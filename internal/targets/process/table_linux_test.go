package process

import "testing"

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("12 (a b) (c)) S 1 12 12 0 -1 4194560 100 0 0 0 5 7 0 0 20 0 3 0 4711 1 1"))
	f.Add([]byte("1 () Z"))
	f.Add([]byte(")("))
	f.Fuzz(func(t *testing.T, line []byte) { parseStat(line) })
}

func TestParseStat(t *testing.T) {
	p, ok := parseStat([]byte("12 (a b) (c)) S 1 12 12 0 -1 4194560 100 0 0 0 5 7 0 0 20 0 3 0 4711 1 1"))
	if !ok || p.pid != 12 || p.command != "a b) (c)" || p.parent != 1 || p.cpu != 12*tick || p.threads != 3 || p.born != 4711 {
		t.Errorf("%+v %v", p, ok)
	}
	if _, ok := parseStat([]byte("12 (gone) Z 1 12 12 0 -1 4194560 100 0 0 0 5 7 0 0 20 0 3 0 4711 1 1")); ok {
		t.Error("a zombie is watched")
	}
}
