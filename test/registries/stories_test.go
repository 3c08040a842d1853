package registries

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// stories are what a registry must let the program do. Each has a registry of its own, without anything in it.
var stories = []struct {
	name string
	tell func(t *testing.T, w world)
}{
	{"first build", firstBuild},
	{"repeat", repeat},
	{"2,500 tags", manyTags},
	{"full page", fullPage},
	{"promotion", promotion},
	{"rescue", rescue},
	{"rollback", rollback},
	{"verify", verify},
	{"moved tag", movedTag},
	{"all tags stay", allTagsStay},
	{"prune", pruning},
}

func TestStories(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			for _, story := range stories {
				t.Run(story.name, func(t *testing.T) {
					w := k.start(t)
					story.tell(t, w)
					if story.name != "prune" {
						checkDeletesNothing(t, w)
					}
				})
			}
		})
	}
}

// The contents of three commits; the n-th is of the day n.
const (
	a = programtest.CommitA
	b = programtest.CommitB
	c = programtest.CommitC
)

// ready makes the repository where that is its owner's to do.
func (w world) ready() world {
	if w.create != nil {
		w.create()
	}
	return w
}

// build builds a commit that n others lead to. The first one of a registry says what it must.
func (w world) build(t *testing.T, commit string, n int) programtest.Artifact {
	t.Helper()
	flags := []string{"--retry-for", "0s"}
	if len(w.tags()) == 0 {
		flags = append(flags, w.first...)
	}
	return programtest.BuildFor(t, w.Server, commit, n, flags...)
}

// run runs a mode on the repository, whatever comes of it.
func (w world) run(t *testing.T, env []string, mode string, flags ...string) programtest.Result {
	t.Helper()
	args := append([]string{mode, "--plain-http", "--repository", w.Host + "/" + programtest.Fleet, "--username", w.Username}, flags...)
	return programtest.Run(t, append([]string{"OCI_PROMOTE_PASSWORD=" + w.Password}, env...), args...)
}

// tag runs mode tag, and fails the test unless it ends as expected, with the version and of the artifact.
func (w world) tag(t *testing.T, outcome, version string, of programtest.Artifact, env []string, flags ...string) programtest.TagReport {
	t.Helper()
	r := programtest.TagOnce(t, w.Server, env, flags...)
	if r.Outcome != outcome || r.Version != version || r.Digest != of.Digest {
		t.Errorf("outcome %q, version %q of %s; want %q, %q of %s\n%s\n%s", r.Outcome, r.Version, r.Digest, outcome, version, of.Digest, r.Log, w.RequestLog())
	}
	return r
}

// expect compares some of the tags, "" being none.
func (w world) expect(t *testing.T, want map[string]string) {
	t.Helper()
	got := w.tags()
	for _, tag := range slices.Sorted(maps.Keys(want)) {
		if got[tag] != want[tag] {
			t.Errorf("%s names %q, want %q", tag, got[tag], want[tag])
		}
	}
}

func checkDeletesNothing(t *testing.T, w world) {
	t.Helper()
	for _, r := range w.Requests() {
		if r.Method == http.MethodDelete && !strings.Contains(r.Path, "/blobs/uploads/") {
			t.Errorf("%s: nothing is ever deleted", r)
		}
	}
}

// manifestWrites are the writes of manifests since the last reset.
func (w world) manifestWrites() (written []registrytest.Request) {
	for _, r := range w.Requests() {
		if r.Method == http.MethodPut && strings.Contains(r.Path, "/manifests/") {
			written = append(written, r)
		}
	}
	return written
}

