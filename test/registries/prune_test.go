package registries

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// pruning: what a registry deletes is gone with its tags, and what stays is as it was. One that refuses, or takes a deletion and
// names the tags all the same, is asked once, and the run says so.
func pruning(t *testing.T, w world) {
	w.ready()
	for n, commit := range []string{a, b, c} {
		built := w.build(t, commit, n)
		base, _, _ := strings.Cut(built.Tag, "-")
		w.tag(t, "promoted", base, built, built.BoundStatus(t))
	}
	before := w.tags()
	flags := []string{"--keep-stables", "1", "--keep-for", "24h", "--retry-for", "0s"}
	w.Reset()
	r := w.run(t, nil, "prune", flags...)
	if r.Code != 0 || !strings.Contains(r.Stdout, "2 artifacts of 3 would go") || !maps.Equal(before, w.tags()) {
		t.Fatalf("the plan: exit status %d\n%s%s\n%s", r.Code, r.Stdout, r.Stderr, w.RequestLog())
	}
	checkDeletesNothing(t, w)
	r = w.run(t, nil, "prune", append(flags, "--apply")...)
	kept := maps.Clone(before)
	maps.DeleteFunc(kept, func(_, digest string) bool { return digest != before["0.0.3"] })
	w.expect(t, kept)
	asked := 0
	for _, r := range w.Requests() {
		if r.Method == http.MethodDelete && r.Status != http.StatusUnauthorized {
			asked++
		}
	}
	fails := func(because string) {
		if r.Code != 1 || !strings.Contains(r.Stderr, because) || asked != 1 {
			t.Errorf("exit status %d after %d deletions, want 1 after 1, for %q\n%s%s\n%s", r.Code, asked, because, r.Stdout, r.Stderr, w.RequestLog())
		}
	}
	switch w.deletion {
	case refuses:
		fails("oci-promote: deleting 0.0.1 (" + before["0.0.1"] + ") of ")
		if now := w.tags(); !maps.Equal(now, before) {
			t.Errorf("it has %v, want %v", now, before)
		}
	case keepsTags:
		fails("and lists it on")
	default:
		if now := w.tags(); r.Code != 0 || asked != 2 || !maps.Equal(now, kept) {
			t.Errorf("exit status %d after %d deletions; it has %v, want %v\n%s%s", r.Code, asked, now, kept, r.Stdout, r.Stderr)
		}
		if r := w.run(t, nil, "verify", "--retry-for", "0s", "--max-age", "1000000h"); r.Code != 0 || strings.Contains(r.Stdout+r.Stderr, "warning") {
			t.Errorf("verify: exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
		}
	}
}

// TestPruneAfterACutDeletion: tags that a killed run has left on Distribution hold up no later one, which tells of them.
func TestPruneAfterACutDeletion(t *testing.T) {
	w := distribution("", registrytest.Options{}).start(t)
	for n, commit := range []string{a, b, c} {
		built := w.build(t, commit, n)
		base, _, _ := strings.Cut(built.Tag, "-")
		w.tag(t, "promoted", base, built, built.BoundStatus(t))
	}
	before := w.tags()
	w.CutOff(programtest.Fleet, before["0.0.1"])
	r := w.run(t, nil, "prune", "--keep-stables", "1", "--keep-for", "24h", "--retry-for", "0s", "--apply")
	if r.Code != 0 || !strings.Contains(r.Stdout, "1 artifact deleted, 1 kept") || !strings.Contains(r.Stderr, `lists tags that name nothing (5, such as "0.0.1")`) {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Stdout, r.Stderr)
	}
	w.expect(t, map[string]string{"0.0.1": before["0.0.1"], "0.0.2": "", "0.0.3": before["0.0.3"]})
}
