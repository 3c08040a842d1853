package test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	fluxoci "github.com/fluxcd/pkg/oci"
	"github.com/fluxcd/pkg/sourceignore"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// These tests ask other people's tools what they make of our artifacts.

// platformFiles are the files of testdata/platform that reach a cluster, written down by hand: neither Flux's
// default list nor the tree's .sourceignore may lose or add one unnoticed.
var platformFiles = []string{
	".sourceignore",
	"apps/podinfo/autoscaler.yaml",
	"apps/podinfo/deployment.yaml",
	"apps/podinfo/kustomization.yaml",
	"apps/podinfo/messages.yaml",
	"apps/podinfo/service.yaml",
	"docs/runbook.yaml",
	"hooks/check.sh",
	"infrastructure/cert-manager/cluster-issuer.yaml",
	"infrastructure/ingress-nginx/release.yaml",
	"infrastructure/ingress-nginx/repository.yaml",
	"infrastructure/kustomization.yaml",
	"infrastructure/network-policies.yaml",
	"kustomization.yaml",
	"namespaces.yaml",
}

// pushed builds testdata/platform into a registry with token authentication.
func pushed(t *testing.T) *registrytest.Server {
	t.Helper()
	s := registrytest.Start(t, registrytest.Options{Token: true})
	programtest.BuildOn(t, s, []string{timeA}, platform, commitA,
		"--source", "https://github.com/acme/fleet", "--annotations", "org.opencontainers.image.title=The platform")
	return s
}

func login(s *registrytest.Server) authn.Authenticator {
	return &authn.Basic{Username: s.Username, Password: s.Password}
}

func TestFluxPullsWhatWePush(t *testing.T) {
	s := pushed(t)
	out := t.TempDir()
	client := fluxoci.NewClient([]crane.Option{crane.WithAuth(login(s)), crane.Insecure})
	meta, err := client.Pull(t.Context(), s.Host+"/"+fleet+":0.0.1-rc.1", out)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []struct{ name, got, want string }{
		{"revision", meta.Revision, "main@sha1:" + commitA},
		{"source", meta.Source, "https://github.com/acme/fleet"},
		{"created", meta.Created, "2026-01-01T00:00:00Z"},
		{"title", meta.Annotations["org.opencontainers.image.title"], "The platform"},
		{"digest", meta.Digest, s.Host + "/" + fleet + "@" + s.Tags(fleet)["0.0.1-rc.1"]},
	} {
		if field.got != field.want {
			t.Errorf("%s = %q, want %q", field.name, field.got, field.want)
		}
	}

	source, pulled := readTree(t, platform), readTree(t, out)
	if names := slices.Sorted(maps.Keys(pulled)); !slices.Equal(names, platformFiles) {
		t.Errorf("pulled files:\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(platformFiles, "\n"))
	}
	for name, got := range pulled {
		if got != source[name] {
			t.Errorf("%s: pulled %+v, source %+v", name, got, source[name])
		}
	}
	if !pulled["hooks/check.sh"].executable || pulled["namespaces.yaml"].executable {
		t.Error("the executable bit is lost or added")
	}
}

func TestGoContainerregistryAcceptsTheImage(t *testing.T) {
	s := pushed(t)
	image := remoteImage(t, s, "0.0.1-rc.1")
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"0.0.1-rc.1", "sha-" + commitA[:7], "integration-" + commitA[:7]} {
		if got := s.Tags(fleet)[tag]; got != digest.String() {
			t.Errorf("%s names %q, the image is %s", tag, got, digest)
		}
	}
}

// The config blob is the one that flux wrote for years, so that mostly it need not be uploaded.
func TestConfigIsFluxs(t *testing.T) {
	image := remoteImage(t, pushed(t), "0.0.1-rc.1")
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	blob, err := image.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	const want = "5b943e2b943f6c81dbbd4e2eca5121f4fcc39139e3d1219d6d89bd925b77d9fe"
	if got := fmt.Sprintf("%x", sha256.Sum256(blob)); got != want || len(blob) != 115 {
		t.Errorf("config %q: digest %s with %d bytes, want %s with 115", blob, got, len(blob), want)
	}
	if c := manifest.Config; c.MediaType != fluxoci.CanonicalConfigMediaType || c.Digest.Hex != want || c.Size != 115 {
		t.Errorf("config descriptor = %+v", c)
	}
	if len(manifest.Layers) != 1 || manifest.Layers[0].MediaType != fluxoci.CanonicalContentMediaType {
		t.Errorf("layers = %+v, want one of type %s", manifest.Layers, fluxoci.CanonicalContentMediaType)
	}
}

