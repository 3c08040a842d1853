package trigger

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// status is a status event in GitHub's form, shortened.
func status(t testing.TB, sha, state, context, description string) []byte {
	t.Helper()
	blob, err := json.Marshal(map[string]string{"sha": sha, "state": state, "context": context, "description": description})
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

// What real controllers sent is read for what it is (docs/facts.md 3).
func TestReadStatusRecorded(t *testing.T) {
	tests := []struct {
		file, kustomization string
		want                Proof
		because             string
	}{
		{"success", "platform", Proof{Commit: commit}, `"kustomization/platform/be63676c" is success`},
		{"success", "flux-system/platform", Proof{Commit: commit}, "is success"},
		{"success", "other", Proof{}, `"kustomization/platform/be63676c" is not of kustomization/other/`},
		{"success-with-revision-in-context", "platform", Proof{commit, digestA, "0.0.1-rc.1"}, "/staging/" + revision1},
		{"success-with-revision-in-context", "platform-dev", Proof{}, "is not of kustomization/platform-dev/"},
		{"failure", "platform", Proof{}, `"kustomization/platform/3d3388a1" is failure: build failed`},
		{"success-but-dependency-not-ready", "platform", Proof{}, `is success and says "dependency not ready"`},
		{"success-but-health-check-canceled", "platform", Proof{}, `is success and says "health check canceled"`},
		{"failure", "other", Proof{}, "is not of kustomization/other/"},
	}
	for _, test := range tests {
		t.Run(test.file+" for "+test.kustomization, func(t *testing.T) {
			gate, err := ParseKustomization(test.kustomization)
			if err != nil {
				t.Fatal(err)
			}
			got, err := gate.Read(StatusEvent, recorded(t, "status."+test.file+".json"))
			wantVerdict(t, got, err, test.want, test.because)
		})
	}
}

// A context is the Kustomization's if it begins with its segments: whole, in any case.
func TestReadStatusSpeaks(t *testing.T) {
	tests := []struct {
		name, prefix, context string
		want                  bool
	}{
		{"Flux's own", "", "kustomization/platform/be63676c", true},
		{"in other case", "", "KUSTOMIZATION/Platform/be63676c", true},
		{"no more than the prefix", "", "kustomization/platform", true},
		{"the prefix and a slash", "", "kustomization/platform/", true},
		{"more segments", "", "kustomization/platform/staging/eu/be63676c", true},
		{"a longer name", "", "kustomization/platform-dev/be63676c", false},
		{"a shorter name", "", "kustomization/plat/be63676c", false},
		{"no more than the kind", "", "kustomization", false},
		{"another kind", "", "helmrelease/platform/be63676c", false},
		{"a longer kind", "", "xkustomization/platform/be63676c", false},
		{"the prefix later on", "", "ci/kustomization/platform/be63676c", false},
		{"a slash before", "", "/kustomization/platform/be63676c", false},
		{"an empty segment", "", "kustomization//platform", false},
		{"a space", "", "kustomization/platform /be63676c", false},
		{"the name elsewhere", "", "kustomization/other/platform", false},
		{"of another program", "", "ci/test", false},
		{"status-context", "flux/staging", "flux/staging/platform", true},
		{"status-context with a slash", "flux/staging/", "flux/staging/platform", true},
		{"status-context in other case", "Flux/STAGING", "flux/Staging", true},
		{"status-context of one segment", "flux", "flux", true},
		{"status-context, a longer segment", "flux/staging", "flux/staging2/platform", false},
		{"status-context takes the place of Flux's own", "flux/staging", "kustomization/platform/be63676c", false},
		{"status-context of three segments", "flux/staging/platform", "flux/staging", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			prefix, err := ParseContext(test.prefix)
			if err != nil {
				t.Fatal(err)
			}
			for _, namespace := range []string{"", "flux-system"} { // of which a context says nothing
				gate := Gate{Namespace: namespace, Name: "platform", Context: prefix}
				got, err := gate.Read(StatusEvent, status(t, commit, "success", test.context, Succeeded))
				if test.want {
					wantVerdict(t, got, err, Proof{Commit: commit}, "is success")
				} else {
					wantVerdict(t, got, err, Proof{}, "is not of "+strings.Join(gate.context(), "/")+"/")
				}
			}
		})
	}
}

// A word that is no success proves nothing, whatever its description says.
func TestReadStatusState(t *testing.T) {
	const context = "kustomization/platform/" + revision1
	for _, state := range []string{"failure", "error", "pending", "neutral", "Success", "success ", "successful", "null"} {
		t.Run(state, func(t *testing.T) {
			got, err := platform.Read(StatusEvent, status(t, commit, state, context, "success:\nreconciliation succeeded"))
			wantVerdict(t, got, err, Proof{}, revision1+`" is `+strings.TrimSpace(state))
			wantVerdict(t, got, err, Proof{}, ": success: reconciliation succeeded")
			got, err = platform.Read(StatusEvent, status(t, commit, state, context, ""))
			wantVerdict(t, got, err, Proof{}, revision1+`" is `+strings.TrimSpace(state))
			if strings.HasSuffix(got.Because, ":") {
				t.Errorf("the reason is %q", got.Because)
			}
		})
	}
}

