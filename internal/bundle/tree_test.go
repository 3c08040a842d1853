package bundle

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// meta is the metadata of every artifact in these tests.
var meta = Metadata{
	Created:  time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
	Source:   "https://github.com/acme/fleet",
	Revision: Revision{"main", "0123456789012345678901234567890123456789"},
}

// tree writes files into a new directory. A name that ends with "/" is a directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), content, strings.HasSuffix(name, "/"))
	}
	return dir
}

// names is a tree of files that hold their own names.
func names(files ...string) map[string]string {
	m := map[string]string{}
	for _, name := range files {
		m[name] = name
	}
	return m
}

func write(t *testing.T, name, content string, isDir bool) {
	t.Helper()
	dir := name
	if !isDir {
		dir = filepath.Dir(name)
	}
	must(t, os.MkdirAll(dir, 0o755))
	if !isDir {
		must(t, os.WriteFile(name, []byte(content), 0o644))
	}
}

// build packs and seals fsys and closes the artifact when the test ends.
func build(t *testing.T, fsys fs.FS, o Options) *Artifact {
	t.Helper()
	a, err := Pack(t.Context(), fsys, o)
	if err != nil {
		t.Fatal(err)
	}
	must(t, a.Seal(meta))
	t.Cleanup(func() { must(t, a.Close()) })
	return a
}

// unbuildable is the error of packing fsys. Its spool file is gone.
func unbuildable(t *testing.T, fsys fs.FS, o Options) error {
	t.Helper()
	spool := t.TempDir()
	t.Setenv("TMPDIR", spool)
	a, err := Pack(t.Context(), fsys, o)
	if err == nil {
		must(t, a.Close())
		t.Fatal("it was packed")
	}
	empty(t, spool)
	return err
}

func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) > 0 {
		t.Errorf("%s is left behind", left[0].Name())
	}
}

// entry is one entry of a layer, read by the standard library.
type entry struct {
	tar.Header
	content string
}

// entries reads a's layer, which must be what its descriptor and its content digest say.
func entries(t *testing.T, a *Artifact) []entry {
	t.Helper()
	layer, err := io.ReadAll(a.Open())
	must(t, err)
	if digest.FromBytes(layer) != a.Layer.Digest || int64(len(layer)) != a.Layer.Size {
		t.Fatalf("the layer is not what %v says", a.Layer)
	}
	zip, err := gzip.NewReader(strings.NewReader(string(layer)))
	must(t, err)
	plain := digest.Canonical.Digester()
	r := tar.NewReader(io.TeeReader(zip, plain.Hash()))
	var all []entry
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		content, err := io.ReadAll(r)
		must(t, err)
		all = append(all, entry{*h, string(content)})
	}
	_, err = io.Copy(plain.Hash(), zip)
	must(t, err)
	if plain.Digest() != a.Contents.Digest {
		t.Fatalf("the content is %s, not %s", plain.Digest(), a.Contents.Digest)
	}
	return all
}

// packed are the names of a's files, separated by spaces.
func packed(t *testing.T, a *Artifact) string {
	t.Helper()
	var files []string
	for _, e := range entries(t, a) {
		if e.Typeflag == tar.TypeReg {
			files = append(files, e.Name)
		}
	}
	return strings.Join(files, " ")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
