package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// What a build may cost, in requests of any kind, the 401 and the one for a token included.
const (
	firstBudget    = 15
	repeatedBudget = 7
)

// foreignTags are tags that are none of ours, as an old repository has them.
func foreignTags(n int) []string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprintf("build-%05d", i)
	}
	return tags
}

func TestRequestsOfABuild(t *testing.T) {
	for _, foreign := range []int{0, 999, 1000} {
		t.Run(fmt.Sprintf("%d tags", foreign), func(t *testing.T) {
			s := registrytest.Start(t, registrytest.Options{Token: true})
			if foreign > 0 {
				s.Seed(fleet, foreignTags(foreign)...)
			}
			tree := smallTree(t)
			for _, build := range []struct {
				name, commit, time, content string
				budget                      int
			}{
				{"first build", commitA, timeA, "a: 1\n", firstBudget},
				{"same commit again", commitA, timeA, "a: 1\n", repeatedBudget},
				{"next build", commitB, timeB, "a: 2\n", firstBudget},
				{"next build again", commitB, timeB, "a: 2\n", repeatedBudget},
				{"old commit again", commitA, timeA, "a: 1\n", repeatedBudget + 1}, // reads down to the second candidate
			} {
				programtest.Write(t, filepath.Join(tree, "a.yaml"), build.content)
				s.Reset()
				programtest.BuildOn(t, s, []string{build.time}, tree, build.commit)
				log := s.Requests()
				t.Logf("%s: %d requests\n%s", build.name, len(log), s.RequestLog())
				if len(log) > build.budget {
					t.Errorf("%s: %d requests, at most %d are allowed", build.name, len(log), build.budget)
				}
				checkTokens(t, s)
				if strings.HasSuffix(build.name, "again") {
					checkNoWrites(t, s)
				} else {
					checkOrder(t, log, build.commit)
				}
			}
		})
	}
}

// checkTokens: one request for one token that serves the run, the password goes nowhere but there, and each
// request that the registry answered but the first carries the token.
func checkTokens(t *testing.T, s *registrytest.Server) {
	t.Helper()
	tokens, challenges := 0, 0
	for _, r := range s.Requests() {
		want := "Bearer"
		switch {
		case strings.HasPrefix(r.Path, "/token?"):
			tokens++
			want = "Basic"
		case r.Status == http.StatusUnauthorized:
			challenges++
			want = ""
		}
		if r.Auth != want || r.Host != s.Host {
			t.Errorf("%s %s on %s with %q, want %s with %q", r.Method, r.Path, r.Host, r.Auth, s.Host, want)
		}
	}
	if tokens != 1 || challenges != 1 {
		t.Errorf("%d requests for a token and %d answers 401, want one of each\n%s", tokens, challenges, s.RequestLog())
	}
}

func checkNoWrites(t *testing.T, s *registrytest.Server) {
	t.Helper()
	for _, r := range s.Requests() {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			t.Errorf("a run that finds everything done sends %s %s", r.Method, r.Path)
		}
	}
}

// checkOrder: blobs, sha-, the candidate, a list and at once a look at what was written, integration-, and no question
// asked twice: a build that waits for somebody would list again.
func checkOrder(t *testing.T, log []registrytest.Request, commit string) {
	t.Helper()
	var steps []string
	asked := map[string]int{}
	candidate := ""
	for _, r := range log {
		path := strings.TrimPrefix(r.Path, "/v2/"+fleet)
		tag, isManifest := strings.CutPrefix(path, "/manifests/")
		isList := strings.HasPrefix(path, "/tags/list")
		switch {
		case r.Status == http.StatusUnauthorized || strings.HasPrefix(path, "/token?"):
			continue
		case isList && strings.Contains(path, "last="):
			continue // a further page
		case isList:
			steps = append(steps, "list")
		case strings.HasPrefix(path, "/blobs/uploads/"):
			if r.Method == http.MethodPut && !slices.Contains(steps, "blobs") {
				steps = append(steps, "blobs")
			}
		case isManifest && r.Method == http.MethodPut:
			steps = append(steps, "write "+tag)
			if strings.Contains(tag, "-rc.") {
				candidate = tag
			}
		case isManifest && tag == candidate:
			steps = append(steps, "read back")
		}
		if isManifest {
			asked[r.Method+tag]++
		}
	}
	want := []string{"list", "blobs", "write sha-" + commit[:7], "write " + candidate, "list", "read back", "write integration-" + commit[:7]}
	if len(steps) == len(want) && steps[4] == "read back" { // which of the two comes first is chance
		steps[4], steps[5] = steps[5], steps[4]
	}
	if !slices.Equal(steps, want) {
		t.Errorf("steps = %q\n want   %q", steps, want)
	}
	for request, n := range asked {
		if free := request == "HEAD"+candidate; n > 1 && (!free || n > 2) { // free before, ours after
			t.Errorf("%s was asked %d times", request, n)
		}
	}
}