// Of Flux's successes only the one that says so is proof of health (docs/facts.md 25); another
// reporter's counts by its state.
func TestReadStatusWord(t *testing.T) {
	const bound = "platform/" + revision1
	for _, word := range []string{Succeeded, "Reconciliation Succeeded", "dependency not ready", "health check canceled", "progressing",
		"build failed", "artifact failed", "reconciliation succeeded (dry run)", " reconciliation succeeded", "reconciliation", ""} {
		t.Run(word, func(t *testing.T) {
			payload := status(t, commit, "success", "Kustomization/"+bound, word)
			want, because := Proof{}, "is success and says"
			if strings.EqualFold(word, Succeeded) {
				want, because = Proof{commit, digestA, "0.0.1-rc.1"}, "is success: "+word
			}
			for _, gate := range []Gate{platform, {Name: "x", Context: []string{"kustomization", "platform"}}} {
				got, err := gate.Read(StatusEvent, payload)
				wantVerdict(t, got, err, want, because)
				got, found, err := gate.Latest([]Status{{Commit: commit, Context: "kustomization/" + bound, State: "success", Description: word}}, digestA)
				wantVerdict(t, got, err, want, because)
				if !found {
					t.Error("it is a word all the same")
				}
			}
			got, err := Gate{Name: "x", Context: []string{"smoke"}}.Read(StatusEvent, status(t, commit, "success", "smoke/"+bound, word))
			wantVerdict(t, got, err, Proof{commit, digestA, "0.0.1-rc.1"}, "its state alone counts")
		})
	}
}

// A context that names an artifact binds the proof to it. One that seems to and does not is
// an error, since it would otherwise prove more than it says; any other is about the commit.
func TestReadStatusBound(t *testing.T) {
	const malformed = "context "
	long := strings.Repeat("v", 128)
	tests := []struct {
		name, last, tag string
		digest          digest.Digest
		err             string
	}{
		{"a candidate", revision1, "0.0.1-rc.1", digestA, ""},
		{"a stable", "0.0.1@" + digestA, "0.0.1", digestA, ""},
		{"another tag", "_Latest.x-1@" + digestA, "_Latest.x-1", digestA, ""},
		{"a long tag", long + "@" + digestA, long, digestA, ""},
		{"a tag that is too long", "v" + long + "@" + digestA, "", "", malformed},
		{"no tag", "@" + digestA, "", "", malformed},
		{"a tag with a plus", "0.0.1+b@" + digestA, "", "", malformed},
		{"a tag that begins with a hyphen", "-1@" + digestA, "", "", malformed},
		{"a tag with a space", "0.0.1 @" + digestA, "", "", malformed},
		{"a tag with a letter that is not ASCII", "größe@" + digestA, "", "", malformed},
		{"two tags", "0.0.1@0.0.2@" + digestA, "", "", malformed},
		{"63 digits", revision1[:len(revision1)-1], "", "", malformed},
		{"65 digits", revision1 + "0", "", "", malformed},
		{"no digits", "0.0.1@sha256:", "", "", malformed},
		{"digits in upper case", "0.0.1@sha256:" + strings.ToUpper(hexA), "", "", malformed},
		{"the algorithm in upper case", "0.0.1@SHA256:" + hexA, "", "", malformed},
		{"no hex", "0.0.1@sha256:" + strings.Repeat("g", 64), "", "", malformed},
		{"a line break", revision1 + "\n", "", "", malformed},
		{"a second revision", revision1 + "," + revision1, "", "", malformed},
		{"another algorithm", "0.0.1@sha512:" + hexA + hexA, "", "", ""},
		{"a Git revision", "main@sha1:" + commit, "", "", ""},
		{"a digest without a tag", digestA, "", "", ""},
		{"cut short before the algorithm's colon", "0.0.1@sha256", "", "", ""},
		{"in a segment that is not the last", revision1 + "/staging", "", "", ""},
		{"part of an UID", "be63676c", "", "", ""},
		{"an empty segment", "", "", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			context := "kustomization/platform/" + test.last
			got, err := platform.Read(StatusEvent, status(t, commit, "success", context, Succeeded))
			other, unheard := Gate{Name: "other"}.Read(StatusEvent, status(t, commit, "success", context, Succeeded))
			wantVerdict(t, other, unheard, Proof{}, "is not of")
			if test.err != "" {
				wantError(t, got, err, test.err)
				wantError(t, got, err, "does not end in <tag>@sha256:<64 hex digits>")
				got, err = platform.Read(StatusEvent, status(t, commit, "failure", context, ""))
				wantError(t, got, err, test.err)
				return
			}
			wantVerdict(t, got, err, Proof{commit, test.digest, test.tag}, "is success")
		})
	}
}
