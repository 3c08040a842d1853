package bundle

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hooked is a directory whose files call back after they were measured and at each read.
type hooked struct {
	fs.FS
	measured func(name string)
	read     func(name string) error
}

func (h hooked) Open(name string) (fs.File, error) {
	f, err := h.FS.Open(name)
	if info, statErr := fs.Stat(h.FS, name); statErr == nil && info.Mode().IsRegular() {
		return hookedFile{f, h, name}, err
	}
	return f, err
}

type hookedFile struct {
	fs.File
	h    hooked
	name string
}

func (f hookedFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	if f.h.measured != nil {
		f.h.measured(f.name)
	}
	return info, err
}

func (f hookedFile) Read(b []byte) (int, error) {
	if f.h.read != nil {
		if err := f.h.read(f.name); err != nil {
			return 0, err
		}
	}
	return f.File.Read(b)
}

func TestChangingFile(t *testing.T) {
	for name, content := range map[string]string{
		"grows by a byte":        strings.Repeat("x", 1001),
		"grows over blocks":      strings.Repeat("x", 3<<20),
		"shrinks by a byte":      strings.Repeat("x", 999),
		"shrinks to nothing":     "",
		"shrinks below a record": "x",
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, map[string]string{"a": "a", "d/changing.yaml": strings.Repeat("x", 1000), "z": "z"})
			fsys := hooked{FS: os.DirFS(dir), measured: func(name string) {
				if name == "d/changing.yaml" {
					must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
				}
			}}
			err := unbuildable(t, fsys, Options{})
			if text := err.Error(); !strings.Contains(text, `"d/changing.yaml"`) || !strings.Contains(text, "size changed") || strings.Contains(text, "\n") {
				t.Errorf("the error is %q", text)
			}
		})
	}
}

func TestUnreadableFile(t *testing.T) {
	broken := errors.New("input/output error")
	fsys := hooked{FS: os.DirFS(tree(t, names("a", "d/broken.yaml"))), read: func(name string) error {
		if name == "d/broken.yaml" {
			return broken
		}
		return nil
	}}
	err := unbuildable(t, fsys, Options{})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), `"d/broken.yaml"`) {
		t.Errorf("got %v", err)
	}
}

// full is a disk with room for some bytes.
type full struct{ room int }

var errFull = errors.New("no space left on device")

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestFullDisk(t *testing.T) {
	noise := several()
	var whole full
	whole.room = 1 << 30
	layer, _, err := pack(t.Context(), &whole, os.DirFS(tree(t, noise)), Options{})
	must(t, err)
	dir := os.DirFS(tree(t, noise))
	for _, room := range []int{0, 9, 10, 1 << 20, int(layer.Size) - 9, int(layer.Size) - 1} {
		if _, _, err := pack(t.Context(), &full{room}, dir, Options{}); !errors.Is(err, errFull) || strings.Contains(err.Error(), "\n") {
			t.Errorf("room for %d of %d bytes: got %v", room, layer.Size, err)
		}
	}
	if _, _, err := pack(t.Context(), &full{int(layer.Size)}, dir, Options{}); err != nil {
		t.Errorf("room for all: got %v", err)
	}
}

func TestSpool(t *testing.T) {
	spool, dir := t.TempDir(), tree(t, names("a", "b"))
	t.Setenv("TMPDIR", spool)
	must(t, os.Chmod(dir, 0o555)) // the source may be read-only
	t.Cleanup(func() { must(t, os.Chmod(dir, 0o755)) })
	a, err := Pack(t.Context(), os.DirFS(dir), Options{})
	must(t, err)
	first, second := a.Open(), a.Open()
	one, err := io.ReadAll(first)
	must(t, err)
	must(t, first.Close())
	two, err := io.ReadAll(second) // of its own place, and after the other was closed
	must(t, err)
	_, err = second.Seek(0, io.SeekStart)
	must(t, err)
	three, err := io.ReadAll(second)
	must(t, err)
	if int64(len(one)) != a.Layer.Size || string(one) != string(two) || string(one) != string(three) {
		t.Error("the layer cannot be read again")
	}
	must(t, a.Close())
	empty(t, spool)
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) != 2 {
		t.Errorf("the source now holds %v", left)
	}

	t.Setenv("TMPDIR", filepath.Join(spool, "missing"))
	if _, err := Pack(t.Context(), os.DirFS(dir), Options{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "spool") {
		t.Errorf("without a temporary directory: got %v", err)
	}
}

func TestProgress(t *testing.T) {
	var files []int
	var bytes []int64
	o := Options{Progress: func(n int, b int64) { files, bytes = append(files, n), append(bytes, b) }}
	a := build(t, os.DirFS(tree(t, map[string]string{"a": "12", "b": "", "c": "345", "logo.png": "6"})), o)
	if last := len(files) - 1; !slices.IsSorted(files) || !slices.IsSorted(bytes) || last < 3 || files[last] != 3 || bytes[last] != 5 {
		t.Errorf("told of %v files, %v bytes", files, bytes)
	}
	if c := a.Contents; c.Files != 3 || c.Bytes != 5 || c.LeftOut != 0 {
		t.Errorf("counted %+v", c)
	}
}
