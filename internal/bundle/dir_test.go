package bundle

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// opened is dir as the program opens it.
func opened(t *testing.T, dir string) Dir {
	t.Helper()
	d, err := OpenDir(dir)
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	return d
}

// inTime fails where f waits for ever: nothing that is packed may.
func inTime(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it still waits after a minute")
	}
}

func TestDirSymlinkAsRoot(t *testing.T) {
	dir := tree(t, names("real/a.yaml"))
	link := filepath.Join(dir, "link")
	must(t, os.Symlink("real", link))
	if got := packed(t, build(t, opened(t, link), Options{})); got != "a.yaml" {
		t.Errorf("packed %s", got)
	}
	for _, name := range []string{"missing", "real/a.yaml"} {
		if d, err := OpenDir(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was opened", name)
			must(t, d.Close())
		}
	}
}

// A file, directory or ignore file that something else takes the place of after it was listed.
func TestReplacedWhileListed(t *testing.T) {
	outside := filepath.Join(tree(t, names("secret.yaml")), "secret.yaml")
	for name, replace := range map[string]func(name string) error{
		"nothing":                func(string) error { return nil },
		"a pipe":                 func(name string) error { return syscall.Mkfifo(name, 0o644) },
		"a directory":            func(name string) error { return os.Mkdir(name, 0o755) },
		"a symlink inside":       func(name string) error { return os.Symlink("../z.yaml", name) },
		"a symlink outside":      func(name string) error { return os.Symlink(outside, name) },
		"a symlink to nothing":   func(name string) error { return os.Symlink("nowhere", name) },
		"a symlink to itself":    func(name string) error { return os.Symlink(filepath.Base(name), name) },
		"a socket":               socket,
		"a file nobody may read": func(name string) error { return os.WriteFile(name, nil, 0) },
	} {
		for _, target := range []string{"d/changing.yaml", "d"} {
			t.Run(target+" by "+name, func(t *testing.T) {
				dir := tree(t, names("a.yaml", "d/changing.yaml", "d/e", "e/secret.yaml", "z.yaml"))
				spool := t.TempDir()
				t.Setenv("TMPDIR", spool)
				changed := false
				o := Options{Progress: func(files int, _ int64) { // a.yaml is packed: all is listed but d, then d
					if files == 1 && !changed {
						changed = true
						must(t, os.RemoveAll(filepath.Join(dir, target)))
						must(t, replace(filepath.Join(dir, target)))
					}
				}}
				if target != "d" { // list d before it changes
					o.Progress = nil
				}
				var fsys fs.FS = opened(t, dir)
				if target != "d" {
					fsys = listed{opened(t, dir), func(name string) {
						if name == "d" {
							must(t, os.Remove(filepath.Join(dir, target)))
							must(t, replace(filepath.Join(dir, target)))
						}
					}}
				}
				var a *Artifact
				var err error
				inTime(t, func() { a, err = Pack(t.Context(), fsys, o) })
				if err == nil {
					got := packed(t, a)
					must(t, a.Close())
					if name != "a directory" && name != "a file nobody may read" || strings.Contains(got, "d/secret") {
						t.Errorf("packed %s", got)
					}
					return
				}
				if text := err.Error(); !strings.Contains(text, `"`+target+`"`) || !strings.Contains(text, ";") || strings.Contains(text, "\n") {
					t.Errorf("the error %q does not name the file or say what to do", text)
				}
				empty(t, spool)
			})
		}
	}
}

// listed calls back when a directory has been listed.
type listed struct {
	Dir
	done func(name string)
}

func (l listed) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := l.Dir.ReadDir(name)
	l.done(name)
	return entries, err
}

func socket(name string) error {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: name}), syscall.Close(fd))
}
