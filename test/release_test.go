package test

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"go.yaml.in/yaml/v3"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

const (
	releaseImage = "oci-promote/oci-promote" // in the local registry
	releaseBase  = "distroless/static-debian12"
)

// releasing is a clone of this repository's tree with a remote and a registry of its own, and the real script in it.
type releasing struct {
	registry *registrytest.Server
	remote   string // a bare git repository
	clone    string
	dist     string
	umask    string
	env      []string // for every run of the script
}

// newReleasing makes a repository whose one commit holds the tree of this one as it is, with these versions in its
// CHANGELOG.
func newReleasing(t *testing.T, s *registrytest.Server, versions ...string) *releasing {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the release is made on Linux: the script needs bash 5 and GNU tar")
	}
	r := &releasing{registry: s, remote: filepath.Join(t.TempDir(), "remote.git"), clone: filepath.Join(t.TempDir(), "clone")}
	r.dist = filepath.Join(t.TempDir(), "dist")
	copyRepository(t, r.clone)
	changelog := filepath.Join(r.clone, "CHANGELOG.md")
	var sections strings.Builder
	for _, version := range versions {
		fmt.Fprintf(&sections, "\n## [%s] - 2026-11-01\n\n### Added\n\n- What came\n  with %[1]s.\n- More.\n\nThe\nend.\n", version)
	}
	const unreleased = "## [Unreleased]\n"
	text := readText(t, changelog)
	if !strings.Contains(text, unreleased) {
		t.Fatalf("CHANGELOG.md has no line %q", unreleased)
	}
	writeText(t, changelog, strings.Replace(text, unreleased, unreleased+sections.String(), 1))

	releaseGit(t, "", "init", "--quiet", "--bare", "--initial-branch=main", r.remote)
	releaseGit(t, r.clone, "init", "--quiet", "--initial-branch=main")
	releaseGit(t, r.clone, "remote", "add", "origin", r.remote)
	releaseGit(t, r.clone, "add", "--all")
	r.commit(t, "The tree of this repository")
	releaseGit(t, r.clone, "push", "--quiet", "origin", "main")
	return r
}

func (r *releasing) commit(t *testing.T, message string) {
	t.Helper()
	releaseGit(t, r.clone, "commit", "--quiet", "--allow-empty", "-m", message)
}

// copyRepository copies what git has of this repository, changes that are not committed too.
func copyRepository(t *testing.T, dir string) {
	t.Helper()
	files := releaseGit(t, "..", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for file := range strings.SplitSeq(strings.TrimRight(files, "\x00"), "\x00") {
		from := filepath.Join("..", file)
		info, err := os.Lstat(from)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(readText(t, from)), info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
}

func releaseGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	return git(t, dir, append(os.Environ(), releaseIdentity()...), args...)
}

func releaseIdentity() []string {
	return []string{
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=Maintainer", "GIT_AUTHOR_EMAIL=m@example.org", "GIT_AUTHOR_DATE=2026-11-01T10:00:00+02:00",
		"GIT_COMMITTER_NAME=Maintainer", "GIT_COMMITTER_EMAIL=m@example.org", "GIT_COMMITTER_DATE=2026-11-01T10:00:00+02:00",
	}
}

// run runs one step of the script, of this machine's Go and git, with nothing to find in the user's configuration.
func (r *releasing) run(t *testing.T, step, version string, env ...string) programtest.Result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", `umask "$1" && exec "$2" "$3" "$4"`, "bash",
		cmp.Or(r.umask, "022"), filepath.Join(r.clone, ".github", "release.sh"), step, version)
	cmd.Env = slices.Concat(os.Environ(), releaseIdentity(), []string{
		"GITHUB_REPOSITORY=", "GITHUB_OUTPUT=", "GITHUB_TOKEN=", "GOFLAGS=", "DOCKER_CONFIG=" + t.TempDir(), "DRY_RUN=", "KO=",
		"IMAGE=" + r.registry.Host + "/" + releaseImage,
		"BASE_IMAGE=" + r.registry.Host + "/" + releaseBase + ":latest",
		"REMOTE=" + r.remote, "DIST=" + r.dist, "PLATFORMS=linux/amd64 linux/arm64",
	}, r.env, env)
	return programtest.RunCommand(t, cmd)
}

