package test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// What a promotion by status event costs, in requests of any kind, the 401 and the one for a token included, with all tags
// on one page of 1,000. A further page costs one more request each time that the list is read. A word on the commit alone
// counts while the commit's candidate and integration- name the artifact too, which is two looks more. Where a candidate of
// a greater height is there, the stable is read, and it, and what is below the stable; a rescue of it is looked at and written.
const (
	promotionCost  = 9
	byCommitCost   = 2
	promotionLists = 3
	rescueCost     = 5
	repeatCost     = 5
)

func TestRequestsOfAPromotion(t *testing.T) {
	for _, test := range []struct {
		name    string
		status  func(programtest.Artifact, *testing.T) []string
		more    int
		foreign int
	}{
		{"context with the digest", programtest.Artifact.BoundStatus, 0, 0},
		{"context of the commit", programtest.Artifact.PlainStatus, byCommitCost, 0},
		{"context with the digest", programtest.Artifact.BoundStatus, 0, 980},
		{"context of the commit", programtest.Artifact.PlainStatus, byCommitCost, 1000},
	} {
		t.Run(fmt.Sprintf("%s, %d foreign tags", test.name, test.foreign), func(t *testing.T) {
			t.Parallel()
			s := registrytest.Start(t, registrytest.Options{Token: true})
			j := programtest.Keep(s, new(programtest.Journal), nil)
			if test.foreign > 0 {
				s.Seed(fleet, foreignTags(test.foreign)...)
			}
			count := func(name string, a programtest.Artifact, version string, rescued ...string) {
				t.Helper()
				countPromotion(t, s, j, name, 1+test.foreign/1000, test.more, a, test.status(a, t), version, rescued)
			}
			count("first promotion", programtest.BuildFor(t, s, commitA, 0), "0.0.1")
			b := programtest.BuildFor(t, s, commitB, 1)
			count("steady state", b, "0.0.2")
			c := programtest.BuildFor(t, s, commitC, 2)
			newer := programtest.BuildFor(t, s, strings.Repeat("d", 40), 3)
			count("with a rescue", c, "0.0.3", "0.0.4-rc.4@"+newer.Digest)
		})
	}
}

// countPromotion promotes a, twice, for some requests more than the cheapest way. Rescued are the candidates that this gives,
// as TAG@DIGEST.
func countPromotion(t *testing.T, s *registrytest.Server, j *programtest.Journal, name string, pages, more int, a programtest.Artifact, status []string, version string, rescued []string) {
	t.Helper()
	j.All()
	s.Reset()
	r := programtest.TagOnce(t, s, status)
	n := len(s.Requests())
	t.Logf("%s: %d requests\n%s", name, n, s.RequestLog())
	if r.Outcome != "promoted" || r.Version != version || r.Digest != a.Digest || r.Candidate != a.Tag {
		t.Errorf("%s: %s", name, r.Log)
	}
	if cost := promotionCost + more + promotionLists*(pages-1) + rescueCost*len(rescued); n != cost {
		t.Errorf("%s: %d requests, want %d\n%s", name, n, cost, s.RequestLog())
	}
	checkTokens(t, s)
	checkPromotionOrder(t, s.Requests(), version)
	// By digest, never tag to tag (promise 3), and in the order that survives a crash (promise 5).
	want := append([]string{"validated-" + a.Commit[:7] + "@" + a.Digest, version + "@" + a.Digest}, rescued...)
	var got []string
	for _, e := range j.All() {
		got = append(got, e.Tag+"@"+e.Digest)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s writes %q, want %q", name, got, want)
	}

	s.Reset()
	r = programtest.TagOnce(t, s, status)
	n = len(s.Requests())
	t.Logf("%s, repeated: %d requests\n%s", name, n, s.RequestLog())
	if r.Outcome != "unchanged" || r.Version != version || r.Digest != a.Digest {
		t.Errorf("%s, repeated: %s", name, r.Log)
	}
	if cost := repeatCost + more + pages - 1; n != cost {
		t.Errorf("%s, repeated: %d requests, want %d\n%s", name, n, cost, s.RequestLog())
	}
	checkTokens(t, s)
	checkNoWrites(t, s)
}

// checkPromotionOrder: a stable is read as absent right before it is written, by the list that shows the validated- tag of
// this run and so is new, and read back right after, beside the list that decides on the rescue (promises 1, 5 and 9).
func checkPromotionOrder(t *testing.T, log []registrytest.Request, version string) {
	t.Helper()
	var steps []string
	for _, r := range log {
		path, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/v2/"+fleet), "?")
		if strings.HasPrefix(path, "/manifests/validated-") {
			path = "/manifests/validated-*"
		}
		if step := r.Method + " " + path; len(steps) == 0 || steps[len(steps)-1] != step { // pages of a list are one step
			steps = append(steps, step)
		}
	}
	path := "/manifests/" + version
	want := []string{"PUT /manifests/validated-*", "GET /tags/list", "PUT " + path}
	i := slices.IndexFunc(steps, func(step string) bool { return strings.HasPrefix(step, "PUT ") })
	if i < 0 || i+len(want) > len(steps) || !slices.Equal(steps[i:i+len(want)], want) {
		t.Fatalf("steps = %q\n want among them %q", steps, want)
	}
	after := steps[i+len(want):] // which of the two comes first is chance, and a list may have pages
	if next := slices.IndexFunc(after, func(step string) bool { return step != "HEAD "+path && step != "GET /tags/list" }); next >= 0 {
		after = after[:next]
	}
	if !slices.Contains(after, "HEAD "+path) || !slices.Contains(after, "GET /tags/list") {
		t.Errorf("steps = %q\n want a look at %s and a list right after it is written", steps, version)
	}
}

