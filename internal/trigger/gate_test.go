package trigger

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// The input is a name of Kubernetes' form, with its namespace or without, and prints
// itself as it was given.
func TestParseKustomization(t *testing.T) {
	long := strings.Repeat("a", 253)
	tests := []struct {
		input string
		want  Gate
		ok    bool
	}{
		{"", Gate{}, true},
		{"platform", Gate{Name: "platform"}, true},
		{"platform-dev", Gate{Name: "platform-dev"}, true},
		{"platform.v2", Gate{Name: "platform.v2"}, true},
		{"p", Gate{Name: "p"}, true},
		{"2", Gate{Name: "2"}, true},
		{long, Gate{Name: long}, true},
		{"flux-system/platform", Gate{Namespace: "flux-system", Name: "platform"}, true},
		{"Platform", Gate{}, false},
		{"flux-System/platform", Gate{}, false},
		{"flux-system/", Gate{}, false},
		{"/platform", Gate{}, false},
		{"/", Gate{}, false},
		{"flux-system/platform/x", Gate{}, false},
		{"-platform", Gate{}, false},
		{"platform-", Gate{}, false},
		{".", Gate{}, false},
		{"plat_form", Gate{}, false},
		{"plat form", Gate{}, false},
		{" platform", Gate{}, false},
		{"platform\n", Gate{}, false},
		{"plätform", Gate{}, false},
		{"flux-system platform/x", Gate{}, false},
		{"a" + long, Gate{}, false},
	}
	for _, test := range tests {
		t.Run(test.input, func(t *testing.T) {
			got, err := ParseKustomization(test.input)
			if got.Namespace != test.want.Namespace || got.Name != test.want.Name || got.Context != nil || (err == nil) != test.ok {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
			switch {
			case err != nil && !strings.Contains(err.Error(), "flux-system/platform"):
				t.Errorf("%v does not say what is expected", err)
			case err == nil && got.String() != test.input:
				t.Errorf("it prints itself as %q", got)
			}
		})
	}
}

// The input is whole segments: no text can mean half a segment, or an empty one.
func TestParseContext(t *testing.T) {
	tests := []struct {
		input string
		want  []string
		ok    bool
	}{
		{"", nil, true},
		{"/", nil, true},
		{"flux", []string{"flux"}, true},
		{"flux/", []string{"flux"}, true},
		{"kustomization/platform/", []string{"kustomization", "platform"}, true},
		{"kustomization/platform", []string{"kustomization", "platform"}, true},
		{"CI / Flux: platform/staging/", []string{"CI ", " Flux: platform", "staging"}, true},
		{"/flux", nil, false},
		{"//", nil, false},
		{"flux//", nil, false},
		{"flux//platform", nil, false},
	}
	for _, test := range tests {
		t.Run(test.input, func(t *testing.T) {
			got, err := ParseContext(test.input)
			if !slices.Equal(got, test.want) || (got == nil) != (test.want == nil) || (err == nil) != test.ok {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
			if err != nil && (!strings.Contains(err.Error(), "empty segment") || !strings.Contains(err.Error(), "kustomization/platform/")) {
				t.Errorf("%v does not say what is expected", err)
			}
		})
	}
}

// What the inputs choose must agree with the proof wherever both say something.
func TestProofOf(t *testing.T) {
	other := digest.Digest(digestA[:len(digestA)-1] + "6") // its last digit differs
	both, byCommit, byDigest := Proof{commit, digestA, "0.0.1-rc.1"}, Proof{Commit: commit}, Proof{Digest: digestA, Tag: "0.0.1-rc.1"}
	tests := []struct {
		name   string
		proof  Proof
		commit string
		digest digest.Digest
		want   bool
	}{
		{"nothing asked", both, "", "", true},
		{"the commit", both, commit, "", true},
		{"first digits", both, commit[:7], "", true},
		{"another commit", both, id, "", false},
		{"first digits of another", both, id[:7], "", false},
		{"the last digit differs", both, commit[:39] + "3", "", false},
		{"the last of the first digits differs", both, commit[:6] + "0", "", false},
		{"the digest", both, "", digestA, true},
		{"another digest", both, "", other, false},
		{"both", both, commit, digestA, true},
		{"the commit, another digest", both, commit, other, false},
		{"another commit, the digest", both, id, digestA, false},
		{"a commit's proof, the commit", byCommit, commit[:7], "", true},
		{"a commit's proof, another commit", byCommit, id[:7], "", false},
		{"a commit's proof, any digest", byCommit, "", other, true},
		{"a commit's proof, another commit and any digest", byCommit, id, other, false},
		{"a digest's proof, any commit", byDigest, id, "", true},
		{"a digest's proof, the digest", byDigest, "", digestA, true},
		{"a digest's proof, another digest", byDigest, "", other, false},
		{"a digest's proof, any commit and another digest", byDigest, commit, other, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.proof.Of(test.commit, test.digest); got != test.want {
				t.Errorf("got %v for %q, %q", got, test.commit, test.digest)
			}
		})
	}
}
