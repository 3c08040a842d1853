// Package packing has the real program pack what is large, many or odd, and asks Flux's client for it back.
package packing

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	fluxoci "github.com/fluxcd/pkg/oci"
	"github.com/google/go-containerregistry/pkg/crane"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

func TestMain(m *testing.M) { programtest.Main(m) }

// built is a build that succeeded.
type built struct {
	programtest.BuildReport
	peak int64 // of the process's memory, in MB
}

func environment(s *registrytest.Server) []string {
	return []string{programtest.DayOf(0), "OCI_PROMOTE_PASSWORD=" + s.Password}
}

// build runs the program on dir. It must stay below 128 MB, on as many cores as a large runner has.
func build(t *testing.T, s *registrytest.Server, dir string) built {
	t.Helper()
	env := append(environment(s), "GOMAXPROCS=16")
	cmd := programtest.Command(t, env, programtest.BuildArgs(s, dir, programtest.CommitA, "--json")...)
	r := programtest.RunCommand(t, cmd)
	if r.Code != 0 {
		t.Fatalf("exit status %d\n%s%s\n%s", r.Code, r.Stdout, r.Stderr, s.RequestLog())
	}
	var b built
	if err := json.Unmarshal([]byte(r.Stdout), &b.BuildReport); err != nil {
		t.Fatalf("%v in %q", err, r.Stdout)
	}
	// Linux counts in kB, and from the fork on: what this test takes itself can only make it more.
	b.peak = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
	t.Logf("at most %d MB of memory", b.peak)
	if b.peak >= 128 {
		t.Errorf("it took %d MB of memory; want less than 128", b.peak)
	}
	return b
}

// pull unpacks what the build pushed, with Flux's client.
func pull(t *testing.T, s *registrytest.Server, b built) string {
	t.Helper()
	dir := t.TempDir()
	client := fluxoci.NewClient([]crane.Option{crane.Insecure})
	if _, err := client.Pull(t.Context(), s.Host+"/"+programtest.Fleet+"@"+b.Digest, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tree gives each file below dir with its content, or with its size and what sum says of one that is large.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		var content string
		if info.Size() > 1<<20 {
			content, err = sum(name)
		} else {
			var text []byte
			text, err = os.ReadFile(name)
			content = string(text)
		}
		files[rel] = strconv.FormatInt(info.Size(), 10) + " " + strconv.FormatBool(info.Mode()&0o100 != 0) + " " + content
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// same fails where two trees differ.
func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	if len(want) == 0 {
		t.Fatal("nothing is compared")
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Fatalf("%q: %d bytes came back of %d", name, len(got[name]), len(want[name]))
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files came back of %d", len(got), len(want))
	}
}

// wrote are the requests that may have changed the registry.
func wrote(s *registrytest.Server) []string {
	var writes []string
	for _, r := range s.Requests() {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			writes = append(writes, r.Method+" "+r.Path)
		}
	}
	return writes
}

// refused builds dir, which must fail with a line that has all these words, before anything is written.
func refused(t *testing.T, s *registrytest.Server, dir string, words ...string) {
	t.Helper()
	s.Reset()
	r := programtest.Run(t, environment(s), programtest.BuildArgs(s, dir, programtest.CommitA)...)
	if r.Code != 1 {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	said := strings.Split(r.Stderr, "\n")
	if !slices.ContainsFunc(said, func(line string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) })
	}) {
		t.Errorf("no line has all of %q:\n%s", words, r.Stderr)
	}
	if writes := wrote(s); len(writes) > 0 {
		t.Errorf("it wrote %q", writes)
	}
}

// put writes a file into a tree, with the directories above it.
func put(t *testing.T, dir, name, content string) {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}
