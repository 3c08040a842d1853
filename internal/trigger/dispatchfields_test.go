package trigger

import (
	"strings"
	"testing"
)

// An event that lacks what each of Flux's has, or has it in another type, is an error that
// names the field, even if it could prove nothing.
func TestReadDispatchFields(t *testing.T) {
	tests := []struct {
		field    string
		required bool
	}{
		{"client_payload", true},
		{"client_payload.involvedObject", true},
		{"client_payload.involvedObject.kind", true},
		{"client_payload.involvedObject.name", true},
		{"client_payload.involvedObject.namespace", true},
		{"client_payload.involvedObject.apiVersion", false},
		{"client_payload.severity", true},
		{"client_payload.reason", true},
		{"client_payload.message", true},
		{"client_payload.metadata", false},
		{"client_payload.metadata.revision", false},
	}
	for _, file := range []string{healthy, "repository_dispatch.ocirepository-new-artifact.json"} {
		for _, test := range tests {
			t.Run(test.field+" in "+file, func(t *testing.T) {
				for value, kind := range map[any]string{5: "number", true: "bool", [1]int{}: "array"} {
					got, err := platform.Read(DispatchEvent, edited(t, file, test.field, value))
					wantError(t, got, err, "reading the event: "+test.field+" is a JSON "+kind)
				}
				if !test.required {
					return
				}
				for _, value := range []any{absent{}, nil} {
					got, err := platform.Read(DispatchEvent, edited(t, file, test.field, value))
					wantError(t, got, err, "reading the event: "+test.field)
					wantError(t, got, err, " is missing: expected an event of Flux's provider githubdispatch")
				}
			})
		}
	}
	for _, field := range []string{"involvedObject.kind", "involvedObject.name", "involvedObject.namespace", "severity", "reason", "message"} {
		got, err := platform.Read(DispatchEvent, dispatch(t, field, ""))
		wantError(t, got, err, "client_payload."+field+" is missing")
	}
}

// The revision names the artifact, and so its form is Flux's to the letter.
func TestReadDispatchRevision(t *testing.T) {
	const field = "metadata.revision"
	for _, value := range []any{
		absent{}, nil, "", "0.0.1-rc.1", digestA, "@" + digestA, "0.0.1+b@" + digestA, "-1@" + digestA,
		revision1[:len(revision1)-1], revision1 + "0", revision1 + "\n", "\n" + revision1, " " + revision1,
		"0.0.1@SHA256:" + hexA, "0.0.1@sha256:" + strings.ToUpper(hexA), "0.0.1@sha512:" + hexA + hexA,
		"staging/" + revision1, strings.Repeat("v", 129) + "@" + digestA,
		"main@sha1:" + commit, "main/" + commit, // a GitRepository's
	} {
		got, err := platform.Read(DispatchEvent, dispatch(t, field, value))
		wantError(t, got, err, "reading the event: client_payload."+field+" ")
		wantError(t, got, err, "is the Kustomization's source the OCIRepository?")
	}
	got, err := platform.Read(DispatchEvent, dispatch(t, field, "main@sha1:"+commit))
	wantError(t, got, err, `"main@sha1:`+commit+`" is not <tag>@sha256:<64 hex digits>`)
	got, err = platform.Read(DispatchEvent, dispatch(t, field, "_X.y-2@"+digestA))
	wantVerdict(t, got, err, Proof{commit, digestA, "_X.y-2"}, "Health check passed")
}

// The origin is the commit. An artifact without one is proven by its digest alone; one that
// cannot be read is an error.
func TestReadDispatchOrigin(t *testing.T) {
	const field = "metadata.originRevision"
	for _, value := range []any{absent{}, nil, ""} {
		got, err := platform.Read(DispatchEvent, dispatch(t, field, value))
		wantVerdict(t, got, err, Proof{Digest: digestA, Tag: "0.0.1-rc.1"}, "Health check passed")
	}
	for _, value := range []string{
		"main@sha1:" + commit, "feature/x@sha1:" + commit, "v1.2.3@sha1:" + commit, "größe@sha1:" + commit,
		"refs/pull/1/merge@sha1:" + commit, "a@b@sha1:" + commit, "main@sha1:" + id + "@sha1:" + commit,
	} {
		got, err := platform.Read(DispatchEvent, dispatch(t, field, value))
		wantVerdict(t, got, err, Proof{commit, digestA, "0.0.1-rc.1"}, "Health check passed")
	}
	for _, value := range []string{
		commit, "sha1:" + commit, "@sha1:" + commit, "main", "main/" + commit, "main@" + commit, "main@sha1:", "main@sha1:" + commit[:7],
		"main@sha1:" + commit + "0", "main@sha1:" + strings.ToUpper(commit), "main@SHA1:" + commit, "main@sha256:" + hexA,
		"main@sha1:" + commit + "\n", "\nmain@sha1:" + commit, "ma in@sha1:" + commit, "ma\x7fin@sha1:" + commit,
	} {
		got, err := platform.Read(DispatchEvent, dispatch(t, field, value))
		wantError(t, got, err, "reading the event: client_payload."+field+" ")
		wantError(t, got, err, "is not <branch>@sha1:<40 hex digits>")
	}
	got, err := platform.Read(DispatchEvent, dispatch(t, field, 5))
	wantError(t, got, err, "client_payload."+field+" is a JSON number")
}

// What proves nothing need not name an artifact: an event of a Kustomization whose source is
// a GitRepository, say.
func TestReadDispatchIgnoresRevision(t *testing.T) {
	for _, gate := range []Gate{platform, {Name: "other"}} {
		event := edited(t, "repository_dispatch.kustomization-applied.json", "client_payload.metadata", map[string]any{"revision": "main@sha1:" + commit})
		got, err := gate.Read(DispatchEvent, event)
		wantVerdict(t, got, err, Proof{}, "Kustomization flux-system/platform")
	}
}

// Without a Kustomization to compare it with, an event is an error that shows its object,
// whatever it reports.
func TestReadDispatchWithoutKustomization(t *testing.T) {
	for _, gate := range []Gate{{}, {Namespace: "flux-system"}, {Context: []string{"kustomization", "platform"}}} {
		for file, arrived := range map[string]string{
			healthy: "an event of Kustomization flux-system/platform",
			"repository_dispatch.kustomization-applied.json":      "an event of Kustomization flux-system/platform",
			"repository_dispatch.gate-kustomization-applied.json": "an event of Kustomization flux-system/validated",
			"repository_dispatch.ocirepository-new-artifact.json": "an event of OCIRepository flux-system/flux-system",
		} {
			got, err := gate.Read(DispatchEvent, recorded(t, file))
			wantNoGate(t, got, err, arrived)
		}
		got, err := gate.Read(DispatchEvent, dispatch(t, "involvedObject.name", "x\n::error::y"))
		wantNoGate(t, got, err, "Kustomization flux-system/x ::error::y")
	}
}
