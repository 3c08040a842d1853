// Package supply holds what the program is made of to account: the licences of what is linked into it, and the list of
// modules that goes with its image.
package supply

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	root    = "../.."
	own     = "github.com/oci-promote/oci-promote"
	command = "./cmd/oci-promote"
)

// platforms are those of the release's archives.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

// linked is a module with its directories that have code of the program.
type linked struct {
	version string
	dir     string
	code    map[string]bool
}

// link gives the modules that are linked into the program for a platform, without its own.
func link(t *testing.T, platform string) map[string]linked {
	t.Helper()
	goos, goarch, _ := strings.Cut(platform, "/")
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=Dir,Module,Standard", command)
	list.Dir, list.Env = root, append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOWORK=off")
	list.Stderr = os.Stderr
	output, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]linked{}
	for d := json.NewDecoder(bytes.NewReader(output)); ; {
		var p struct {
			Dir      string
			Standard bool
			Module   *struct {
				Path, Version, Dir string
				Replace            *struct{}
			}
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Standard || p.Module.Path == own {
			continue
		}
		m := p.Module
		if m.Replace != nil {
			t.Errorf("%s is replaced: what is released must be what its authors published", m.Path)
		}
		if all[m.Path].code == nil {
			all[m.Path] = linked{m.Version, m.Dir, map[string]bool{}}
		}
		all[m.Path].code[p.Dir] = true
	}
}

// linkAll is link for all platforms.
func linkAll(t *testing.T) map[string]linked {
	t.Helper()
	all := map[string]linked{}
	for _, platform := range platforms {
		for path, m := range link(t, platform) {
			if known, ok := all[path]; ok {
				maps.Copy(m.code, known.code)
			}
			all[path] = m
		}
	}
	return all
}

func readFile(t *testing.T, name ...string) string {
	t.Helper()
	blob, err := os.ReadFile(filepath.Join(name...))
	if err != nil {
		t.Fatal(err)
	}
	return string(blob)
}
