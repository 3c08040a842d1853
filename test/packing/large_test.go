package packing

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// sum is the digest of a file.
func sum(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	_, err = io.Copy(hash, f)
	return fmt.Sprintf("%x", hash.Sum(nil)), errors.Join(err, f.Close())
}

// fill writes a file of that size: noise, which no compressor makes smaller, or a hole.
func fill(t *testing.T, name string, size int64, noise bool) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if noise {
		_, err = io.CopyN(f, rand.NewChaCha8([32]byte{1}), size)
	} else {
		err = f.Truncate(size)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// cut closes the connection in the middle of a request's body.
func cut(after int64) registrytest.Interceptor {
	return func(_ http.ResponseWriter, r *http.Request, _ int, _ http.Handler) {
		_, _ = io.CopyN(io.Discard, r.Body, after)
		panic(http.ErrAbortHandler)
	}
}

// One large file, whose upload is cut twice, is packed and sent in less memory than it has bytes.
func TestLargeFile(t *testing.T) {
	size := int64(160 << 20) // above the bound: a file that is held whole is seen
	kinds := map[string]bool{"noise": true}
	if *programtest.Long {
		size, kinds["hole"] = 1<<30, false
	}
	for name, noise := range kinds {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, filepath.Join(dir, "large.bin"), size, noise)
			put(t, dir, "a.yaml", "kind: Namespace\n")
			s := registrytest.Start(t, registrytest.Options{})
			after := int64(1)
			if noise {
				after = size / 2
			}
			s.Intercept(registrytest.On(http.MethodPut, "/blobs/uploads/", registrytest.Times(2, cut(after))))
			b := build(t, s, dir)
			cuts := 0
			for _, r := range s.Requests() {
				if r.Method == http.MethodPut && r.Status == 0 {
					cuts++
				}
			}
			if cuts != 2 {
				t.Errorf("%d uploads were cut; want 2\n%s", cuts, s.RequestLog())
			}
			s.Intercept(nil)
			same(t, tree(t, pull(t, s, b)), tree(t, dir))
		})
	}
}

// Many small files, all in one directory and over many.
func TestManyFiles(t *testing.T) {
	files := 3000
	if *programtest.Long {
		files = 50000
	}
	dir, want := t.TempDir(), map[string]string{}
	for i := range files {
		content := fmt.Sprintf("replicas: %d\n", i)
		for _, name := range []string{fmt.Sprintf("one/app-%06d.yaml", i), fmt.Sprintf("many/%02d/%02d/app-%d.yaml", i/1000, i/50%20, i)} {
			if i%50 == 0 {
				put(t, dir, name, "")
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			want[name] = fmt.Sprintf("%d false %s", len(content), content)
		}
	}
	s := registrytest.Start(t, registrytest.Options{})
	same(t, tree(t, pull(t, s, build(t, s, dir))), want)
}
