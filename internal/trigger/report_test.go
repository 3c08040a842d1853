package trigger

import (
	"slices"
	"strings"
	"testing"
)

// Reports are the gate's own statuses, each with the artifact that its context names.
func TestReportsOnACommit(t *testing.T) {
	live := Gate{Context: []string{"kustomization", "platform-live"}}
	statuses := []Status{
		said(1, "success", "kustomization/platform/0.0.1@"+digestA),
		said(2, "success", "kustomization/platform-live/0.0.1@"+digestA),
		said(3, "failure", "Kustomization/Platform-Live/be63676c"),
		said(4, "success", "kustomization/platform-liver/0.0.1@"+digestA),
		said(5, "success", "kustomization/platform-live"),
	}
	all, err := live.Reports(statuses)
	if err != nil || len(all) != 3 {
		t.Fatalf("got %+v, %v", all, err)
	}
	for i, want := range []Report{{statuses[1], "0.0.1", digestA}, {statuses[2], "", ""}, {statuses[4], "", ""}} {
		if all[i] != want {
			t.Errorf("got %+v, want %+v", all[i], want)
		}
	}
	cut := append(slices.Clone(statuses), said(6, "success", "kustomization/platform-live/0.0.1@sha256:8ef039ee"))
	if all, err := live.Reports(cut); err == nil || !strings.Contains(err.Error(), "64 hex digits") {
		t.Errorf("a context that is cut short: %+v, %v", all, err)
	}
	if all, err := platform.Reports(cut); err != nil || len(all) != 1 {
		t.Errorf("one that is another's: %+v, %v", all, err)
	}
}

// Two gates overlap where a context can be of both, and say so in either order. What they do not overlap in, no status
// is of both.
func TestOverlaps(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"kustomization/platform", "kustomization/platform-live", false},
		{"kustomization/platform", "kustomization/platform", true},
		{"kustomization/platform", "Kustomization/PLATFORM", true},
		{"kustomization/platform", "kustomization", true},
		{"kustomization/platform", "kustomization/platform/live", true},
		{"kustomization/platform/be63676c", "kustomization/platform/0a1b2c3d", false},
		{"kustomization/platform", "live/platform", false},
	} {
		a, errA := ParseContext(test.a)
		b, errB := ParseContext(test.b)
		one, other := Gate{Context: a}, Gate{Context: b}
		if errA != nil || errB != nil || one.Overlaps(other) != test.want || other.Overlaps(one) != test.want {
			t.Errorf("%s and %s: want %v", test.a, test.b, test.want)
		}
		if one.Prefix() != test.a {
			t.Errorf("%s begins with %s", test.a, one.Prefix())
		}
		for _, context := range []string{test.a + "/x", test.b + "/x"} {
			if both := one.speaks(context) && other.speaks(context); both && !test.want {
				t.Errorf("%s is of both", context)
			}
		}
	}
	if !(Gate{Name: "platform"}).Overlaps(Gate{Context: []string{"kustomization", "platform"}}) || (Gate{Name: "platform"}).Overlaps(Gate{Name: "platform-live"}) {
		t.Error("Flux's own contexts")
	}
}
