package trigger

import (
	"testing"
)

// Words keep the order in which GitHub has them; those on other artifacts, and of others, are left out.
func TestWords(t *testing.T) {
	const (
		plain  = "kustomization/platform/be63676c"
		boundA = "kustomization/platform/0.0.1-rc.1@" + digestA
		boundB = "kustomization/platform/0.0.2-rc.4@sha256:45048b96a3974c7bc9340f337321ce5af91c745f7b83f2cc4431a4bd0e38f459"
	)
	canceled := said(2, "success", boundA)
	canceled.Description = "health check canceled"
	statuses := []Status{
		said(9, "success", boundB), said(8, "success", "ci/test"), said(7, "success", plain), said(6, "success", "kustomization/platform-dev/0.0.1-rc.1@"+digestA),
		said(5, "success", boundA), said(4, "failure", boundA), said(3, "pending", plain), canceled, said(1, "success", boundA),
	}
	words, err := platform.Words(statuses, digestA)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		minute  int
		proof   Proof
		because string
	}{
		{7, Proof{Commit: commit}, plain + `" is success`},
		{5, Proof{commit, digestA, "0.0.1-rc.1"}, boundA + `" is success`},
		{4, Proof{}, boundA + `" is failure`},
		{3, Proof{}, plain + `" is pending`},
		{2, Proof{}, `says "health check canceled"`},
		{1, Proof{commit, digestA, "0.0.1-rc.1"}, boundA + `" is success`},
	}
	if len(words) != len(want) {
		t.Fatalf("got %d words, want %d: %+v", len(words), len(want), words)
	}
	for i, w := range want {
		wantVerdict(t, words[i].Verdict, nil, w.proof, w.because)
		if words[i].At.Minute() != w.minute {
			t.Errorf("word %d is of minute %d, want %d", i, words[i].At.Minute(), w.minute)
		}
	}
}

// One that cannot be read could be about any artifact, also if it is old.
func TestWordsMalformed(t *testing.T) {
	cut := said(1, "failure", "kustomization/platform/0.0.1-rc.1@sha256:8ef039")
	words, err := platform.Words([]Status{said(2, "success", "kustomization/platform/be63676c"), cut}, digestA)
	if len(words) > 0 {
		t.Errorf("got %+v", words)
	}
	wantError(t, Verdict{}, err, "does not end in <tag>@sha256:")
	other := said(1, "failure", "kustomization/platform-dev/0.0.1-rc.1@sha256:8ef039")
	if words, err := platform.Words([]Status{other}, digestA); err != nil || len(words) > 0 {
		t.Errorf("got %+v, %v", words, err)
	}
}
