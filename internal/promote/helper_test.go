package promote

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/pipelinetest"
	"github.com/oci-promote/oci-promote/internal/version"
)

// subject reads: "a" (a digest that a cluster proved), "a via TAG" (and told the tag),
// "a of c" (and told another commit), "commit a" (a proof by commit alone), "by hand a",
// "by hand commit a", "latest". What has no letter in the store is not there.
func subject(s *pipelinetest.Shelf, words string) *Subject {
	if words == "latest" {
		return &Subject{Latest: true, Because: "because"}
	}
	words, byHand := strings.CutPrefix(words, "by hand ")
	letter, commit := strings.CutPrefix(words, "commit ")
	letter, tag, _ := strings.Cut(letter, " via ")
	letter, other, _ := strings.Cut(letter, " of ")
	sub := &Subject{Proven: !byHand, Because: "because"}
	if commit {
		sub.Commit, sub.ByCommit = pipelinetest.CommitOf(letter), true
		return sub
	}
	if sub.Digest, sub.Tag = s.Digests[letter], tag; sub.Digest == "" {
		sub.Digest = digest.FromString("not there")
	}
	if sub.Proven {
		sub.Commit = pipelinetest.CommitOf(other + letter)
	}
	return sub
}

// manual reads "", "next", "X.Y.Z", each with a "!" to allow what was never validated.
func manual(words string) *Manual {
	if words == "" {
		return nil
	}
	v, unvalidated := strings.CutPrefix(words, "!")
	if v == "next" {
		return &Manual{Next: true, Unvalidated: unvalidated}
	}
	return &Manual{Version: pipelinetest.Must(version.ParseStable(v)), Unvalidated: unvalidated}
}

// history reads "" (a line, a to z), "unasked", "unknown" (GitHub knows no commit), or the
// parents of some commits: "b:a f:a" has b and f on two branches from a.
func history(words string) pipeline.History {
	switch words {
	case "":
		return pipelinetest.Line{}
	case "unasked":
		return nil
	case "unknown":
		return parents{}
	}
	p := parents{}
	for word := range strings.FieldsSeq(words) {
		child, parent, _ := strings.Cut(word, ":")
		p[pipelinetest.CommitOf(child)] = pipelinetest.CommitOf(parent)
		if _, known := p[pipelinetest.CommitOf(parent)]; !known {
			p[pipelinetest.CommitOf(parent)] = ""
		}
	}
	return p
}

// parents is a history with branches: of each known commit its parent.
type parents map[string]string

func (p parents) Compare(_ context.Context, commit, base string) (string, error) {
	_, known := p[commit]
	_, too := p[base]
	switch {
	case !known || !too:
		return "", nil
	case commit == base:
		return "identical", nil
	case p.leads(base, commit):
		return "ahead", nil
	case p.leads(commit, base):
		return "behind", nil
	}
	return "diverged", nil
}

func (p parents) leads(from, to string) bool {
	for ; to != ""; to = p[to] {
		if from == to {
			return true
		}
	}
	return false
}

func promotion(repo pipeline.Repository, s *Subject, m *Manual) Promotion {
	return Promotion{
		Repo: repo, Name: pipelinetest.Name, History: pipelinetest.Line{}, Subject: s, Manual: m,
		SHALength: 7, Clusters: pipelinetest.Clusters(),
	}
}

// mustRun promotes and wants an outcome, and a version where one is given.
func mustRun(t *testing.T, p Promotion, want pipeline.Outcome, v string) pipeline.Report {
	t.Helper()
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Outcome != want || v != "" && r.Version != v {
		t.Errorf("got %s %q (%s), want %s %q", r.Outcome, r.Version, r.Reason, want, v)
	}
	return r
}

// due is the candidate that promise 9 asks for, and for which letter; "" for none.
func due(t *testing.T, s *pipelinetest.Shelf, h pipeline.History) string {
	t.Helper()
	store := &pipeline.Store{Repo: s, Name: pipelinetest.Name, History: h, Warn: t.Logf}
	rescued, _, err := store.WriteDue(t.Context(), pipelinetest.Must(store.List(t.Context())), true)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, r := range rescued {
		words = append(words, r.Candidate+"="+s.Letter(r.Digest.String()))
	}
	return strings.Join(words, " ")
}

func checkRefusal(t *testing.T, err error, says string) {
	t.Helper()
	var r *pipeline.Refusal
	if !errors.As(err, &r) || !strings.Contains(err.Error(), says) || r.Hint() == "" {
		t.Errorf("error %v, want a refusal with a hint that says %q", err, says)
	}
}

func checkForeseen(t *testing.T, plan []string, writes string) {
	t.Helper()
	var tags []string
	for word := range strings.FieldsSeq(writes) {
		tag, _, _ := strings.Cut(word, "=")
		tags = append(tags, tag)
	}
	for _, tag := range plan { // a validated- tag that stood there already was to be written again
		if !slices.Contains(tags, tag) && !pipeline.IsCommitTag(pipeline.ValidatedPrefix, tag) {
			t.Errorf("the dry run foresaw %q, the run wrote %q", plan, tags)
		}
	}
	for _, tag := range tags {
		if !slices.Contains(plan, tag) {
			t.Errorf("the dry run foresaw %q, the run wrote %q", plan, tags)
		}
	}
}

// checkTold wants the report to be true of the repository.
func checkTold(t *testing.T, s *pipelinetest.Shelf, r pipeline.Report) {
	t.Helper()
	tags := pipelinetest.Tags(t, s)
	for _, tag := range []string{r.Version, r.Candidate} {
		if tag != "" && tags[tag] != r.Digest.String() {
			t.Errorf("reported %s for %s, which names %s", r.Digest, tag, tags[tag])
		}
	}
	for _, tag := range r.Tags {
		if tags[tag] == "" {
			t.Errorf("reported tag %q, which is not there", tag)
		}
	}
}

// checkAgain runs the same once more (promise 6).
func checkAgain(t *testing.T, s *pipelinetest.Shelf, p Promotion, first pipeline.Report) {
	t.Helper()
	before := pipelinetest.Tags(t, s)
	again, err := p.Run(t.Context())
	want := first.Outcome
	if want == pipeline.Promoted {
		want = pipeline.Unchanged
	}
	// The candidates of what tells no height are looked for among few.
	sameCandidate := again.Candidate == first.Candidate || strings.HasSuffix(s.Letter(first.Digest.String()), "*")
	if changed := s.Added(t, before); err != nil || changed != "" || again.Outcome != want || again.Version != first.Version || !sameCandidate {
		t.Errorf("the second run: %s %s %s (%s), %v, wrote %q; want %s %s %s", again.Outcome, again.Version, again.Candidate, again.Reason, err, changed, want, first.Version, first.Candidate)
	}
}
