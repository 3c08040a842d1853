package trigger

import (
	"strings"
	"testing"
)

// A status that cannot be understood is an error that names the field, also one that would
// have proven nothing.
func TestReadStatusUnreadable(t *testing.T) {
	tests := []struct {
		name, field string
		value       any
		want        string
	}{
		{"no sha", "sha", absent{}, `sha "" is not a commit of 40 hex digits`},
		{"sha is null", "sha", nil, `sha ""`},
		{"a short sha", "sha", commit[:7], `sha "5b9d4b6" is not`},
		{"a sha of 41 digits", "sha", commit + "0", "sha "},
		{"a sha in upper case", "sha", strings.ToUpper(commit), "sha "},
		{"a sha with a line break", "sha", commit + "\n", "sha "},
		{"a sha that is a command", "sha", "\n::error::x", `sha "\n::error::x"`},
		{"sha as a number", "sha", 5, "sha is a JSON number"},
		{"sha as an object", "sha", map[string]any{"sha": commit}, "sha is a JSON object"},
		{"no state", "state", absent{}, "state is missing"},
		{"state is null", "state", nil, "state is missing"},
		{"an empty state", "state", "", "state is missing"},
		{"state as a boolean", "state", true, "state is a JSON bool"},
		{"state as a list", "state", []string{"success"}, "state is a JSON array"},
		{"no context", "context", absent{}, "context is missing"},
		{"context is null", "context", nil, "context is missing"},
		{"an empty context", "context", "", "context is missing"},
		{"context as a number", "context", 1, "context is a JSON number"},
		{"description as a number", "description", 1, "description is a JSON number"},
	}
	for _, file := range []string{"status.success.json", "status.failure.json"} {
		for _, test := range tests {
			t.Run(test.name+" in "+file, func(t *testing.T) {
				got, err := platform.Read(StatusEvent, edited(t, file, test.field, test.value))
				wantError(t, got, err, "reading the event: "+test.want)
			})
		}
	}
}

// A description may be missing: GitHub's is then null. Flux's never is, so that it proves nothing.
func TestReadStatusWithoutDescription(t *testing.T) {
	for _, value := range []any{nil, "", absent{}} {
		got, err := platform.Read(StatusEvent, edited(t, "status.success.json", "description", value))
		wantVerdict(t, got, err, Proof{}, `is success and says ""`)
		got, err = platform.Read(StatusEvent, edited(t, "status.failure.json", "description", value))
		wantVerdict(t, got, err, Proof{}, "is failure")
	}
}

// An event that is cut anywhere is an error.
func TestReadCutShort(t *testing.T) {
	for event, file := range map[string]string{
		StatusEvent:   "status.success-with-revision-in-context.json",
		DispatchEvent: "repository_dispatch.kustomization-health-check-passed.json",
	} {
		whole := []byte(strings.TrimSpace(string(recorded(t, file))))
		for n := len(whole) - 1; n >= 0; n -= 41 {
			got, err := platform.Read(event, whole[:n])
			wantError(t, got, err, "reading the event: ")
		}
	}
}

// Without a Kustomization to compare it with, a status is an error that shows its context,
// whatever its state, and also where status-context is set.
func TestReadStatusWithoutKustomization(t *testing.T) {
	for _, gate := range []Gate{{}, {Namespace: "flux-system"}, {Context: []string{"kustomization", "platform"}}} {
		got, err := gate.Read(StatusEvent, recorded(t, "status.success.json"))
		wantNoGate(t, got, err, `the commit status "kustomization/platform/be63676c"`)
		got, err = gate.Read(StatusEvent, recorded(t, "status.failure.json"))
		wantNoGate(t, got, err, `the commit status "kustomization/platform/3d3388a1"`)
		got, err = gate.Read(StatusEvent, status(t, commit, "success", "kustomization/x\n::error::y", ""))
		wantNoGate(t, got, err, `the commit status "kustomization/x\n::error::y"`)
	}
}
