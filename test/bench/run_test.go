package bench

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// repository is one that has builds already: commit 1 is 0.0.1-rc.1 and live as 0.0.1, commit 2 is 0.0.2-rc.2. The next
// number is 3, be it the height of the commit or the highest number plus one.
const (
	repository = "acme/fleet"
	source     = "https://github.com/acme/fleet"
	waiting    = "0.0.2-rc.2"
	following  = "0.0.2-rc.3"
)

func commit(n int) string { return strings.Repeat(fmt.Sprintf("%08x", 0xa0000000+n<<12), 5) }

// bench is a registry, with a repository as above, and what a script needs to know of it.
type bench struct {
	server *registrytest.Server
	home   []string
	n      int               // repositories and contents made
	next   map[string]string // by repository of history: the candidate that is next
}

// asGHCR pages as ghcr.io does (docs/facts.md 11).
var asGHCR = registrytest.Options{DefaultPage: 100}

// pages are how the registries page that are polled: as ghcr.io does, and 100 tags whatever is asked for.
var pages = map[string]registrytest.Options{"Poll1000": asGHCR, "Poll100": {PageSize: 100}}

// open starts a registry with token authentication, that pages as ghcr.io does.
func open(t testing.TB) *bench {
	t.Helper()
	return paging(t, asGHCR)
}

// paging starts a registry with token authentication, that pages so.
func paging(t testing.TB, o registrytest.Options) *bench {
	t.Helper()
	o.Token = true
	s := registrytest.Start(t, o)
	b := &bench{server: s, home: home(t, s, s.Host), next: map[string]string{}}
	b.build(t, repository, 1)
	b.promote(repository, Ours, 1, status(t, s, 1, "0.0.1-rc.1")).run(t)
	b.build(t, repository, 2)
	if n := len(s.Tags(repository)); n != 8 || s.Named(repository, waiting) == "" {
		t.Fatalf("the repository to begin with: %v", s.Tags(repository))
	}
	return b
}

// fresh gives a copy of the repository.
func (b *bench) fresh() string {
	b.n++
	repo := fmt.Sprintf("acme/fleet-%d", b.n)
	b.server.Copy(repository, repo)
	return repo
}

func (b *bench) job(script, repo string, n int, more ...string) job {
	return job{script, append(append([]string{
		"REPO=" + b.server.Host + "/" + repo, "COMMIT=" + commit(n), fmt.Sprint("HEIGHT=", n), "SOURCE=" + source, "OUT=" + filepath.Join(place, "out"),
		fmt.Sprint("SOURCE_DATE_EPOCH=", 1767225600+86400*n), "TREE=../../testdata/platform",
	}, b.home...), more...)}
}

// build is a build by us of the n-th commit, whose content is its number.
func (b *bench) build(t testing.TB, repo string, n int) cost {
	t.Helper()
	return b.job("testdata/Build/oci-promote.sh", repo, n, content(t, n)).run(t)
}

// content is a tree that holds a number.
func content(t testing.TB, n int) string {
	t.Helper()
	tree := t.TempDir()
	if err := os.WriteFile(filepath.Join(tree, "app.yaml"), fmt.Appendf(nil, "replicas: %d\n", n), 0o600); err != nil {
		t.Fatal(err)
	}
	return "TREE=" + tree
}

func (b *bench) promote(repo, tool string, n int, more []string) job {
	return b.job("testdata/Promote/"+tool+".sh", repo, n, more...)
}

// status is the event of a commit status that names what the tag names, or with "" no more than the n-th commit. The event
// is one that GitHub really sent.
func status(t testing.TB, s *registrytest.Server, n int, tag string) []string {
	t.Helper()
	context := "kustomization/platform/be63676c"
	env := []string{"GITHUB_EVENT_NAME=status"}
	if tag != "" {
		context = "kustomization/platform/" + tag + "@" + s.Named(repository, tag)
		env = append(env, "DIGEST="+s.Named(repository, tag))
	}
	event := map[string]any{}
	text, err := os.ReadFile("../../internal/trigger/testdata/status.success.json")
	if err == nil {
		err = json.Unmarshal(text, &event)
	}
	event["sha"], event["context"], event["state"] = commit(n), context, "success"
	path := filepath.Join(t.TempDir(), "event.json")
	if err == nil {
		text, err = json.Marshal(event)
	}
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return append(env, "GITHUB_EVENT_PATH="+path)
}

// check fails the test unless all the tags name the digest; "" is any but the one that was there before.
func (b *bench) check(t testing.TB, repo, digest string, tags ...string) {
	t.Helper()
	all := b.server.Tags(repo)
	if digest == "" && all[tags[0]] != b.server.Named(repository, waiting) {
		digest = all[tags[0]]
	}
	for _, tag := range tags {
		if all[tag] != digest || digest == "" {
			t.Fatalf("%s of %s names %q, want %q, as all of %q", tag, repo, all[tag], digest, tags)
		}
	}
	if want := len(b.server.Tags(repository)) + len(tags); len(all) != want {
		t.Fatalf("%s has %d tags, want %d", repo, len(all), want)
	}
}