// must runs steps and fails the test unless all succeed; it gives what the last one printed.
func (r *releasing) must(t *testing.T, version string, steps ...string) (last programtest.Result) {
	t.Helper()
	for _, step := range steps {
		start := time.Now()
		last = r.run(t, step, version)
		t.Logf("%s %s (%v):\n%s%s", step, version, time.Since(start).Round(time.Millisecond), last.Stdout, last.Stderr)
		if last.Code != 0 {
			t.Fatalf("step %s of %s failed", step, version)
		}
	}
	return last
}

// refused runs one step that must fail, say this, and write nothing to the remote or to the registry.
func (r *releasing) refused(t *testing.T, step, version, says string, env ...string) {
	t.Helper()
	before := r.written(t)
	got := r.run(t, step, version, env...)
	if got.Code == 0 || !strings.Contains(got.Stderr, says) {
		t.Errorf("%s %s: status %d, said %q; want a refusal with %q", step, version, got.Code, got.Stderr, says)
	}
	if after := r.written(t); after != before {
		t.Errorf("%s %s was refused, and yet wrote something:\nbefore %s\nafter  %s", step, version, before, after)
	}
}

// written is all that a release leaves behind: the remote's refs, the registry's tags, and how many requests wrote.
func (r *releasing) written(t *testing.T) string {
	t.Helper()
	return releaseGit(t, r.remote, "for-each-ref", "--format=%(refname) %(objectname)") + fmt.Sprint(r.registry.Tags(releaseImage))
}

func (r *releasing) tag(t *testing.T, name string) string {
	t.Helper()
	return releaseGit(t, r.remote, "rev-parse", "refs/tags/"+name+"^{commit}")
}

// pushBase pushes a look-alike of the base image, for two of the release's platforms and one more.
func pushBase(t *testing.T, s *registrytest.Server, content, user string) string {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range []v1.Platform{
		{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64", Variant: "v8"}, {OS: "linux", Architecture: "s390x"},
	} {
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(tarOf(t, "etc/base", content+platform.Architecture))), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
			OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant,
			Config: v1.Config{Env: []string{"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"}, User: user},
		})
		if err != nil {
			t.Fatal(err)
		}
		image, err = mutate.Append(mutate.MediaType(image, types.OCIManifestSchema1), mutate.Addendum{Layer: layer, MediaType: types.OCILayer})
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &platform}})
	}
	reference, err := name.ParseReference(s.Host + "/" + releaseBase + ":latest")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(reference, index); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func tarOf(t *testing.T, file, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: file, Size: int64(len(content)), Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readTar gives the files of a compressed tar by name, and their modes.
func readTar(t *testing.T, r io.Reader) (files map[string]string, modes map[string]int64) {
	t.Helper()
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	files, modes = map[string]string{}, map[string]int64{}
	for tr := tar.NewReader(z); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files, modes
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		file := strings.TrimPrefix(h.Name, "/")
		files[file], modes[file] = string(data), h.Mode
	}
}

