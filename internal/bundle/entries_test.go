package bundle

import (
	"archive/tar"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Promise 7: sorted entries, zero times and owners, modes 0644 or 0755 by the
// executable bit.
func TestEntries(t *testing.T) {
	dir := tree(t, names("b.yaml", "a/z.sh", "a/b/c.yaml", "a.yaml", "a-b/x", "empty/", "deep/empty/", "Z"))
	modes := map[string]fs.FileMode{"b.yaml": 0o600, "a/z.sh": 0o700, "a/b/c.yaml": 0o664, "a.yaml": 0o444, "Z": 0o610, "a-b": 0o700, "a-b/x": 0o4755}
	for name, mode := range modes {
		must(t, os.Chmod(filepath.Join(dir, name), mode))
	}
	var got []string
	for _, e := range entries(t, build(t, os.DirFS(dir), Options{})) {
		if e.Uid != 0 || e.Gid != 0 || e.Uname != "" || e.Gname != "" {
			t.Errorf("%s belongs to %d:%d %q:%q", e.Name, e.Uid, e.Gid, e.Uname, e.Gname)
		}
		if e.ModTime.Unix() != 0 || !e.AccessTime.IsZero() || !e.ChangeTime.IsZero() {
			t.Errorf("%s has the times %v %v %v", e.Name, e.ModTime, e.AccessTime, e.ChangeTime)
		}
		if len(e.PAXRecords) > 0 || e.Linkname != "" || e.Devmajor != 0 || e.Devminor != 0 {
			t.Errorf("%s holds more than it needs: %+v", e.Name, e.Header)
		}
		if e.Typeflag == tar.TypeReg && e.content != e.Name {
			t.Errorf("%s has the content %q", e.Name, e.content)
		}
		got = append(got, e.FileInfo().Mode().String()+" "+e.Name)
	}
	want := []string{
		"-rwxr-xr-x Z",
		"drwxr-xr-x a/", "drwxr-xr-x a/b/", "-rw-r--r-- a/b/c.yaml", "-rwxr-xr-x a/z.sh",
		"drwxr-xr-x a-b/", "-rwxr-xr-x a-b/x",
		"-rw-r--r-- a.yaml",
		"-rw-r--r-- b.yaml",
	}
	// Lexical order is that of fs.WalkDir: by element, so that a directory's files follow it.
	byElement := func(x, y string) int {
		return slices.Compare(strings.Split(strings.Fields(x)[1], "/"), strings.Split(strings.Fields(y)[1], "/"))
	}
	slices.SortFunc(want, byElement)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// directoriesFirst checks that each directory has one entry, before all that is in
// it, and that something is.
func directoriesFirst(t *testing.T, all []entry) {
	t.Helper()
	seen := map[string]bool{"./": true}
	for i, e := range all {
		switch parent := filepath.Dir(strings.TrimSuffix(e.Name, "/")) + "/"; {
		case e.Name == "." || e.Name == "./" || strings.HasPrefix(e.Name, "/") || seen[e.Name]:
			t.Errorf("entry %q", e.Name)
		case !seen[parent]:
			t.Errorf("%q comes without the entry %q before it", e.Name, parent)
		case e.Typeflag == tar.TypeDir && (i+1 == len(all) || !strings.HasPrefix(all[i+1].Name, e.Name)):
			t.Errorf("nothing is in %q", e.Name)
		}
		seen[e.Name] = true
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("d123456789/", 29) + "f.yaml" // 325 bytes: more than ustar holds
	for _, name := range []string{"line\nbreak.yaml", "tab\tand space .yaml", "-rf", "é/ü.yaml", "a\u202eb", "#1", "!x", long, "d/" + strings.Repeat("x", 255), "a=b", "C:"} {
		t.Run(name[:min(len(name), 20)], func(t *testing.T) {
			all := entries(t, build(t, os.DirFS(tree(t, names(name, "z"))), Options{}))
			if !slices.ContainsFunc(all, func(e entry) bool { return e.Name == name && e.content == name }) {
				t.Errorf("%q is not in the layer", name)
			}
			directoriesFirst(t, all)
		})
	}
}

func TestNameNotUTF8(t *testing.T) {
	notUTF8 := func(t *testing.T, name string) fs.FS {
		dir := tree(t, names("a.yaml", "z.yaml"))
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Skipf("no such name here: %v", err)
		}
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
		return os.DirFS(dir)
	}
	for _, name := range []string{"caf\xe9.yaml", "caf\xe9/a.yaml", "d/caf\xe9/e/a.yaml"} {
		for _, line := range []string{"", "!x"} {
			t.Run(name+line, func(t *testing.T) {
				err := unbuildable(t, notUTF8(t, name), Options{Ignore: []string{line}})
				if text := err.Error(); !strings.Contains(text, `caf\xe9`) || !strings.Contains(text, "not valid UTF-8") || !strings.Contains(text, "rename") {
					t.Errorf("the error %q does not say what is wrong with the name", text)
				}
			})
		}
		t.Run("ignored "+name, func(t *testing.T) {
			if got := packed(t, build(t, notUTF8(t, name), Options{Ignore: []string{"caf*"}})); got != "a.yaml z.yaml" {
				t.Errorf("packed %s", got)
			}
		})
	}
}

func TestLeftOut(t *testing.T) {
	dir := tree(t, names("a.yaml", "d/b.yaml", "skip/c.yaml"))
	must(t, os.Symlink("a.yaml", filepath.Join(dir, "link.yaml")))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "d", "outside")))
	must(t, os.Symlink("d", filepath.Join(dir, "linked-dir")))
	must(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	must(t, os.Symlink("..", filepath.Join(dir, "d", "loop")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	must(t, os.Symlink("a.yaml", filepath.Join(dir, "ignored.png")))
	must(t, os.Symlink("c.yaml", filepath.Join(dir, "skip", "ignored")))
	a := build(t, os.DirFS(dir), Options{Ignore: []string{"skip/"}})
	if got := packed(t, a); got != "a.yaml d/b.yaml" {
		t.Errorf("packed %s", got)
	}
	directoriesFirst(t, entries(t, a))
	if c := a.Contents; c.LeftOut != 6 || c.Files != 2 || c.Bytes != int64(len("a.yaml")+len("d/b.yaml")) {
		t.Errorf("counted %+v; want 2 files, and 6 left out that no rule ignores", c)
	}
}

func TestEmpty(t *testing.T) {
	only := tree(t, nil)
	must(t, os.Symlink("nowhere", filepath.Join(only, "link")))
	for name, dir := range map[string]string{
		"empty":                  tree(t, nil),
		"only directories":       tree(t, names("a/", "b/c/")),
		"only ignored files":     tree(t, names("logo.png", ".git/config", ".github/x.yaml")),
		"only what is left out":  only,
		"all ignored by pattern": tree(t, map[string]string{".sourceignore": "*\n", "a.yaml": ""}),
	} {
		t.Run(name, func(t *testing.T) {
			if err := unbuildable(t, os.DirFS(dir), Options{}); !errors.Is(err, ErrEmpty) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		err := unbuildable(t, os.DirFS(filepath.Join(only, "missing")), Options{})
		if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrEmpty) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an empty file is a file", func(t *testing.T) {
		if got := packed(t, build(t, os.DirFS(tree(t, map[string]string{"a": ""})), Options{})); got != "a" {
			t.Errorf("packed %q", got)
		}
	})
}

func TestCancelled(t *testing.T) {
	fsys := os.DirFS(tree(t, names("a", "b", "c")))
	ctx, cancel := context.WithCancel(t.Context())
	spool := t.TempDir()
	t.Setenv("TMPDIR", spool)
	files := 0
	a, err := Pack(ctx, fsys, Options{Progress: func(n int, _ int64) { files = n; cancel() }})
	if !errors.Is(err, context.Canceled) || files != 0 || a != nil { // it stops in the middle of a file
		t.Errorf("got %v after %d files", err, files)
	}
	empty(t, spool)
}
