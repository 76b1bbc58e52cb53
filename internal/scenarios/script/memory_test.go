package script

import (
	"runtime"
	"testing"
)

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestAUserIsSmall bounds the memory of a user, far below what k6 has for one
// (1 to 5 MB by its documentation, 1.8 MB measured).
func TestAUserIsSmall(t *testing.T) {
	p, err := load(t, "testdata/corpus/82-crud.js", map[string]string{"BASE_URL": "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	const n = 200
	before := heap()
	for i := range n {
		u, err := p.s.loaded.script.NewVM(t.Context(), i+2)
		if err != nil {
			t.Fatal(err)
		}
		u.Bind()
		p.s.users = append(p.s.users, u)
	}
	each := (heap() - before) / n
	t.Logf("%d bytes a user", each)
	if each > 250_000 {
		t.Errorf("a user has %d bytes", each)
	}
	runtime.KeepAlive(p)
}
