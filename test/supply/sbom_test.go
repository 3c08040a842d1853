package supply

import (
	"debug/buildinfo"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

var (
	ko       = flag.String("ko", "", "the ko to build with; empty for that of the Makefile")
	sbomFile = flag.String("sbom", "", "write the SBOM of the image for this machine's architecture to a file")
)

// TestSBOM: the list of modules that ko writes for the image has exactly those that are linked, with their versions. The
// base image is an empty one: what a real one brings is in the base's own SBOM. `make sbom` keeps the list.
func TestSBOM(t *testing.T) {
	platform := "linux/" + runtime.GOARCH
	s := registrytest.Start(t, registrytest.Options{})
	base, err := name.NewTag(s.Host + "/base:latest")
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH, RootFS: v1.RootFS{Type: "layers"}})
	if err == nil {
		err = remote.Write(base, image)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), koPath(t), "build", "--bare", "--platform="+platform, "--sbom=spdx", "--sbom-dir="+dir, "--push=false", command)
	build.Dir = root
	build.Env = append(os.Environ(), "KO_DEFAULTBASEIMAGE="+base.String(), "KO_DOCKER_REPO="+s.Host+"/oci-promote", "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	files, err := filepath.Glob(filepath.Join(dir, "oci-promote-linux-"+runtime.GOARCH+"*.spdx.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	text := readFile(t, files[0])
	listed, want := modules(t, text), map[string]string{own: ""}
	for path, m := range link(t, platform) {
		want[path] = m.version
	}
	if !maps.Equal(listed, want) {
		t.Errorf("the SBOM lists %v, linked is %v", listed, want)
	}
	if *sbomFile != "" {
		if err := os.MkdirAll(filepath.Dir(*sbomFile), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(*sbomFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// modules are the Go modules of an SPDX document, with their versions.
func modules(t *testing.T, spdx string) map[string]string {
	t.Helper()
	var doc struct {
		Packages []struct {
			Name, VersionInfo string
			ExternalRefs      []struct{ ReferenceLocator string }
		}
	}
	if err := json.Unmarshal([]byte(spdx), &doc); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, p := range doc.Packages {
		for _, ref := range p.ExternalRefs {
			if strings.HasPrefix(ref.ReferenceLocator, "pkg:golang/") {
				all[p.Name] = p.VersionInfo
			}
		}
	}
	return all
}

func koPath(t *testing.T) string {
	t.Helper()
	if *ko != "" {
		return *ko
	}
	output, err := exec.CommandContext(t.Context(), "make", "--silent", "-C", root, "release-tools").Output()
	if err != nil {
		t.Fatalf("installing ko: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	return lines[len(lines)-1]
}

// TestLink holds the other tests' source to what the linker writes into a binary: nothing more, nothing less.
func TestLink(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "oci-promote")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-trimpath", "-o", binary, command)
	build.Dir, build.Env = root, append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, dep := range info.Deps {
		got = append(got, dep.Path+"@"+dep.Version)
	}
	for path, m := range link(t, "linux/"+runtime.GOARCH) {
		want = append(want, path+"@"+m.version)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(got) < 10 {
		t.Errorf("the linker says %q, go list %q", got, want)
	}
}