// listed is a line of "tar -tv --numeric-owner --full-time": mode, owner, size, date, time, name.
var listed = regexp.MustCompile(`^([d-][rwx-]{9}) (\d+/\d+) +(\d+) (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\S* (.+)$`)

func TestTarListsZeroOwnersAndTimes(t *testing.T) {
	if _, err := exec.LookPath("tar"); err != nil {
		t.Skip("tar is not installed here: the archive is not checked with it")
	}
	file := filepath.Join(t.TempDir(), "layer.tar.gz")
	if err := os.WriteFile(file, layerOf(t, remoteImage(t, pushed(t), "0.0.1-rc.1")), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("tar", "-tzv", "--numeric-owner", "--full-time", "-f", file)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TZ=UTC", "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("tar -tzv --numeric-owner --full-time:\n%s", out)
	var files []string
	for line := range strings.Lines(string(out)) {
		m := listed.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			t.Errorf("cannot read %q", line)
			continue
		}
		if m[2] != "0/0" || m[4] != "1970-01-01" || m[5] != "00:00:00" {
			t.Errorf("%s: owner %s, time %s %s", m[6], m[2], m[4], m[5])
		}
		want := "-rw-r--r--"
		switch {
		case strings.HasSuffix(m[6], "/"):
			want = "drwxr-xr-x"
		case m[6] == "hooks/check.sh":
			want = "-rwxr-xr-x"
		}
		if m[1] != want {
			t.Errorf("%s: mode %s, want %s", m[6], m[1], want)
		}
		if want[0] == '-' {
			files = append(files, m[6])
		}
	}
	if !slices.Equal(files, platformFiles) {
		t.Errorf("files, in this order:\n%s\nwant\n%s", strings.Join(files, "\n"), strings.Join(platformFiles, "\n"))
	}
}

// ignoreLists are inputs "ignore", on top of Flux's defaults and the tree's .sourceignore.
var ignoreLists = map[string][]string{
	"none":              nil,
	"extension":         {"*.sh"},
	"directory":         {"infrastructure/"},
	"rooted":            {"/kustomization.yaml"},
	"comment and blank": {"# *.yaml", "   ", "hooks"},
	"take back a type":  {"!*.png"},
	"take back in CI":   {"!.github/", "!.github/CODEOWNERS"},
	"all but one":       {"*", "!apps", "!apps/podinfo", "!apps/podinfo/service.yaml"},
	"all but a subtree": {"/*", "!/infrastructure", "infrastructure/**/repository.yaml"},
	"last word counts":  {"*.yaml", "!namespaces.yaml", "namespaces.yaml", "!apps/**/service.yaml"},
	"middle stars":      {"apps/**/*.yaml", "!apps/*/messages.yaml"},
}

// TestFluxPacksTheSameFiles: whoever comes from "flux push artifact" gets the files that they had. The program
// starts from Flux's defaults and the tree's .sourceignore; Flux's client is told all of it in one list.
func TestFluxPacksTheSameFiles(t *testing.T) {
	s := registrytest.Start(t, registrytest.Options{})
	tree := copyTree(t, platform)
	for name, lines := range ignoreLists {
		t.Run(name, func(t *testing.T) {
			repo := "acme/" + strings.ReplaceAll(strings.ToLower(name), " ", "-")
			r := programtest.Run(t, []string{timeA}, "build", "--repository", s.Host+"/"+repo, "--plain-http", "--path", tree,
				"--revision", "main@sha1:"+commitA, "--height", "1", "--ignore", strings.Join(lines, "\n"))
			if r.Code != 0 {
				t.Fatalf("%s%s", r.Stdout, r.Stderr)
			}
			ours := readArchive(t, layerOf(t, imageOf(t, s, repo+":0.0.1-rc.1", authn.Anonymous)))
			compareTrees(t, ours, packedByFlux(t, tree, withDefaults(t, tree, lines)))
		})
	}
}

