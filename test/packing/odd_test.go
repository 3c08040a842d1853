package packing

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	fluxtar "github.com/fluxcd/pkg/tar"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// odd are names that people hardly write, and Flux unpacks all the same.
var odd = []string{
	"line\nbreak.yaml", "tab\tand space .yaml", "-rf", "é/ü.yaml", "a\u202eb", "#1", "!x", "C:", "a=b", "a..", "..b/c", "...", "\x01\x1b[31m",
	"::error::x", "##[error]x", strings.Repeat("n", 100), strings.Repeat("n", 101), strings.Repeat("n", 255), "d/" + strings.Repeat("n", 155),
	strings.Repeat("e", 155) + "/x", strings.Repeat("deep/", 60) + "a.yaml", strings.Repeat(strings.Repeat("l", 249)+"/", 13) + "f",
}

func TestFluxUnpacksOddTrees(t *testing.T) {
	dir := t.TempDir()
	for _, name := range odd {
		put(t, dir, name, name)
	}
	put(t, dir, "run.sh", "#!/bin/sh\n")
	want := tree(t, dir)
	want["hard.yaml"] = want["-rf"]
	want["run.sh"] = strings.Replace(want["run.sh"], "false", "true", 1)
	if err := errors.Join(
		os.Chmod(filepath.Join(dir, "run.sh"), 0o755|os.ModeSetuid),
		os.Link(filepath.Join(dir, "-rf"), filepath.Join(dir, "hard.yaml")),
		os.Symlink("-rf", filepath.Join(dir, "link")),
		os.Symlink("/etc/passwd", filepath.Join(dir, "outside")),
		os.Symlink(".", filepath.Join(dir, "loop")),
		syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	s := registrytest.Start(t, registrytest.Options{})
	same(t, tree(t, pull(t, s, build(t, s, dir))), want)
}

// fluxUnpacks asks Flux about an archive with a file of that name.
func fluxUnpacks(t *testing.T, name string) error {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := errors.Join(w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}), w.Close()); err != nil {
		t.Fatal(err)
	}
	return fluxtar.Untar(&archive, t.TempDir(), fluxtar.WithSkipGzip(), fluxtar.WithMaxUntarSize(-1))
}

// What Flux does not unpack is refused, and so are names that no JSON can hold, before anything is written.
func TestNamesThatAreRefused(t *testing.T) {
	for _, name := range odd {
		if err := fluxUnpacks(t, name); err != nil {
			t.Errorf("Flux does not unpack %.40q: %v", name, err)
		}
	}
	s := registrytest.Start(t, registrytest.Options{})
	for name, words := range map[string][]string{
		`back\slash.yaml`: {`back\\slash.yaml`, "Flux", "rename"},
		"a../b.yaml":      {`"a../b.yaml"`, "Flux", "rename"},
		"caf\xe9.yaml":    {`caf\xe9.yaml`, "UTF-8", "rename"},
		strings.Repeat(strings.Repeat("l", 249)+"/", 15) + "x": {`"lllll`, "3751 bytes", "rename"},
	} {
		t.Run(name[:8], func(t *testing.T) {
			if err := fluxUnpacks(t, name); err == nil && len(name) < 3500 && name[0] != 'c' {
				t.Errorf("Flux unpacks %q", name)
			}
			dir := t.TempDir()
			put(t, dir, "a.yaml", "")
			put(t, dir, name, "")
			refused(t, s, dir, words...)
		})
	}
}

func TestTreesThatAreRefused(t *testing.T) {
	s := registrytest.Start(t, registrytest.Options{})
	t.Run("empty", func(t *testing.T) { refused(t, s, t.TempDir(), "no file is left to pack") })
	t.Run("ignore file of a gigabyte", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, "a.yaml", "")
		fill(t, filepath.Join(dir, ".sourceignore"), 1<<30, false)
		refused(t, s, dir, `".sourceignore"`, "larger than")
	})
	t.Run("a file that grows", func(t *testing.T) {
		dir := t.TempDir()
		fill(t, filepath.Join(dir, "grows.log"), 32<<20, false)
		log, err := os.OpenFile(filepath.Join(dir, "grows.log"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		var writer sync.WaitGroup
		writer.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
					_, _ = log.WriteString("one more line\n")
				}
			}
		})
		refused(t, s, dir, `"grows.log"`, "size changed", "nothing writes to")
		close(done)
		writer.Wait()
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
}
