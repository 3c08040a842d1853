package bundle

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkPack is for the profiler; what other tools take for the same trees is measured in test/bench.
func BenchmarkPack(b *testing.B) {
	for _, tree := range []struct {
		name  string
		write func(dir string) error
	}{
		{"platform", func(dir string) error { return os.CopyFS(dir, os.DirFS("../../testdata/platform")) }},
		{"5000x20KB", func(dir string) error { return manifests(dir, 5000, 20<<10) }},
		{"500MB", func(dir string) error { return manifests(dir, 10, 50<<20) }},
	} {
		b.Run(tree.name, func(b *testing.B) {
			dir := b.TempDir()
			if err := tree.write(dir); err != nil {
				b.Fatal(err)
			}
			root, err := OpenDir(dir)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = root.Close() }()
			b.ReportAllocs()
			for b.Loop() {
				_, contents, err := pack(b.Context(), io.Discard, root, Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(contents.Bytes)
			}
		})
	}
}

// manifests writes files that compress about as YAML does, twenty to a directory.
func manifests(dir string, files, size int) error {
	r := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 2000)
	for i := range words {
		words[i] = fmt.Sprintf("%x: ", r.Uint32()>>(r.UintN(5)*4))
	}
	text := make([]byte, 0, size+32)
	for i := range files {
		text = text[:0]
		for len(text) < size {
			text = append(text, words[int(float64(len(words))*r.Float64()*r.Float64())]...)
			if r.UintN(4) == 0 {
				text = append(text, "\n    "[:1+2*r.UintN(3)]...)
			}
		}
		name := filepath.Join(dir, fmt.Sprintf("team-%03d", i/20), fmt.Sprintf("app-%02d.yaml", i%20))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, text[:size], 0o644); err != nil {
			return err
		}
	}
	return nil
}
