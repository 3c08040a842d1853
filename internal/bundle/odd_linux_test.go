package bundle

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// bothWays runs a test on a directory as the program opens it, and as any fs.FS.
func bothWays(t *testing.T, dir string, test func(t *testing.T, fsys fs.FS)) {
	t.Helper()
	t.Run("OpenDir", func(t *testing.T) { test(t, opened(t, dir)) })
	t.Run("DirFS", func(t *testing.T) { test(t, os.DirFS(dir)) })
}

// What a directory may hold beside plain files: each is packed as what it is, or left out and counted.
func TestOddFiles(t *testing.T) {
	dir := tree(t, names("a.yaml", "setuid", "nobody.yaml", "sticky/x"))
	must(t, os.Link(filepath.Join(dir, "a.yaml"), filepath.Join(dir, "hard.yaml")))
	must(t, os.Chmod(filepath.Join(dir, "setuid"), 0o755|fs.ModeSetuid|fs.ModeSetgid))
	must(t, os.Chmod(filepath.Join(dir, "sticky"), 0o777|fs.ModeSticky))
	must(t, os.WriteFile(filepath.Join(dir, "sparse"), []byte("x"), 0o644))
	must(t, os.Truncate(filepath.Join(dir, "sparse"), 3<<20))
	must(t, socket(filepath.Join(dir, "socket")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	must(t, os.Symlink("self", filepath.Join(dir, "self")))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "outside")))
	left, want := 4, "a.yaml hard.yaml nobody.yaml setuid sparse sticky/x"
	if err := syscall.Mknod(filepath.Join(dir, "null"), syscall.S_IFCHR|0o666, 1<<8|3); err != nil {
		t.Logf("without a device: %v", err)
	} else {
		left++
	}
	if os.Geteuid() == 0 {
		must(t, os.Chmod(filepath.Join(dir, "nobody.yaml"), 0)) // root reads it all the same
	}
	bothWays(t, dir, func(t *testing.T, fsys fs.FS) {
		var a *Artifact
		inTime(t, func() { a = build(t, fsys, Options{}) })
		if got := packed(t, a); got != want || a.Contents.LeftOut != left {
			t.Errorf("packed %s, left out %d; want %s and %d", got, a.Contents.LeftOut, want, left)
		}
		for _, e := range entries(t, a) {
			mode, content := "-rw-r--r--", e.Name
			switch e.Name {
			case "setuid":
				mode = "-rwxr-xr-x"
			case "sticky/":
				mode, content = "drwxr-xr-x", ""
			case "hard.yaml":
				content = "a.yaml"
			case "sparse":
				content = "x" + strings.Repeat("\x00", 3<<20-1)
			}
			if got := e.FileInfo().Mode().String(); got != mode || e.content != content {
				t.Errorf("%s: mode %s, %d bytes; want %s, %d", e.Name, got, len(e.content), mode, len(content))
			}
		}
	})
}

// asNobody runs f as a user who owns nothing, on this thread alone.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f() // who cannot read it anyway
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	must(t, syscall.Setfsuid(65534))
	defer func() { must(t, syscall.Setfsuid(0)) }()
	f()
}