// A repository in which all 1,000 tags are ours costs no more than one with foreign ones.
func TestRequestsOfAPromotionInALongHistory(t *testing.T) {
	t.Parallel()
	const releases = 198 // of five tags each
	s := registrytest.Start(t, registrytest.Options{Token: true})
	j := programtest.Keep(s, new(programtest.Journal), nil)
	history := seedHistory(t, s, j, releases, promotedTags)
	old := history[releases/2]
	b := programtest.BuildFor(t, s, commitB, releases+1)
	countPromotion(t, s, j, "promotion", 1, byCommitCost, b, b.PlainStatus(t), fmt.Sprintf("0.0.%d", releases+2), nil)
	for name, status := range map[string][]string{"with the digest": old.BoundStatus(t), "of the commit": old.PlainStatus(t)} {
		s.Reset()
		r := programtest.TagOnce(t, s, status)
		t.Logf("a late event %s: %d requests\n%s", name, len(s.Requests()), s.RequestLog())
		if r.Outcome != "unchanged" || r.Digest != old.Digest || len(s.Requests()) > 30 {
			t.Errorf("a late event %s: %d requests\n%s", name, len(s.Requests()), r.Log)
		}
		checkNoWrites(t, s)
	}
	if n := len(s.Tags(fleet)); n > 1000 {
		t.Errorf("%d tags are more than a page", n)
	}
}

// A repository whose 500 candidates name 5 artifacts, as one whose every build is rescued for long, costs no more.
func TestRequestsOfAPromotionOfFewDigests(t *testing.T) {
	t.Parallel()
	s := registrytest.Start(t, registrytest.Options{Token: true})
	j := programtest.Keep(s, new(programtest.Journal), nil)
	seedHistory(t, s, j, 5, func(i int, a *programtest.Artifact) []string {
		tags := []string{"sha-" + a.Commit[:7], "integration-" + a.Commit[:7]}
		for base := range 100 {
			tags = append(tags, fmt.Sprintf("0.0.%d-rc.%d", base+1, i+2))
		}
		return tags
	})
	b := programtest.BuildFor(t, s, commitB, 6)
	countPromotion(t, s, j, "promotion", 1, byCommitCost, b, b.PlainStatus(t), "0.0.100", nil)
}

// seedHistory gives the repository n artifacts after a first one, the i-th of height i+2, each an hour younger than the one
// before, and lets tagsOf name them.
func seedHistory(t *testing.T, s *registrytest.Server, j *programtest.Journal, n int, tagsOf func(i int, a *programtest.Artifact) []string) []programtest.Artifact {
	t.Helper()
	model := programtest.BuildFor(t, s, strings.Repeat("f", 40), 0)
	all := make([]programtest.Artifact, n)
	for i, d := range programtest.Descendants(t, model, j.All()[0].Body, n) {
		all[i].Commit = d.Commit
		all[i].Digest = s.SeedManifest(fleet, d.Manifest, tagsOf(i, &all[i])...).String()
	}
	return all
}

// promotedTags are the tags of the i-th of a history of promotions.
func promotedTags(i int, a *programtest.Artifact) []string {
	a.Tag = fmt.Sprintf("0.0.%d-rc.%d", i+2, i+2)
	digits := a.Commit[:7]
	return []string{"sha-" + digits, "integration-" + digits, a.Tag, "validated-" + digits, "0.0." + strconv.Itoa(i+2)}
}

// What proves nothing is ignored before anything is sent.
func TestIgnoredEventsAskNothing(t *testing.T) {
	t.Parallel()
	s := registrytest.Start(t, registrytest.Options{Token: true})
	a := programtest.BuildFor(t, s, commitA, 0)
	bound := a.Tag + "@" + a.Digest
	same := func(map[string]any) {}
	for name, env := range map[string][]string{
		"a failure":                programtest.StatusOf(t, a.Commit, "kustomization/platform/"+bound, "failure"),
		"pending":                  programtest.StatusOf(t, a.Commit, "kustomization/platform/be63676c", "pending"),
		"another Kustomization":    programtest.StatusOf(t, a.Commit, "kustomization/platform-dev/"+bound, "success"),
		"a check of the same name": programtest.StatusOf(t, a.Commit, "platform", "success"),
		"applied":                  programtest.Event(t, "repository_dispatch", "repository_dispatch.kustomization-applied.json", same),
		"a source":                 programtest.Event(t, "repository_dispatch", "repository_dispatch.ocirepository-new-artifact.json", same),
		"its marker":               programtest.Event(t, "repository_dispatch", "repository_dispatch.gate-kustomization-applied.json", same),
	} {
		s.Reset()
		r := programtest.TagOnce(t, s, env, "--artifact-sha", a.Commit) // which chooses, and proves nothing
		if r.Outcome != "ignored" || len(s.Requests()) > 0 {
			t.Errorf("%s: %s\n%s", name, r.Log, s.RequestLog())
		}
	}
	if r := programtest.TagOnce(t, s, a.BoundStatus(t)); r.Outcome != "promoted" || r.Candidate != a.Tag {
		t.Errorf("the same artifact with a proof: %s", r.Log)
	}
	if n := slices.IndexFunc(s.Requests(), func(r registrytest.Request) bool { return r.Method == http.MethodPut }); n < 0 {
		t.Error("the promotion sent no write")
	}
}
