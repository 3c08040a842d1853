package bundle

import (
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// a tree of several compressor blocks, some of which compress and some do not.
func several() map[string]string {
	r := rand.NewPCG(1, 2)
	noise, text := make([]byte, 3<<20), make([]byte, 3<<20)
	for i := range noise {
		noise[i], text[i] = byte(r.Uint64()), "kind: ConfigMap\n"[r.Uint64()%16]
	}
	return map[string]string{
		"a/noise.bin": string(noise), "a/text.yaml": string(text), "b.yaml": "kind: Namespace\n",
		"b/c/d/e.yaml": "kind: Service\n", "mixed": string(noise[:1<<20]) + string(text[:1<<20+7]) + string(noise[:1<<20]),
	}
}

func TestSameDigest(t *testing.T) {
	files := several()
	dir := tree(t, files)
	want := build(t, os.DirFS(dir), Options{}).Descriptor.Digest
	same := func(name string, fsys func(t *testing.T) fs.FS) {
		t.Run(name, func(t *testing.T) {
			if got := build(t, fsys(t), Options{}).Descriptor.Digest; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	changed := func(change func(dir string) error) func(*testing.T) fs.FS {
		return func(t *testing.T) fs.FS {
			dir := tree(t, files)
			must(t, change(dir))
			return os.DirFS(dir)
		}
	}
	chmod := func(file, dir fs.FileMode) func(root string) error {
		return func(root string) error {
			return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return errors.Join(err, os.Chmod(name, dir))
				}
				return os.Chmod(name, file)
			})
		}
	}

	for _, cores := range []int{1, 2, 8} {
		same("cores "+string(rune('0'+cores)), func(t *testing.T) fs.FS {
			before := runtime.GOMAXPROCS(cores)
			t.Cleanup(func() { runtime.GOMAXPROCS(before) })
			return os.DirFS(dir)
		})
	}
	same("again", func(*testing.T) fs.FS { return os.DirFS(dir) })
	same("another copy", changed(func(string) error { return nil }))
	same("as an os.Root", func(t *testing.T) fs.FS {
		root, err := os.OpenRoot(dir)
		must(t, err)
		t.Cleanup(func() { must(t, root.Close()) })
		return root.FS()
	})
	same("umask 077", changed(chmod(0o600, 0o700)))
	same("umask 002", changed(chmod(0o664, 0o775)))
	same("read-only", changed(chmod(0o444, 0o755)))
	same("setgid directories", changed(chmod(0o644, 0o755|fs.ModeSetgid)))
	same("other times", changed(func(dir string) error {
		return filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Chtimes(name, time.Unix(1, 1), time.Unix(4e9, 1)))
		})
	}))
	same("other owners", func(t *testing.T) fs.FS {
		if os.Geteuid() != 0 {
			t.Skip("only root gives files away")
		}
		return changed(func(dir string) error {
			return filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
				return errors.Join(err, os.Lchown(name, 1234, 65534))
			})
		})(t)
	})
	same("empty directories around", changed(func(dir string) error {
		return errors.Join(os.MkdirAll(filepath.Join(dir, "a", "0", "empty"), 0o755), os.MkdirAll(filepath.Join(dir, "zz"), 0o755))
	}))
	same("ignored files around", changed(func(dir string) error {
		return errors.Join(os.MkdirAll(filepath.Join(dir, ".git"), 0o755), os.WriteFile(filepath.Join(dir, ".git", "index"), nil, 0o644),
			os.WriteFile(filepath.Join(dir, "b", "c", "logo.png"), nil, 0o644))
	}))
	same("symlinks around", changed(func(dir string) error { return os.Symlink("b.yaml", filepath.Join(dir, "0")) }))
	same("written in another order", func(t *testing.T) fs.FS {
		dir := t.TempDir()
		for _, name := range slices.Backward(slices.Sorted(maps.Keys(files))) {
			write(t, filepath.Join(dir, name), files[name], false)
		}
		return os.DirFS(dir)
	})
}

// What the content says must reach the digest.
func TestOtherDigest(t *testing.T) {
	want := build(t, os.DirFS(tree(t, names("a", "b"))), Options{}).Descriptor.Digest
	for name, change := range map[string]func(dir string) error{
		"content":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "a"), []byte("A"), 0o644) },
		"name":       func(dir string) error { return os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "A")) },
		"executable": func(dir string) error { return os.Chmod(filepath.Join(dir, "a"), 0o744) },
		"new file":   func(dir string) error { return os.WriteFile(filepath.Join(dir, "c"), nil, 0o644) },
		"gone":       func(dir string) error { return os.Remove(filepath.Join(dir, "a")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, names("a", "b"))
			must(t, change(dir))
			if got := build(t, os.DirFS(dir), Options{}).Descriptor.Digest; got == want {
				t.Error("the digest is the same")
			}
		})
	}
}