// firstBuild: nothing is taken for an empty repository but what the registry says of one that was never pushed to, and the
// first push makes it where it can. Where it cannot, the run says to create it, and has written nothing.
func firstBuild(t *testing.T, w world) {
	dir := t.TempDir()
	programtest.Write(t, dir+"/app.yaml", "commit: a\n")
	args := func(flags ...string) []string {
		return append([]string{"--path", dir, "--revision", "main@sha1:" + a, "--height", "1", "--retry-for", "0s"}, flags...)
	}
	if r := w.run(t, nil, "verify", "--retry-for", "0s"); r.Code == 0 {
		t.Errorf("verify is content with a repository that does not exist:\n%s%s", r.Stdout, r.Stderr)
	}
	if w.create != nil {
		r := w.run(t, nil, "build", args(w.first...)...)
		if r.Code == 0 || !strings.Contains(strings.ToLower(r.Stderr), "create") {
			t.Errorf("exit status %d, want 1 and the word to create the repository:\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
		if len(w.manifestWrites()) > 0 {
			t.Errorf("manifests were sent:\n%s", w.RequestLog())
		}
		w.create()
	}
	if len(w.first) > 0 {
		if r := w.run(t, nil, "build", args()...); r.Code == 0 || !strings.Contains(r.Stderr, "first-build") {
			t.Errorf("exit status %d, want 1 and the word first-build:\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
	}
	built := w.build(t, a, 0)
	if built.Tag != "0.0.1-rc.1" {
		t.Errorf("candidate %q, want 0.0.1-rc.1", built.Tag)
	}
	w.expect(t, map[string]string{
		"0.0.1-rc.1": built.Digest, "sha-" + a[:7]: built.Digest, "integration-" + a[:7]: built.Digest, "0.0.1": "",
	})
	if body := w.manifest(built.Tag); digest.FromBytes(body).String() != built.Digest {
		t.Errorf("the candidate's manifest is %s", body)
	}
}

// repeat: the same build again finds everything done, and writes no tag.
func repeat(t *testing.T, w world) {
	first := w.ready().build(t, a, 0)
	for _, attempt := range []string{"", "GITHUB_RUN_ATTEMPT=2"} {
		w.Reset()
		dir := t.TempDir()
		programtest.Write(t, dir+"/app.yaml", "commit: "+a+"\n")
		r := w.run(t, []string{programtest.DayOf(0), attempt}, "build", "--path", dir, "--revision", "main@sha1:"+a, "--height", "1", "--retry-for", "0s")
		if r.Code != 0 || !strings.HasPrefix(r.Stdout, "build: unchanged 0.0.1-rc.1\n") || !strings.Contains(r.Stdout, first.Digest) {
			t.Errorf("%q: exit status %d\n%s%s", attempt, r.Code, r.Stdout, r.Stderr)
		}
		if writes := w.manifestWrites(); len(writes) > 0 {
			t.Errorf("%q writes %v", attempt, writes)
		}
	}
}

// history gives the repository n commits, each of which was promoted, with three tags or what more there must be, and gives the
// number of tags. The highest version is behind the first thousand tags, and behind the first hundred, in any order that has a page.
func (w world) history(t *testing.T, tags int) (commits int) {
	t.Helper()
	model := w.ready().build(t, strings.Repeat("f", 40), 0)
	commits = (tags - len(w.tags())) / 3
	for i, d := range programtest.Descendants(t, model, w.manifest(model.Tag), commits) {
		n := i + 2
		w.put(d.Manifest, fmt.Sprintf("0.0.%d-rc.%d", n, n), fmt.Sprintf("0.0.%d", n), "sha-"+d.Commit[:7])
	}
	last := w.manifest(fmt.Sprintf("0.0.%d", commits+1))
	for i := len(w.tags()); i < tags; i++ {
		w.put(last, fmt.Sprintf("foreign-%d", i))
	}
	return commits + 1 // with the model
}

// manyTags: a build numbers above all, a promotion goes above the highest, verify knows what live has, however many pages the
// list has; and each of them has seen every tag.
func manyTags(t *testing.T, w world) {
	const tags = 2500
	commits := w.history(t, tags)
	if got := len(w.tags()); got != tags {
		t.Fatalf("%d tags, want %d", got, tags)
	}
	next := fmt.Sprintf("0.0.%d", commits+1)
	seen := w.watch()
	built := w.build(t, b, commits)
	if want := fmt.Sprintf("%s-rc.%d", next, commits+1); built.Tag != want {
		t.Errorf("the build is %s, want %s", built.Tag, want)
	}
	seen.expect(t, w, "the build", tags)
	w.tag(t, "promoted", next, built, built.BoundStatus(t))
	seen.expect(t, w, "the promotion", tags+3)
	r := w.run(t, nil, "verify", "--retry-for", "0s")
	if r.Code != 0 || !strings.HasPrefix(r.Stdout, "verify: healthy, live selects "+next+"\n") {
		t.Errorf("verify: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	seen.expect(t, w, "verify", tags+5)
}

// fullPage: a list that is exactly as long as what is asked for is not taken for longer, nor for one that was cut.
func fullPage(t *testing.T, w world) {
	const tags = 1000
	commits := w.history(t, tags)
	built := w.build(t, b, commits)
	if want := fmt.Sprintf("0.0.%d-rc.%d", commits+1, commits+1); built.Tag != want || len(w.tags()) != tags+3 {
		t.Errorf("the build is %s, want %s; %d tags\n%s", built.Tag, want, len(w.tags()), w.RequestLog())
	}
}

// promotion: what integration validated gets its version, by digest, once.
func promotion(t *testing.T, w world) {
	built := w.ready().build(t, a, 0)
	w.tag(t, "promoted", "0.0.1", built, built.BoundStatus(t))
	want := map[string]string{"0.0.1-rc.1": built.Digest, "0.0.1": built.Digest, "validated-" + a[:7]: built.Digest}
	w.expect(t, want)
	w.Reset()
	w.tag(t, "unchanged", "0.0.1", built, built.BoundStatus(t))
	if writes := w.manifestWrites(); len(writes) > 0 {
		t.Errorf("the event again writes %v", writes)
	}
	w.expect(t, want)
	w.tag(t, "unchanged", "0.0.1", built, built.PlainStatus(t))
	w.tag(t, "unchanged", "0.0.1", built, built.Dispatch(t))
}

// rescue: a candidate that a promotion passed gets a new number above it.
func rescue(t *testing.T, w world) {
	first, second := w.ready().build(t, a, 0), w.build(t, b, 1)
	r := w.tag(t, "promoted", "0.0.1", first, first.BoundStatus(t))
	if len(r.Rescued) != 1 || r.Rescued[0].Candidate != "0.0.2-rc.2" || r.Rescued[0].Digest != second.Digest {
		t.Errorf("rescued %+v", r.Rescued)
	}
	w.expect(t, map[string]string{"0.0.1": first.Digest, "0.0.1-rc.2": second.Digest, "0.0.2-rc.2": second.Digest})
	second.Tag = "0.0.2-rc.2"
	w.tag(t, "promoted", "0.0.2", second, second.BoundStatus(t))
}

// rollback: live goes back by a higher version of what it had, and no late event undoes that.
func rollback(t *testing.T, w world) {
	first := w.ready().build(t, a, 0)
	w.tag(t, "promoted", "0.0.1", first, first.BoundStatus(t))
	second := w.build(t, b, 1)
	w.tag(t, "promoted", "0.0.2", second, second.BoundStatus(t))
	third := w.build(t, c, 2)
	w.tag(t, "promoted", "0.0.4", first, nil, "--digest", first.Digest, "--version", "next")
	w.expect(t, map[string]string{"0.0.1": first.Digest, "0.0.2": second.Digest, "0.0.3": "", "0.0.4": first.Digest})
	w.Reset()
	if r := programtest.TagOnce(t, w.Server, third.BoundStatus(t)); r.Outcome != "superseded" {
		t.Errorf("the event of what is held back: %s", r.Log)
	}
	if writes := w.manifestWrites(); len(writes) > 0 {
		t.Errorf("it writes %v", writes)
	}
}

// verify: the whole path is seen, with the blobs; nothing is written.
func verify(t *testing.T, w world) {
	first := w.ready().build(t, a, 0)
	second := w.build(t, b, 1)
	w.tag(t, "promoted", "0.0.1", second, second.BoundStatus(t))
	w.Reset()
	for _, commit := range []string{"", second.Commit} {
		flags := []string{"--retry-for", "0s"}
		if commit != "" {
			flags = append(flags, "--artifact-sha", commit)
		}
		r := w.run(t, nil, "verify", flags...)
		if r.Code != 0 || !strings.HasPrefix(r.Stdout, "verify: healthy, live selects 0.0.1\n") || strings.Contains(r.Stdout+r.Stderr, "warning") {
			t.Errorf("%q: exit status %d\n%s%s", commit, r.Code, r.Stdout, r.Stderr)
		}
	}
	r := w.run(t, nil, "verify", "--retry-for", "0s", "--artifact-sha", c)
	if r.Code == 0 || !strings.Contains(r.Stdout, "not-built") {
		t.Errorf("of a commit that was not built: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	for _, r := range w.Requests() {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			t.Errorf("verify asks %s", r)
		}
	}
	w.expect(t, map[string]string{"0.0.1-rc.1": first.Digest, "0.0.1": second.Digest})
}