// one runs a work once, where it writes on a repository of its own, and looks whether it is done.
func (b *bench) one(t testing.TB, work, size, tool string) cost {
	t.Helper()
	switch work {
	case "Build":
		return b.third(t, tool)
	case "BuildAgain":
		return b.again(t, tool)
	case "Build10000":
		return b.amongMany(t, tool)
	case "Find":
		return b.find(t, tool, size)
	}
	repo := b.fresh()
	b.server.Reset()
	tag := waiting
	if work == "PromoteCommit" {
		tag = ""
	}
	j := b.promote(repo, tool, 2, status(t, b.server, 2, tag))
	c := j.run(t)
	b.check(t, repo, b.server.Named(repository, waiting), "validated-"+commit(2)[:7], "0.0.2")
	return c
}

// third builds commit 3.
func (b *bench) third(t testing.TB, tool string) cost {
	t.Helper()
	repo := b.fresh()
	b.server.Reset()
	c := b.job("testdata/Build/"+tool+".sh", repo, 3).run(t)
	b.check(t, repo, "", "sha-"+commit(3)[:7], following, "integration-"+commit(3)[:7])
	return c
}

// amongMany builds commit 3 in a repository of 10,000 tags, with content that is new each time. A copy of so many tags would
// take seconds: all runs get the same repository, and none finds what the one before it wrote.
func (b *bench) amongMany(t testing.TB, tool string) cost {
	t.Helper()
	repo, next := b.history(t, "10000")
	tags := []string{"sha-" + commit(3)[:7], next, "integration-" + commit(3)[:7]}
	defer b.server.Untag(repo, tags...)
	b.n++
	b.server.Reset()
	c := b.job("testdata/Build/"+tool+".sh", repo, 3, content(t, b.n+3)).run(t)
	for _, tag := range tags {
		if digest := b.server.Named(repo, tag); digest == "" || digest != b.server.Named(repo, next) {
			t.Fatalf("%s of %s names %q", tag, repo, digest)
		}
	}
	return c
}

// again builds commit 3 a second time, as GitHub runs a job again.
func (b *bench) again(t testing.TB, tool string) cost {
	t.Helper()
	repo := b.fresh()
	j := b.job("testdata/Build/"+tool+".sh", repo, 3)
	j.run(t)
	tags := b.server.Tags(repo)
	b.server.Reset()
	j.env = append(j.env, "GITHUB_RUN_ATTEMPT=2")
	c := j.run(t)
	if now := b.server.Tags(repo); !maps.Equal(now, tags) || now[following] == "" {
		t.Fatalf("%s has %v after the second build, and %v before", repo, now, tags)
	}
	return c
}

// history makes a repository with so many tags, once: those of releases, and on top of them a candidate that we built. It gives
// the candidate that is next.
func (b *bench) history(t testing.TB, tags string) (repo, next string) {
	t.Helper()
	repo = "acme/history-" + tags
	if next, made := b.next[repo]; made {
		return repo, next
	}
	size, err := strconv.Atoi(tags)
	if err != nil {
		t.Fatal(err)
	}
	b.server.Copy(repository, repo) // an artifact of ours, under the tags of all releases
	live := digest.Digest(b.server.Named(repo, "0.0.1"))
	b.server.Untag(repo, slices.Collect(maps.Keys(b.server.Tags(repo)))...)
	b.server.Retag(repo, live, releases(size-3)...)
	said := b.build(t, repo, 2).stdout
	found := regexp.MustCompile(`created (\S+-rc\.)([0-9]+)\n`).FindStringSubmatch(said)
	if found == nil || len(b.server.Tags(repo)) != size {
		t.Fatalf("no candidate, or not %d tags: %s", size, said)
	}
	n, err := strconv.Atoi(found[2])
	if err != nil {
		t.Fatal(err)
	}
	b.next[repo] = found[1] + strconv.Itoa(n+1)
	return repo, b.next[repo]
}

// releases are the first tags of a long history.
func releases(size int) []string {
	var tags []string
	for i := 1; len(tags) < size; i++ {
		digits := fmt.Sprintf("%07x", i)
		version := fmt.Sprintf("0.0.%d", i)
		tags = append(tags, "sha-"+digits, version+"-rc.1", "integration-"+digits, "validated-"+digits, version)
	}
	return tags[:size]
}

// find asks for the next version among so many tags.
func (b *bench) find(t testing.TB, tool, tags string) cost {
	t.Helper()
	repo, next := b.history(t, tags)
	b.server.Reset()
	c := b.job("testdata/Find/"+tool+".sh", repo, 3).run(t)
	if !strings.Contains(c.stdout, next) {
		t.Fatalf("%s says %s, want %s", tool, c.stdout, next)
	}
	return c
}

// poll asks what source-controller asks at each interval, among so many tags: it selects the candidate on top of them.
func (b *bench) poll(t testing.TB, tags string) cost {
	t.Helper()
	repo, _ := b.history(t, tags)
	b.server.Reset()
	c := b.job("testdata/Poll/"+Poller+".sh", repo, 3).run(t)
	tag, digest, _ := strings.Cut(strings.TrimSpace(c.stdout), "@")
	newest := b.server.Named(repo, "integration-"+commit(2)[:7])
	if digest != newest || b.server.Named(repo, tag) != newest {
		t.Fatalf("%s selects %q, want the candidate of %s", Poller, c.stdout, newest)
	}
	return c
}

// installed is whether a contender is there; Before is built where it can be.
func installed(t testing.TB, tool string) bool {
	t.Helper()
	if tool == Before {
		there, err := linkBefore()
		if err != nil {
			t.Fatal(err)
		}
		return there
	}
	if _, archiver, found := strings.Cut(tool, "tar-"); found {
		tool = archiver
	}
	_, err := exec.LookPath(tool)
	return err == nil
}
