package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Memory does not grow with the tree: a sparse file of 200 MB needs a few blocks.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 200 MB")
	}
	const size, bound = 200 << 20, 64 << 20
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "sparse"))
	must(t, err)
	must(t, errors.Join(f.Truncate(size), f.Close()))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2)) // blocks in flight follow the cores
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	runtime.GC()
	before, reads, peak := heap(), 0, uint64(0)
	a := build(t, hooked{FS: os.DirFS(dir), read: func(string) error {
		if reads++; reads%8 == 0 {
			peak = max(peak, heap())
		}
		return nil
	}}, Options{})
	if reads < 100 || a.Contents.Bytes != size {
		t.Fatalf("read %d bytes in %d reads", a.Contents.Bytes, reads)
	}
	if peak > before+bound {
		t.Errorf("the heap grew from %d to %d MB", before>>20, peak>>20)
	}
	t.Logf("the heap grew by %d MB at most, in %d reads", (int64(peak)-int64(before))>>20, reads)
}