func readText(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func writeText(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// runsImage is the digest that a commit's action.yml names; everything else in it must be as in the commit before.
func (r *releasing) runsImage(t *testing.T, commit string) string {
	t.Helper()
	diff := releaseGit(t, r.remote, "diff", "--unified=0", "--no-color", commit+"^", commit)
	found := regexp.MustCompile(`(?m)\A.*\n.*\n--- a/action.yml\n\+\+\+ b/action.yml\n@@ .*\n` +
		`-  image: Dockerfile\n\+  image: docker://(\S+)@(sha256:[0-9a-f]{64})\z`).FindStringSubmatch(diff)
	if found == nil {
		t.Fatalf("the release commit changes something else than the image:\n%s", diff)
	}
	if want := r.registry.Host + "/" + releaseImage; found[1] != want {
		t.Errorf("action.yml runs an image of %s, want %s", found[1], want)
	}
	return found[2]
}

func TestRelease(t *testing.T) {
	t.Parallel()
	s := registrytest.Start(t, registrytest.Options{})
	base := pushBase(t, s, "the base of that day ", "0")
	r := newReleasing(t, s, "1.1.0")
	source := releaseGit(t, r.clone, "rev-parse", "HEAD")
	hub := startReleases(t)
	r.env = hub.env()
	r.must(t, "release/v1.1.0", "check", "build")
	s.Intercept(registrytest.On(http.MethodPut, "/manifests/v1.1.0$", registrytest.Status(http.StatusForbidden, nil, `{"errors":[{"code":"DENIED"}]}`)))
	if got := r.run(t, "push", "v1.1.0"); got.Code == 0 || s.Named(releaseImage, "v1.1.0") != "" {
		t.Errorf("push succeeded without the registry: %s", got.Stderr)
	}
	s.Intercept(nil)
	r.must(t, "v1.1.0", "push")
	pushed := strings.TrimSpace(readText(t, filepath.Join(r.dist, "digest")))
	if named := s.Named(releaseImage, "v1.1.0"); named != pushed {
		t.Errorf("the image's tag names %s, built was %s", named, pushed)
	}
	// Here the first run is killed. The second goes on another machine, when the base image's tag has moved.
	pushBase(t, s, "the base of a later day ", "0")
	first, second := r, r.elsewhere(t)
	second.must(t, "v1.1.0", "check", "build", "push", "commit", "tag", "publish")
	if again := strings.TrimSpace(readText(t, filepath.Join(second.dist, "digest"))); again != pushed {
		t.Errorf("another machine built the image %s, the first %s", again, pushed)
	}
	const sums = "assets/checksums.txt"
	if a, b := readText(t, filepath.Join(first.dist, sums)), readText(t, filepath.Join(second.dist, sums)); a != b {
		t.Errorf("another machine built other archives:\n%s\n%s", a, b)
	}

	release := r.tag(t, "v1.1.0")
	if runs := r.runsImage(t, release); runs != pushed {
		t.Errorf("action.yml runs %s, pushed was %s", runs, pushed)
	}
	if parents := releaseGit(t, r.remote, "log", "-1", "--format=%P", release); parents != source {
		t.Errorf("the release commit's parents are %s, want the tagged commit %s", parents, source)
	}
	if v1 := r.tag(t, "v1"); v1 != release {
		t.Errorf("v1 is on %s, want %s", v1, release)
	}
	t.Run("image", func(t *testing.T) { r.checkImage(t, pushed, base, source) })
	t.Run("archives", r.checkArchives)
	t.Run("GitHub release", func(t *testing.T) { hub.check(t, r, release) })
	t.Run("one more run changes nothing", func(t *testing.T) {
		written, releases := r.written(t), hub.state()
		r.must(t, "v1.1.0", "check", "push", "commit", "tag", "publish")
		if after := r.written(t); after != written {
			t.Errorf("it changed something:\nbefore %s\nafter  %s", written, after)
		}
		if after := hub.state(); after != releases {
			t.Errorf("it changed the GitHub release:\nbefore %s\nafter  %s", releases, after)
		}
	})
	t.Run("a killed upload is completed", func(t *testing.T) { hub.completes(t, r) })
	t.Run("provenance is asked for", func(t *testing.T) { hub.asksForProvenance(t, r, pushed) })
	t.Run("what was built is looked at", r.checkInspects)
	t.Run("an older line does not move v1", r.checkOlderLine)
	t.Run("a race for v1 is lost well", r.checkRace)
	t.Run("a tag elsewhere is refused", r.checkTaken)
}

// elsewhere is the same release on another machine: another directory, another umask, newer files, another time zone.
func (r *releasing) elsewhere(t *testing.T) *releasing {
	t.Helper()
	other := *r
	other.clone, other.dist = filepath.Join(t.TempDir(), "another", "place"), filepath.Join(t.TempDir(), "dist")
	other.env = append([]string{"TZ=Asia/Tokyo", "LC_ALL=C.UTF-8", "TMPDIR=" + t.TempDir()}, r.env...)
	other.umask = "077"
	releaseGit(t, "", "clone", "--quiet", r.remote, other.clone)
	releaseGit(t, other.clone, "tag", "v0.0.9") // Go would stamp a version that counts from it into the binaries
	return &other
}

// checkImage reads the pushed image back over HTTP.
func (r *releasing) checkImage(t *testing.T, digest, base, source string) {
	reference, err := name.NewDigest(r.registry.Host + "/" + releaseImage + "@" + digest)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(reference)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := manifest.Annotations["org.opencontainers.image.base.name"], r.registry.Host+"/"+releaseBase+"@"+base; got != want {
		t.Errorf("the index records the base %q, want %s", got, want)
	}
	var platforms []string
	for _, desc := range manifest.Manifests {
		platforms = append(platforms, desc.Platform.OS+"/"+desc.Platform.Architecture)
		image, err := index.Image(desc.Digest)
		if err != nil {
			t.Fatal(err)
		}
		platform := desc.Platform.OS + "_" + desc.Platform.Architecture
		r.checkPlatform(t, image, platform, source)
		r.checkSBOM(t, desc.Digest.String(), platform)
	}
	if want := []string{"linux/amd64", "linux/arm64"}; !slices.Equal(platforms, want) {
		t.Errorf("the index has %q, want %q", platforms, want)
	}
}

func (r *releasing) checkPlatform(t *testing.T, image v1.Image, platform, source string) {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := config.Config.Entrypoint, []string{"/ko-app/oci-promote"}; !slices.Equal(got, want) || len(config.Config.Cmd) != 0 {
		t.Errorf("%s: entrypoint %q %q, want %q", platform, got, config.Config.Cmd, want)
	}
	if user := config.Config.User; user != "" && user != "0" {
		t.Errorf("%s runs as %s, want root", platform, user)
	}
	if !slices.Contains(config.Config.Env, "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt") {
		t.Errorf("%s has lost the base image's environment: %q", platform, config.Config.Env)
	}
	labels := dockerfileLabels(t)
	labels["version"], labels["revision"] = "v1.1.0", source
	for label, want := range labels {
		if got := config.Config.Labels["org.opencontainers.image."+label]; got != want {
			t.Errorf("%s: label %s is %q, want %q", platform, label, got, want)
		}
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	compressed, err := layers[len(layers)-1].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer compressed.Close()
	inImage, modes := readTar(t, compressed)
	inArchive, _ := readTar(t, strings.NewReader(readText(t, r.archive(platform))))
	if inImage["ko-app/oci-promote"] == "" || inImage["ko-app/oci-promote"] != inArchive["oci-promote"] {
		t.Errorf("%s: the image's binary (%d bytes) is not the archive's (%d bytes)", platform, len(inImage["ko-app/oci-promote"]), len(inArchive["oci-promote"]))
	}
	if mode := modes["ko-app/oci-promote"]; mode&0o555 != 0o555 {
		t.Errorf("%s: the image's binary has mode %o", platform, mode)
	}
	data, err := layers[len(layers)-2].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	beside, _ := readTar(t, data)
	for _, file := range []string{"LICENSE", "THIRD_PARTY_LICENSES"} {
		if got := beside["var/run/ko/"+file]; got == "" || got != readText(t, filepath.Join("..", file)) {
			t.Errorf("%s: the image's %s has %d bytes, and is not the repository's", platform, file, len(got))
		}
	}
}

// dockerfileLabels are the labels that an image has which is built from the Dockerfile, without their prefix.
func dockerfileLabels(t *testing.T) map[string]string {
	t.Helper()
	labels := map[string]string{}
	for _, found := range regexp.MustCompile(`org\.opencontainers\.image\.(\w+)="([^"]*)"`).FindAllStringSubmatch(readText(t, "../Dockerfile"), -1) {
		labels[found[1]] = found[2]
	}
	if len(labels) < 5 {
		t.Fatalf("the Dockerfile has the labels %q", labels)
	}
	return labels
}

func (r *releasing) archive(platform string) string {
	return filepath.Join(r.dist, "assets", "oci-promote_1.1.0_"+platform+".tar.gz")
}

func (r *releasing) checkArchives(t *testing.T) {
	var sums strings.Builder
	for _, platform := range []string{"linux_amd64", "linux_arm64"} {
		data := readText(t, r.archive(platform))
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256([]byte(data)), filepath.Base(r.archive(platform)))
		files, modes := readTar(t, strings.NewReader(data))
		for file, mode := range map[string]int64{"LICENSE": 0o644, "README.md": 0o644, "THIRD_PARTY_LICENSES": 0o644, "oci-promote": 0o755} {
			if files[file] == "" || modes[file] != mode {
				t.Errorf("%s: %s has %d bytes and mode %o, want %o", platform, file, len(files[file]), modes[file], mode)
			}
		}
		if len(files) != 4 {
			t.Errorf("%s has %d entries, want 4", platform, len(files))
		}
		if platform != runtime.GOOS+"_"+runtime.GOARCH {
			continue
		}
		binary := filepath.Join(t.TempDir(), "oci-promote")
		if err := os.WriteFile(binary, []byte(files["oci-promote"]), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), binary, "version").CombinedOutput(); err != nil || string(out) != "oci-promote v1.1.0\n" {
			t.Errorf("the binary says %q, %v; want its version", out, err)
		}
	}
	for _, platform := range []string{"linux_amd64", "linux_arm64"} {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256([]byte(readText(t, r.sbom(platform)))), filepath.Base(r.sbom(platform)))
	}
	if got := readText(t, filepath.Join(r.dist, "assets", "checksums.txt")); got != sums.String() {
		t.Errorf("checksums.txt is\n%s\nwant\n%s", got, sums.String())
	}
}

