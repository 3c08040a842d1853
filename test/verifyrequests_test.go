package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// verifyReport is what a test reads of mode verify's report.
type verifyReport struct {
	Outcome, Commit, Candidate, Version string
	Path                                []struct {
		Stage, State, At string
		Evidence         struct{ Tag, Digest, Status, Run string }
	}
	Findings []struct{ Code, Severity, Stage, Message, Hint, Since string }
	Selected struct{ Integration, Live string }
	code     int
	log      string
}

// verifyOnce runs mode verify.
func verifyOnce(t *testing.T, s *registrytest.Server, env []string, flags ...string) verifyReport {
	t.Helper()
	args := append([]string{
		"verify", "--repository", s.Host + "/" + fleet, "--plain-http", "--username", s.Username, "--json",
	}, flags...)
	said := programtest.Run(t, append([]string{"OCI_PROMOTE_PASSWORD=" + s.Password}, env...), args...)
	r := verifyReport{code: said.Code, log: said.Stdout + said.Stderr}
	if err := json.Unmarshal([]byte(said.Stdout), &r); err != nil {
		t.Fatalf("mode verify: %v\n%s", err, r.log)
	}
	return r
}

// waitingTags are the tags of the i-th of a history in which nothing was ever promoted.
func waitingTags(i int, a *programtest.Artifact) []string {
	a.Tag = fmt.Sprintf("0.0.1-rc.%d", i+2)
	return []string{"sha-" + a.Commit[:7], "integration-" + a.Commit[:7], a.Tag}
}

// stuckTags are those of a history in which promotion ended after the first half.
func stuckTags(i int, a *programtest.Artifact) []string {
	if i < 1000 {
		return promotedTags(i, a)
	}
	a.Tag = fmt.Sprintf("0.0.1002-rc.%d", i+2)
	return []string{"sha-" + a.Commit[:7], "integration-" + a.Commit[:7], a.Tag}
}

// worstTags are those of a history in which there is something to look at everywhere: old candidates that were promoted
// long ago by versions of other bases, promotions that ended halfway, builds that were killed.
func worstTags(i int, a *programtest.Artifact) []string {
	digits := a.Commit[:7]
	tags := []string{"sha-" + digits, "integration-" + digits, fmt.Sprintf("0.0.1-rc.%d", i+2)}
	switch {
	case i < 6:
		tags = append(tags, "validated-"+digits, fmt.Sprintf("0.0.%d", i+1))
	case i >= 3318:
		return tags[:1]
	case i >= 2000:
		tags[2] = fmt.Sprintf("0.0.7-rc.%d", i+2)
	}
	if i%3 == 1 && i >= 6 {
		tags = append(tags, "validated-"+digits)
	}
	a.Tag = tags[2]
	return tags
}

// countRequests splits requests into those for the tag list and others.
func countRequests(t *testing.T, s *registrytest.Server) (lists, others int) {
	t.Helper()
	checkNoWrites(t, s)
	for _, r := range s.Requests() {
		if strings.Contains(r.Path, "/tags/list") && r.Status == http.StatusOK {
			lists++
		} else {
			others++
		}
	}
	return lists, others
}

// However long the history, verify costs the tag list once and a bounded number of other requests.
func TestRequestsOfVerifyInALongHistory(t *testing.T) {
	for _, test := range []struct {
		name     string
		n        int
		tags     func(int, *programtest.Artifact) []string
		outcome  string
		pageSize int
		lists    int
	}{
		{"all promoted", 1999, promotedTags, "healthy", 0, 10},
		{"nothing promoted", 3332, waitingTags, "unhealthy", 0, 10},
		{"stuck halfway", 2665, stuckTags, "unhealthy", 0, 10},
		{"something everywhere", 3320, worstTags, "unhealthy", 0, 11},
		{"pages of 100", 1999, promotedTags, "healthy", 100, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := registrytest.Start(t, registrytest.Options{Token: true, PageSize: test.pageSize})
			j := programtest.Keep(s, new(programtest.Journal), nil)
			all := seedHistory(t, s, j, test.n, test.tags)
			tags := len(s.Tags(fleet))
			t.Logf("%d tags", tags)
			asked := map[string][]string{"the newest": nil}
			for _, i := range []int{0, test.n / 3, test.n/2 - 1, test.n - 30} {
				asked[fmt.Sprintf("commit %d", i)] = []string{"--artifact-sha", all[i].Commit}
			}
			for name, flags := range asked {
				s.Reset()
				r := verifyOnce(t, s, nil, flags...)
				lists, others := countRequests(t, s)
				t.Logf("%s: %d lists, %d others", name, lists, others)
				if lists > test.lists+1 || others > 60 || lists+others >= tags {
					t.Errorf("%s: %d lists, %d others\n%s", name, lists, others, s.RequestLog())
				}
				if r.Outcome != test.outcome {
					t.Errorf("%s: %s", name, r.log)
				}
				if name != "the newest" && (r.Commit != flags[1] || r.Path[1].State != "reached") {
					t.Errorf("%s: %s", name, r.log)
				}
			}
		})
	}
}

// A short history costs less than one request a tag too, from a few artifacts on: the list, the login and the blobs are
// asked for however little there is.
func TestRequestsOfVerifyInAShortHistory(t *testing.T) {
	t.Parallel()
	for _, n := range []int{4, 8, 15, 16, 17, 30, 60} {
		s := registrytest.Start(t, registrytest.Options{Token: true})
		all := seedHistory(t, s, programtest.Keep(s, new(programtest.Journal), nil), n, promotedTags)
		s.Reset()
		r := verifyOnce(t, s, nil, "--artifact-sha", all[n/2].Commit)
		lists, others := countRequests(t, s)
		if tags := len(s.Tags(fleet)); lists+others >= tags || r.Outcome != "healthy" || lists != 1 {
			t.Errorf("%d artifacts, %d tags: %d requests\n%s\n%s", n, tags, lists+others, r.log, s.RequestLog())
		}
	}
}