// TestFluxPacksTheSameFilesWhateverIsIgnored does the same with lists made of random lines.
func TestFluxPacksTheSameFilesWhateverIsIgnored(t *testing.T) {
	tree := copyTree(t, platform)
	words := []string{
		"*", "/*", "**", "*.yaml", "*.sh", "apps", "apps/", "/apps", "apps/*", "apps/**", "podinfo", "apps/podinfo/*.yaml",
		"**/kustomization.yaml", "/kustomization.yaml", "infrastructure/*/", "in*ture", "service.yaml", "docs/runbook.yaml",
		".github", ".github/", "logo.png", "*.png", "[a-m]*.yaml", "name?paces.yaml", "hooks/check.sh", ".sourceignore",
	}
	random, empty := rand.New(rand.NewPCG(7, 7)), 0
	for range 300 {
		var lines []string
		for range 1 + random.IntN(5) {
			lines = append(lines, []string{"", "", "!"}[random.IntN(3)]+words[random.IntN(len(words))])
		}
		want := packedByFlux(t, tree, withDefaults(t, tree, lines))
		artifact, err := bundle.Pack(t.Context(), os.DirFS(tree), bundle.Options{Ignore: lines})
		if errors.Is(err, bundle.ErrEmpty) {
			empty++
			if len(want) > 0 {
				t.Errorf("ignore %q: we pack nothing, Flux %q", lines, slices.Sorted(maps.Keys(want)))
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		layer, err := io.ReadAll(artifact.Open())
		if err := errors.Join(err, artifact.Close()); err != nil {
			t.Fatal(err)
		}
		if ours := readArchive(t, layer); !maps.Equal(ours, want) {
			t.Errorf("ignore %q: we pack\n%q\nFlux\n%q", lines, slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(want)))
		}
	}
	t.Logf("of 300 lists, %d left nothing", empty)
	if empty > 150 {
		t.Error("most lists leave nothing: the test says little")
	}
}

// file is what of a file an artifact carries.
type file struct {
	content    string
	executable bool
}

// readTree gives the regular files below dir.
func readTree(t *testing.T, dir string) map[string]file {
	t.Helper()
	files := map[string]file{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = file{string(content), info.Mode()&0o100 != 0}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// readArchive gives the regular files of a layer.
func readArchive(t *testing.T, layer []byte) map[string]file {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(layer))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]file{}
	for r := tar.NewReader(zip); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if _, twice := files[h.Name]; twice {
			t.Errorf("%s is in the archive twice", h.Name)
		}
		files[h.Name] = file{string(content), h.Mode&0o100 != 0}
	}
}

// copyTree copies dir, so that Flux's client may write beside it, and adds what a real checkout has.
func copyTree(t *testing.T, dir string) string {
	t.Helper()
	tree := filepath.Join(t.TempDir(), "tree")
	if err := os.CopyFS(tree, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		".git/config":                   "[http] extraheader = AUTHORIZATION: basic c2VjcmV0\n",
		".gitignore":                    "*.log\n",
		"apps/podinfo/.gitattributes":   "* text\n",
		"apps/.sops.yaml":               "creation_rules: []\n",
		"infrastructure/charts/a.zip":   "PK",
		"infrastructure/charts/a.yaml":  "a: 1\n",
		"infrastructure/.github/x.yaml": "x: 1\n",
	} {
		name = filepath.Join(tree, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

// withDefaults is the list that "flux push artifact --ignore-paths" needs for the same effect: it replaces its
// defaults, and does not read .sourceignore (docs/facts.md 10). .git stays out whatever the lines say.
func withDefaults(t *testing.T, tree string, lines []string) []string {
	t.Helper()
	own, err := os.ReadFile(filepath.Join(tree, sourceignore.IgnoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defaults := []string{sourceignore.ExcludeVCS, sourceignore.ExcludeExt, sourceignore.ExcludeCI, sourceignore.ExcludeExtra}
	list := strings.Split(strings.Join(defaults, ","), ",")
	return slices.Concat(list, strings.Split(string(own), "\n"), lines, []string{".git"})
}

func packedByFlux(t *testing.T, tree string, ignore []string) map[string]file {
	t.Helper()
	archive := filepath.Join(t.TempDir(), "flux.tar.gz")
	if err := fluxoci.NewClient(nil).Build(archive, tree, ignore); err != nil {
		t.Fatal(err)
	}
	layer, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	return readArchive(t, layer)
}

func compareTrees(t *testing.T, ours, flux map[string]file) {
	t.Helper()
	for name := range flux {
		if _, ok := ours[name]; !ok {
			t.Errorf("Flux packs %s, we do not", name)
		}
	}
	for name, got := range ours {
		want, ok := flux[name]
		if !ok {
			t.Errorf("we pack %s, Flux does not", name)
		} else if got != want {
			t.Errorf("%s: we pack %+v, Flux %+v", name, got, want)
		}
	}
	if len(ours) == 0 {
		t.Error("nothing is packed")
	}
}

func remoteImage(t *testing.T, s *registrytest.Server, tag string) v1.Image {
	t.Helper()
	return imageOf(t, s, fleet+":"+tag, login(s))
}

func imageOf(t *testing.T, s *registrytest.Server, reference string, who authn.Authenticator) v1.Image {
	t.Helper()
	ref, err := name.ParseReference(s.Host+"/"+reference, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(ref, remote.WithAuth(who), remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// layerOf downloads the one layer of an image as it is stored.
func layerOf(t *testing.T, image v1.Image) []byte {
	t.Helper()
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	r, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	blob, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return blob
}
