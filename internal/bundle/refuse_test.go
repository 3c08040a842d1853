package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Names that source-controller fails on for good, as fluxcd/pkg tar.Untar refuses them; test/packing asks that itself.
func TestNamesThatFluxDoesNotUnpack(t *testing.T) {
	for _, name := range []string{`back\slash.yaml`, `d\e/a.yaml`, "a../b.yaml", "d/.../b.yaml"} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, names("a.yaml", name))
			err := unbuildable(t, opened(t, dir), Options{})
			if text := err.Error(); !strings.Contains(text, fmt.Sprintf("%q", name)) || !strings.Contains(text, "Flux") || !strings.Contains(text, "; rename") {
				t.Errorf("got %q", text)
			}
			first, _, _ := strings.Cut(strings.ReplaceAll(name, `\`, `\\`), "/")
			if got := packed(t, build(t, opened(t, dir), Options{Ignore: []string{first}})); got != "a.yaml" {
				t.Errorf("ignored: packed %s", got)
			}
		})
	}
	for _, name := range []string{"a..", "d/..a/b", "...", "a..b/c", ":", "d/x:y", "trailing ", "\x01\x7f\x1b[31m", "\u202e\u2066", "-"} {
		t.Run("fine "+name, func(t *testing.T) {
			if got := packed(t, build(t, opened(t, tree(t, names(name))), Options{})); got != name {
				t.Errorf("packed %q", got)
			}
		})
	}
	if err := unbuildable(t, opened(t, tree(t, names(`only-ignored\dir/logo.png`))), Options{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("a directory of which nothing is packed: got %v", err)
	}
}

// A .sourceignore that is none, or that cannot be read whole, must not let in what it was to keep out.
func TestOddIgnoreFiles(t *testing.T) {
	line := strings.Repeat("# a long comment ", 8000) // 128 KiB, at which Flux's reader would stop
	for _, test := range []struct {
		name string
		make func(file string) error
		want string // packed, or of the error
	}{
		{"a long line first", func(f string) error { return os.WriteFile(f, []byte(line+"\nsecret.yaml\n"), 0o644) }, ".sourceignore a.yaml"},
		{"not UTF-8", func(f string) error { return os.WriteFile(f, []byte("\xff*\nsecret.yaml"), 0o644) }, ".sourceignore a.yaml"},
		{"empty", func(f string) error { return os.WriteFile(f, nil, 0o644) }, ".sourceignore a.yaml secret.yaml"},
		{"as large as may be", func(f string) error {
			const list = "secret.yaml\n#"
			return os.WriteFile(f, []byte(list+strings.Repeat("x", maxIgnoreFile-len(list))), 0o644)
		}, ".sourceignore a.yaml"},
		{"too large", func(f string) error { return errors.Join(os.WriteFile(f, nil, 0o644), os.Truncate(f, 64<<30)) }, "larger than 1048576 bytes"},
		{"a directory", func(f string) error { return os.Mkdir(f, 0o755) }, "is a directory"},
		{"a pipe", func(f string) error { return syscall.Mkfifo(f, 0o644) }, "a.yaml secret.yaml"},
		{"a socket", socket, "a.yaml secret.yaml"},
		{"a symlink inside", func(f string) error { return os.Symlink("rules", f) }, "a.yaml"},
		{"a symlink to nothing", func(f string) error { return os.Symlink("missing", f) }, "symlink to nothing"},
		{"a symlink to itself", func(f string) error { return os.Symlink(".sourceignore", f) }, "too many levels"},
		{"a symlink outside", func(f string) error { return os.Symlink("/etc/hostname", f) }, "escapes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := tree(t, map[string]string{"a.yaml": "", "secret.yaml": "", "rules": "secret.yaml\nrules\n"})
			must(t, test.make(filepath.Join(dir, ".sourceignore")))
			o := Options{Ignore: []string{"/rules"}}
			var a *Artifact
			var err error
			inTime(t, func() { a, err = Pack(t.Context(), opened(t, dir), o) })
			if err != nil {
				if text := err.Error(); !strings.Contains(text, test.want) || !strings.Contains(text, `".sourceignore"`) {
					t.Errorf("got %q, want %q", text, test.want)
				}
				return
			}
			if got := packed(t, a); got != test.want {
				t.Errorf("packed %s, want %s", got, test.want)
			}
			must(t, a.Close())
		})
	}
}

func TestRefusedSaysWhatToDo(t *testing.T) {
	t.Setenv("TMPDIR", "/small")
	for want, err := range map[string]error{
		`packing "a\nb": permission denied; make it readable for the user that builds, or have it ignored`: &fs.PathError{Op: "openat", Path: "a\nb", Err: syscall.EACCES},
		`packing "a\nb": no space left on device; the artifact is packed into /small, set TMPDIR to a directory with more room`: fmt.Errorf("x: %w",
			&fs.PathError{Op: "write", Path: "/small/x", Err: syscall.ENOSPC}),
	} {
		if got := refused("a\nb", err).Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