// checkOlderLine tags two more versions. What they would build does not matter to the tags: they get the image that is
// there.
func (r *releasing) checkOlderLine(t *testing.T) {
	newest := r.tag(t, "v1.1.0")
	for _, step := range []struct{ version, v1 string }{
		{"v1.0.1", "v1.1.0"}, {"v1.0.10", "v1.1.0"}, {"v1.10.0", "v1.10.0"}, {"v1.9.0", "v1.10.0"}, {"v2.0.0", "v1.10.0"},
	} {
		r.commit(t, "A fix for "+step.version)
		releaseGit(t, r.clone, "push", "--quiet", "origin", "HEAD:refs/heads/main")
		for range 2 {
			r.must(t, step.version, "tag")
			if got, want := r.tag(t, "v1"), r.tag(t, step.v1); got != want {
				t.Errorf("after %s, v1 is on %s, want %s (%s)", step.version, got, want, step.v1)
			}
		}
	}
	if got, want := r.tag(t, "v2"), r.tag(t, "v2.0.0"); got != want {
		t.Errorf("v2 is on %s, want %s", got, want)
	}
	if again := r.tag(t, "v1.1.0"); again != newest {
		t.Errorf("v1.1.0 moved from %s to %s", newest, again)
	}
}

// checkTaken asks for a version that exists on the release commit of another source, and on something else.
func (r *releasing) checkTaken(t *testing.T) {
	for _, step := range []string{"check", "build", "push", "tag", "publish"} {
		r.refused(t, step, "v1.1.0", "v1.1.0")
	}
	releaseGit(t, r.clone, "push", "--quiet", "origin", "HEAD:refs/tags/v1.1.1")
	r.refused(t, "tag", "v1.1.1", "v1.1.1 exists on commit")
}

