package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestKilledAnywhere stops a build at each of its writes, before it or after it took
// effect. One more run reaches the tags of an undisturbed build.
func TestKilledAnywhere(t *testing.T) {
	killed := errors.New("killed")
	undisturbed := newStore(t)
	mustBuild(t, buildOf(t, undisturbed, 1))
	want := tagsOf(t, undisturbed)
	for write := range len(want) {
		for _, effect := range []bool{false, true} {
			t.Run(fmt.Sprintf("write %d, took effect: %v", write, effect), func(t *testing.T) {
				s := newStore(t)
				n := 0
				s.before = func(tag string) error {
					if n++; n != write+1 {
						return nil
					}
					if effect {
						desc, err := s.Resolve(t.Context(), digestOfManifest(t, s))
						if err == nil {
							err = s.Store.Tag(t.Context(), desc, tag)
						}
						if err != nil {
							t.Error(err)
						}
					}
					return killed
				}
				if _, err := buildOf(t, s, 1).Run(t.Context()); !errors.Is(err, killed) {
					t.Fatalf("error %v, want %v", err, killed)
				}
				s.before = nil
				mustBuild(t, buildOf(t, s, 1))
				if got := tagsOf(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("tags %v, want %v", got, want)
				}
			})
		}
	}
}

// digestOfManifest is the one manifest that a store holds, tagged or not.
func digestOfManifest(t *testing.T, s *hooked) string {
	t.Helper()
	b := buildOf(t, newStore(t), 1)
	b.DryRun = true
	r := mustBuild(t, b)
	if _, err := s.Resolve(t.Context(), r.Digest.String()); err != nil && !strings.Contains(err.Error(), "not found") {
		t.Fatal(err)
	}
	return r.Digest.String()
}