// A first build reads the list twice, so each further page costs two requests, neither more nor less.
func TestRequestsPerPage(t *testing.T) {
	const tags = 900      // with 1,000 the program's own page size would be a limit too
	cost := map[int]int{} // requests by pages
	for _, pages := range []int{1, 2, 4, 10} {
		size := tags/pages + 5 // the two tags that the second list has more fit on the last page
		s := registrytest.Start(t, registrytest.Options{Token: true, PageSize: size})
		s.Seed(fleet, foreignTags(tags)...)
		programtest.BuildOn(t, s, []string{timeA}, smallTree(t), commitA)
		lists := 0
		for _, r := range s.Requests() {
			if strings.Contains(r.Path, "/tags/list") && r.Status == http.StatusOK {
				lists++
			}
		}
		if lists != 2*pages {
			t.Errorf("%d pages of %d tags: read %d times\n%s", pages, size, lists, s.RequestLog())
		}
		cost[pages] = len(s.Requests())
		if want := cost[1] + 2*(pages-1); cost[pages] != want {
			t.Errorf("%d pages: %d requests, want %d\n%s", pages, cost[pages], want, s.RequestLog())
		}
	}
	t.Logf("requests by pages: %v", cost)
	if cost[1] > firstBudget {
		t.Errorf("%d requests with one page, at most %d are allowed", cost[1], firstBudget)
	}
}

// stranger is a host that nobody gave any credentials for. It counts who comes with some all the same.
type stranger struct {
	*httptest.Server
	mu     sync.Mutex
	visits []string
}

func newStranger(t *testing.T) *stranger {
	s := &stranger{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		auth := strings.TrimSpace(r.Header.Get("Authorization") + " " + r.Header.Get("Proxy-Authorization") + " " + r.Header.Get("Cookie"))
		s.visits = append(s.visits, fmt.Sprintf("%s %s %s %q", r.Method, r.Host, r.URL, auth))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"name":"acme/fleet","tags":[]}`))
	}))
	t.Cleanup(s.Close)
	return s
}

// url is the stranger's under a host name that is not the registry's: for a client, 127.0.0.1 with another port
// may still be the same host.
func (s *stranger) url(path string) string {
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	return "http://localhost:" + port + path
}

func (s *stranger) withCredentials() (all int, told []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.visits {
		if !strings.HasSuffix(v, ` ""`) {
			told = append(told, v)
		}
	}
	return len(s.visits), told
}

// A registry may point elsewhere: with the next page, with a redirect, with the place for an upload. None of these
// places gets a header with credentials.
func TestCredentialsStayWithTheRegistry(t *testing.T) {
	for name, test := range map[string]struct {
		method, path, header string
		status               int
		mustVisit            bool
	}{
		"next page":     {"GET", "/tags/list", "Link", http.StatusOK, false},
		"list moved":    {"GET", "/tags/list", "Location", http.StatusTemporaryRedirect, true},
		"manifest read": {"HEAD", "/manifests/0.0.1-rc.1$", "Location", http.StatusTemporaryRedirect, true},
		"upload":        {"POST", "/blobs/uploads/", "Location", http.StatusAccepted, false},
		"upload moved":  {"POST", "/blobs/uploads/", "Location", http.StatusTemporaryRedirect, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, other := registrytest.Start(t, registrytest.Options{Token: true}), newStranger(t)
			value := other.url("/v2/" + fleet + "/elsewhere")
			if test.header == "Link" {
				value = "<" + value + `>; rel="next"`
			}
			answer := registrytest.Status(test.status, http.Header{test.header: {value}}, `{"name":"acme/fleet","tags":[]}`)
			s.Intercept(registrytest.On(test.method, test.path, func(w http.ResponseWriter, r *http.Request, n int, next http.Handler) {
				if r.Header.Get("Authorization") == "" {
					next.ServeHTTP(w, r) // let it ask for a token first
					return
				}
				answer(w, r, n, next)
			}))
			r := programtest.Run(t, []string{timeA, "OCI_PROMOTE_PASSWORD=" + s.Password, "GITHUB_TOKEN=ghs_verysecret"},
				"build", "--repository", s.Host+"/"+fleet, "--plain-http", "--username", s.Username, "--path", smallTree(t),
				"--revision", "main@sha1:"+commitA, "--retry-for", "0s")
			all, told := other.withCredentials()
			t.Logf("exit status %d, %d visits\n%s", r.Code, all, r.Stderr)
			if len(told) > 0 {
				t.Errorf("requests with credentials to another host:\n%s", strings.Join(told, "\n"))
			}
			if !strings.Contains(s.RequestLog(), fmt.Sprintf(" %d\n", test.status)) || test.mustVisit && all == 0 {
				t.Errorf("the fault had no effect:\n%s", s.RequestLog())
			}
		})
	}
}

// All that leaves for other hosts goes through a proxy here, and nothing may: not even a GitHub token at hand is
// a reason to talk to GitHub when no GitHub repository is known.
func TestNoOtherHostIsAsked(t *testing.T) {
	s, other := registrytest.Start(t, registrytest.Options{Token: true}), newStranger(t)
	proxy := other.URL
	programtest.BuildOn(t, s, []string{timeA, "GITHUB_TOKEN=ghs_verysecret", "HTTP_PROXY=" + proxy, "HTTPS_PROXY=" + proxy}, platform, commitA)
	if all, _ := other.withCredentials(); all > 0 {
		t.Errorf("requests to other hosts:\n%s", strings.Join(other.visits, "\n"))
	}
	// The proxy works: without it the same build with a repository that is elsewhere could not show anything.
	programtest.Run(t, []string{timeA, "HTTP_PROXY=" + proxy, "HTTPS_PROXY=" + proxy, "GITHUB_TOKEN=ghs_verysecret"}, "build",
		"--repository", "registry.example/acme/fleet", "--plain-http", "--path", platform, "--revision", "main@sha1:"+commitA,
		"--retry-for", "0s", "--dry-run")
	all, told := other.withCredentials()
	if all == 0 || len(told) > 0 {
		t.Errorf("%d requests through the proxy, with credentials: %q", all, told)
	}
}

func smallTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	programtest.Write(t, filepath.Join(dir, "a.yaml"), "a: 1\n")
	return dir
}