func TestReleaseRefuses(t *testing.T) {
	t.Parallel()
	s := registrytest.Start(t, registrytest.Options{})
	r := newReleasing(t, s, "1.2.3", "2.0.0")
	for _, version := range []string{
		"v01.2.3", "v1.02.3", "1.2.3-rc.1", "v1.2.3-rc.1", "v1.2.3+build", "v1.2", "v1.2.3.4", "v1.2.x", "1.2.3", "", "dev",
		"release/release/v1.2.3", "v1.2.3\n", "v1.2.3;id", "$(id)", "v9999999999.0.0",
	} {
		r.refused(t, "check", version, "is no version to release")
	}
	r.refused(t, "check", "v1.2.4", "CHANGELOG.md has nothing under '## [1.2.4] - YYYY-MM-DD'")
	r.refused(t, "check", "v2.0.0", "go.mod names the module github.com/oci-promote/oci-promote")
	r.refused(t, "publish", "v1.2.3", "nothing is built")
	r.refused(t, "frob", "v1.2.3", "is no step")
	output := filepath.Join(t.TempDir(), "output")
	if got := r.run(t, "check", "release/v1.2.3", "GITHUB_OUTPUT="+output, "IMAGE=", "GITHUB_REPOSITORY=Acme/OCI-Promote"); got.Code != 0 {
		t.Errorf("check: %s", got.Stderr)
	}
	if got, want := readText(t, output), "version=v1.2.3\nimage=ghcr.io/acme/oci-promote\n"; got != want {
		t.Errorf("the outputs are %q, want %q", got, want)
	}

	t.Run("work tree with changes", func(t *testing.T) {
		stray := filepath.Join(r.clone, "cmd", "oci-promote", "stray.go")
		writeText(t, stray, "package main\n")
		r.refused(t, "build", "v1.2.3", "the work tree has changes")
		if err := os.Remove(stray); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("taken by something else", func(t *testing.T) {
		releaseGit(t, r.clone, "push", "--quiet", "origin", "HEAD:refs/tags/v1.2.3")
		r.refused(t, "check", "v1.2.3", "v1.2.3 exists on commit")
		r.refused(t, "build", "v1.2.3", "v1.2.3 exists on commit")
		releaseGit(t, r.remote, "update-ref", "-d", "refs/tags/v1.2.3")
	})
	t.Run("not on main", func(t *testing.T) {
		r.commit(t, "On no branch of the remote")
		r.refused(t, "check", "v1.2.3", "is neither on main nor on release-1.2")
		releaseGit(t, r.clone, "push", "--quiet", "origin", "HEAD:refs/heads/release-1.1")
		r.refused(t, "check", "v1.2.3", "is neither on main nor on release-1.2")
		releaseGit(t, r.clone, "push", "--quiet", "origin", "HEAD:refs/heads/release-1.2")
		r.must(t, "v1.2.3", "check")
	})
	t.Run("a release already", func(t *testing.T) {
		action := filepath.Join(r.clone, "action.yml")
		writeText(t, action, strings.Replace(readText(t, action), "image: Dockerfile", "image: docker://ghcr.io/a/b@sha256:0", 1))
		releaseGit(t, r.clone, "add", "--all")
		r.commit(t, "Another image")
		releaseGit(t, r.clone, "push", "--quiet", "origin", "HEAD:refs/heads/main")
		r.refused(t, "check", "v1.2.3", "does not have the line '  image: Dockerfile' exactly once")
	})
}

// checkInspects changes what was built so that it must not be pushed.
func (r *releasing) checkInspects(t *testing.T) {
	built := *r
	for _, test := range []struct {
		name, says string
		spoil      func(t *testing.T, dist string)
	}{
		{"user", "the image for linux/amd64 does not run as root", func(t *testing.T, dist string) {
			changeImages(t, dist, func(image v1.Image) (v1.Image, error) {
				return mutate.Config(image, v1.Config{User: "nonroot"})
			})
		}},
		{"size", "bytes, compressed; at most 8000000 are allowed", func(t *testing.T, dist string) {
			noise := make([]byte, 8_000_000)
			_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
			changeImages(t, dist, func(image v1.Image) (v1.Image, error) {
				return mutate.AppendLayers(image, static.NewLayer(noise, types.OCIUncompressedLayer))
			})
		}},
		{"platform", "the image has no platform linux/arm64", func(t *testing.T, dist string) {
			changeImages(t, dist, func(image v1.Image) (v1.Image, error) {
				if config, err := image.ConfigFile(); err != nil || config.Architecture == "arm64" {
					return nil, err
				}
				return image, nil
			})
		}},
		{"binary", "the binary in the image for linux/arm64 is not the one in its archive", func(t *testing.T, dist string) {
			binary := filepath.Join(dist, "binaries", "linux", "arm64", "oci-promote")
			text := readText(t, binary)
			writeText(t, binary, text[:len(text)-1]+string(text[len(text)-1]^1))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := built
			r.dist = filepath.Join(t.TempDir(), "dist")
			if err := os.CopyFS(r.dist, os.DirFS(built.dist)); err != nil {
				t.Fatal(err)
			}
			r.must(t, "v1.1.0", "inspect")
			test.spoil(t, r.dist)
			r.refused(t, "inspect", "v1.1.0", test.says)
			r.refused(t, "push", "v1.1.0", test.says)
		})
	}
}

// changeImages replaces the built index by one of changed images; an image that f makes nil is left out.
func changeImages(t *testing.T, dist string, f func(v1.Image) (v1.Image, error)) {
	t.Helper()
	path := layout.Path(filepath.Join(dist, "image"))
	root, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := v1.NewHash(strings.TrimSpace(readText(t, filepath.Join(dist, "digest"))))
	if err != nil {
		t.Fatal(err)
	}
	built, err := root.ImageIndex(digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := built.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	changed := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, desc := range manifest.Manifests {
		image, err := built.Image(desc.Digest)
		if err == nil {
			image, err = f(image)
		}
		if err != nil {
			t.Fatal(err)
		}
		if image != nil {
			changed = mutate.AppendManifests(changed, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: desc.Platform}})
		}
	}
	if err := path.AppendIndex(changed); err != nil {
		t.Fatal(err)
	}
	digest, err = changed.Digest()
	if err != nil {
		t.Fatal(err)
	}
	writeText(t, filepath.Join(dist, "digest"), digest.String()+"\n")
}

// checkRace lets another run release v1.11.0 at the moment at which this one, of v1.10.1, pushes its tags.
func (r *releasing) checkRace(t *testing.T) {
	r.commit(t, "A fix for v1.10.1")
	releaseGit(t, r.clone, "push", "--quiet", "origin", "HEAD:refs/heads/main")
	other := releaseGit(t, r.clone, "rev-parse", "HEAD")
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := fmt.Sprintf(`#!/bin/bash
if [[ $1 == push && ! -e %[1]s/once ]]; then
  touch %[1]s/once
  for ref in v1.11.0 v1; do %[2]s -C %[3]s update-ref refs/tags/$ref %[4]s; done
fi
exec %[2]s "$@"
`, bin, real, r.remote, other)
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	got := r.run(t, "tag", "v1.10.1", "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	if got.Code != 0 || !strings.Contains(got.Stderr, "try 1 of 3") {
		t.Errorf("status %d, want a success at the second try:\n%s", got.Code, got.Stderr)
	}
	if v1 := r.tag(t, "v1"); v1 != other {
		t.Errorf("v1 is on %s, want %s of the higher version", v1, other)
	}
	if r.tag(t, "v1.10.1") == other {
		t.Errorf("v1.10.1 is on the other run's commit")
	}
}

// A registry that knows the owner only. What cannot be read is never taken for "not pushed yet".
func TestReleaseReadsWithCredentials(t *testing.T) {
	t.Parallel()
	s := registrytest.Start(t, registrytest.Options{Token: true})
	r := newReleasing(t, s, "1.2.3")
	owner := []string{"REGISTRY_USERNAME=" + s.Username, "REGISTRY_PASSWORD=" + s.Password}
	r.refused(t, "build", "v1.2.3", "reading "+s.Host+"/"+releaseImage+":v1.2.3: status 401")
	r.refused(t, "build", "v1.2.3", "reading "+s.Host+"/"+releaseImage+":v1.2.3: status 401", owner[0], "REGISTRY_PASSWORD=wrong")
	r.refused(t, "build", "v1.2.3", "reading the base image", owner...)
	s.Seed(releaseImage, "v1.2.3")
	r.refused(t, "build", "v1.2.3", "does not say on which base it was built", owner...)
	s.Intercept(registrytest.On(http.MethodGet, "/manifests/", registrytest.Status(http.StatusForbidden, nil, "{}")))
	r.refused(t, "build", "v1.2.3", "reading "+s.Host+"/"+releaseImage+":v1.2.3: status 403", owner...)
	s.Intercept(nil)

	// Nobody without credentials could run the action: it is not tagged.
	writeText(t, filepath.Join(r.dist, "digest"), s.Named(releaseImage, "v1.2.3")+"\n")
	r.refused(t, "tag", "v1.2.3", "cannot be pulled without credentials", owner...)
}

// TestReleaseDryRun is `make release-dry-run VERSION=vX.Y.Z`: a release of HEAD with all archives, to a registry and a
// remote that end with the test, and no GitHub release. What was built stays in dist/release.
func TestReleaseDryRun(t *testing.T) {
	version := os.Getenv("RELEASE_DRY_RUN")
	if version == "" {
		t.Skip("only for make release-dry-run VERSION=vX.Y.Z")
	}
	s := registrytest.Start(t, registrytest.Options{})
	dist, err := filepath.Abs("../dist/release")
	if err != nil {
		t.Fatal(err)
	}
	r := &releasing{registry: s, remote: filepath.Join(t.TempDir(), "remote.git"), clone: filepath.Join(t.TempDir(), "clone"), dist: dist}
	releaseGit(t, "", "-c", "safe.directory=*", "clone", "--quiet", "--bare", "..", r.remote)
	releaseGit(t, r.remote, "update-ref", "refs/heads/main", "HEAD")
	releaseGit(t, "", "clone", "--quiet", "--branch=main", r.remote, r.clone)
	base := os.Getenv("BASE_IMAGE")
	if base == "" {
		pushBase(t, s, "a look-alike of the base image ", "0")
		base = s.Host + "/" + releaseBase + ":latest"
		t.Log("the base image is an empty look-alike; BASE_IMAGE=gcr.io/distroless/static-debian12:latest takes the real one")
	}
	r.env = []string{"BASE_IMAGE=" + base, "PLATFORMS=", "DRY_RUN=1"}
	r.must(t, version, "check", "build", "push", "commit", "tag", "publish")
	t.Logf("dist/release has what was built; the release commit:\n%s", releaseGit(t, r.remote, "show", version))
}

// The workflow runs the steps that this file tests, in the same order, and gives no more than each job needs.
func TestReleaseWorkflow(t *testing.T) {
	var workflow struct {
		Permissions map[string]string
		Jobs        map[string]struct {
			Permissions map[string]string
			Steps       []struct {
				Uses, Run string
				With      map[string]any
			}
		}
	}
	text := readText(t, "../.github/workflows/release.yml")
	if err := yaml.Unmarshal([]byte(text), &workflow); err != nil {
		t.Fatal(err)
	}
	if len(workflow.Permissions) != 0 {
		t.Errorf("every job has the permissions %v", workflow.Permissions)
	}
	want := map[string]struct{ steps, writes string }{
		"check": {"check", ""},
		"ci":    {"", ""},
		"image": {"check build push attested", "attestations id-token packages"},
		"tag":   {"commit tag publish", "contents"},
	}
	for name, job := range workflow.Jobs {
		var steps, writes []string
		for _, step := range job.Steps {
			if found := regexp.MustCompile(`^\.github/release\.sh (\w+) "\$VERSION"$`).FindStringSubmatch(step.Run); found != nil {
				steps = append(steps, found[1])
			} else if step.Run != "" && step.Run != "bash .ci/run" {
				t.Errorf("job %s runs %q", name, step.Run)
			}
			if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != (name == "tag") {
				t.Errorf("job %s: persist-credentials is %v; only tag pushes with git", name, step.With["persist-credentials"])
			}
		}
		for scope, access := range job.Permissions {
			if access == "write" {
				writes = append(writes, scope)
			}
		}
		slices.Sort(writes)
		if got := strings.Join(steps, " "); got != want[name].steps {
			t.Errorf("job %s runs the steps %q, want %q", name, got, want[name].steps)
		}
		if got := strings.Join(writes, " "); got != want[name].writes {
			t.Errorf("job %s may write %q, want %q", name, got, want[name].writes)
		}
	}
	if len(workflow.Jobs) != len(want) {
		t.Errorf("%d jobs, want %d", len(workflow.Jobs), len(want))
	}
	for _, uses := range regexp.MustCompile(`uses: .*`).FindAllString(text, -1) {
		if !regexp.MustCompile(`^uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`).MatchString(uses) {
			t.Errorf("%q is not pinned to a commit with its version", uses)
		}
	}
}

// What the Marketplace refuses, as far as a file can tell. `make lint-action` knows its icons and colours; that nobody
// else has the name is seen when it is published.
func TestMarketplace(t *testing.T) {
	m := readActionYML(t)
	if n := len(m.Description); n == 0 || n >= 125 {
		t.Errorf("the description has %d characters, want fewer than 125: %s", n, m.Description)
	}
	files := strings.Split(releaseGit(t, "..", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"), "\n")
	actions := slices.DeleteFunc(files, func(file string) bool {
		return filepath.Base(file) != "action.yml" && filepath.Base(file) != "action.yaml"
	})
	if !slices.Equal(actions, []string{"action.yml"}) {
		t.Errorf("the repository has the actions %q, want one, at the root", actions)
	}
}
