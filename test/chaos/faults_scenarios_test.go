package chaos

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// scenario is a mode in a situation.
type scenario struct {
	name  string
	seed  string // repository to copy; empty for one that does not exist
	mode  string
	env   []string
	flags []string
	hub   bool // the run asks GitHub too, and it is GitHub that fails
	code  int  // exit status of a run that nothing disturbs

	optional string // path that is only read for the report, after all is done: the run may end well without it
	guessed  string // path that is read beside the list, and again after it where that failed

	want    outcome  // of that run
	targets []target // its requests
	idle    string   // outcome of the run after it
}

// A commit for each artifact of a longer history.
func commitOf(n int) string { return fmt.Sprintf("%07x%s", 0xc0ffee0+n, strings.Repeat("d", 33)) }

func (b *bench) scenarios(t *testing.T) []*scenario {
	t.Helper()
	dir := t.TempDir()
	programtest.Write(t, filepath.Join(dir, "app.yaml"), "commit: "+programtest.CommitA+"\n")
	into := func(seed string) string { return b.Host + "/" + seed }
	build := func(seed, commit string, n int) programtest.Artifact {
		return programtest.BuildFor(t, b.Server, commit, n, "--repository", into(seed))
	}
	tag := func(seed string, a programtest.Artifact) {
		programtest.TagOnce(t, b.Server, a.BoundStatus(t), "--repository", into(seed))
	}
	dayA, day9 := []string{programtest.DayOf(0)}, []string{programtest.DayOf(9)}
	of := func(commit string, more ...string) []string {
		return append([]string{"--path", dir, "--revision", "main@sha1:" + commit}, more...)
	}
	first := of(programtest.CommitA, "--height", "1")

	const one, two, passed, slow, promoted, long = "acme/one", "acme/two", "acme/passed", "acme/slow", "acme/promoted", "acme/long"
	// The first artifact of a history is of that commit and that content.
	programtest.BuildOn(t, b.Server, dayA, dir, programtest.CommitA, "--repository", into(one))
	a := build(two, programtest.CommitA, 0)
	build(two, programtest.CommitB, 1)
	build(passed, programtest.CommitA, 0)
	build(passed, programtest.CommitC, 2)
	build(slow, programtest.CommitC, 2)
	programtest.BuildOn(t, b.Server, day9, dir, programtest.CommitB, "--repository", into(slow), "--initial-version", "0.1.0")
	a2 := build(promoted, programtest.CommitA, 0)
	tag(promoted, a2)
	b2 := build(promoted, programtest.CommitB, 1)
	tag(promoted, b2)
	for n := range 4 {
		tag(long, build(long, commitOf(n), n))
	}
	b.hub = hub(map[string]string{programtest.CommitA: "kustomization/platform/" + a.Tag + "@" + a.Digest})
	kustomization := []string{"--kustomization", "flux-system/platform"}
	promote := append([]string{"--wait", "0s"}, kustomization...)
	const manifests = "/v2/CELL/manifests/"
	return []*scenario{
		{name: "first build", mode: "build", env: dayA, flags: first},
		{name: "build, pages of tags", mode: "build", seed: long, env: day9, flags: of(programtest.CommitC, "--height", "5")},
		{name: "build again", mode: "build", seed: one, env: dayA, flags: first},
		{name: "promotion and rescue", mode: "tag", seed: two, env: a.BoundStatus(t), flags: promote, guessed: manifests + a.Tag},
		{name: "promotion by dispatch", mode: "tag", seed: two, env: a.Dispatch(t), flags: promote, guessed: manifests + a.Tag},
		{name: "rollback", mode: "tag", seed: promoted, flags: append([]string{"--digest", a2.Digest, "--version", "next"}, promote...),
			optional: manifests + "0.0.2", guessed: manifests + a2.Digest},
		{name: "promotion again", mode: "tag", seed: promoted, env: b2.BoundStatus(t), flags: promote, guessed: manifests + b2.Tag},
		{name: "verify, healthy", mode: "verify", seed: promoted, flags: kustomization},
		{name: "verify, unhealthy", mode: "verify", seed: two, flags: kustomization, code: 1},
		{name: "prune", mode: "prune", seed: promoted, flags: []string{"--keep-stables", "1", "--keep-for", "24h", "--apply"}},
		{name: "GitHub in a build", mode: "build", seed: promoted, env: []string{programtest.DayOf(2)}, flags: of(programtest.CommitC, "--bump", "auto"), hub: true},
		{name: "GitHub in a late build", mode: "build", seed: passed, env: []string{programtest.DayOf(1)}, flags: of(programtest.CommitB), hub: true},
		{name: "GitHub in a lift", mode: "build", seed: slow, env: day9, flags: of(programtest.CommitB), hub: true},
		{name: "GitHub in a release", mode: "tag", seed: two, env: a.BoundStatus(t), flags: append([]string{"--release"}, promote...), hub: true},
		{name: "GitHub in a catch-up", mode: "tag", seed: two, flags: promote, hub: true},
		{name: "GitHub in verify", mode: "verify", seed: promoted, flags: kustomization, hub: true},
	}
}