func TestUnreadable(t *testing.T) {
	for name, deny := range map[string]string{"file": "d/a\n.yaml", "directory": "d", "ignore file": "d/.sourceignore"} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, names("a.yaml", "d/a\n.yaml", "d/.sourceignore", "z.yaml"))
			full := filepath.Join(dir, deny)
			must(t, os.Chmod(full, 0))
			t.Cleanup(func() { must(t, os.Chmod(full, 0o700)) })
			spool := t.TempDir()
			must(t, errors.Join(os.Chmod(spool, 0o777), os.Chmod(filepath.Dir(spool), 0o755)))
			t.Setenv("TMPDIR", spool)
			bothWays(t, dir, func(t *testing.T, fsys fs.FS) {
				var a *Artifact
				var err error
				asNobody(t, func() { a, err = Pack(t.Context(), fsys, Options{}) })
				if err == nil {
					t.Fatalf("packed %s", packed(t, a))
				}
				quoted := map[string]string{"file": `"d/a\n.yaml"`, "directory": `"d`, "ignore file": `"d/.sourceignore"`}[name]
				if text := err.Error(); !errors.Is(err, fs.ErrPermission) || !strings.Contains(text, quoted) ||
					!strings.Contains(text, "; make it readable") || strings.Contains(text, "\n") {
					t.Errorf("the error is %q", text)
				}
				empty(t, spool)
				if name == "ignore file" {
					return
				}
				asNobody(t, func() { a, err = Pack(t.Context(), fsys, Options{Ignore: []string{"/d"}}) })
				must(t, err)
				if got := packed(t, a); got != "a.yaml z.yaml" {
					t.Errorf("with /d ignored: packed %s", got)
				}
				must(t, a.Close())
			})
		})
	}
}

// Names of the lengths at which tar changes its form, read back by GNU tar.
func TestLongNames(t *testing.T) {
	var all []string
	for _, n := range []int{99, 100, 101, 154, 155, 156, 157, 254, 255} {
		name := strings.Repeat("n", n)
		all = append(all, name, "d/"+name, strings.Repeat("p", min(n, 155))+"/"+name[:min(n, 100)], strings.Repeat("e", n-1)+"/x")
	}
	deep := strings.Repeat("deep/", 60) // 300 characters, and the longest that is packed
	all = append(all, deep+"a.yaml", strings.Repeat(strings.Repeat("l", 249)+"/", maxPath/250-1)+strings.Repeat("f", 250))
	dir := tree(t, names(all...))
	var layers []string
	bothWays(t, dir, func(t *testing.T, fsys fs.FS) {
		a := build(t, fsys, Options{})
		layers = append(layers, a.Layer.Digest.String())
		got := map[string]bool{}
		for _, e := range entries(t, a) {
			got[e.Name] = e.content == e.Name
		}
		for _, name := range all {
			if !got[name] {
				t.Errorf("%.20q… of %d bytes is not in the layer", name, len(name))
			}
		}
		out := t.TempDir()
		untar := exec.Command("tar", "-xzf", "-", "-C", out)
		untar.Stdin = a.Open()
		if said, err := untar.CombinedOutput(); err != nil || len(said) > 0 {
			t.Fatalf("tar: %v, %s", err, said)
		}
		must(t, exec.Command("diff", "-r", dir, out).Run())
	})
	if len(layers) != 2 || layers[0] != layers[1] {
		t.Errorf("two layers of one tree: %q", layers)
	}
}

// A path that no cluster could open. The program's way of opening a directory reads it, so that it must refuse it.
func TestPathTooLong(t *testing.T) {
	dir := tree(t, names("a.yaml"))
	root, err := os.OpenRoot(dir)
	must(t, err)
	part := strings.Repeat("d", 250)
	for depth := range 17 { // 4,266 bytes; mkdir wants shorter ones
		sub := filepath.Join(".", strings.Repeat(part+"/", depth))
		must(t, root.Mkdir(filepath.Join(sub, part), 0o755))
	}
	must(t, root.WriteFile(strings.Repeat(part+"/", 17)+"x.yaml", nil, 0o644))
	t.Cleanup(func() { must(t, errors.Join(root.RemoveAll(part), root.Close())) })
	err = unbuildable(t, opened(t, dir), Options{})
	if text := err.Error(); len(text) > 300 || !strings.Contains(text, "4273 bytes") || !strings.Contains(text, "x.yaml") {
		t.Errorf("got %q", text)
	}
	if got := packed(t, build(t, opened(t, dir), Options{Ignore: []string{part}})); got != "a.yaml" {
		t.Errorf("packed %s", got)
	}
}
