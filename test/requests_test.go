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

// What a build costs, in requests of any kind, the 401 and the one for a token included. The first of all also uploads the
// config blob, in two requests. A repeat that does not know that it is one begins with an upload, as any build does.
const (
	firstCost    = 14
	buildCost    = 12
	repeatedCost = 7
	againCost    = 6
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
	for _, foreign := range []int{0, 990, 1000} {
		t.Run(fmt.Sprintf("%d tags", foreign), func(t *testing.T) {
			s := registrytest.Start(t, registrytest.Options{Token: true})
			if foreign > 0 {
				s.Seed(fleet, foreignTags(foreign)...)
			}
			tree := smallTree(t)
			again := "GITHUB_RUN_ATTEMPT=2"
			for _, build := range []struct {
				name, commit, time, attempt, content string
				cost                                 int
			}{
				{"first build", commitA, timeA, "", "a: 1\n", firstCost},
				{"same commit again", commitA, timeA, "", "a: 1\n", repeatedCost},
				{"same job again", commitA, timeA, again, "a: 1\n", againCost},
				{"next build", commitB, timeB, "", "a: 2\n", buildCost},
				{"next build again", commitB, timeB, again, "a: 2\n", againCost},
				{"old commit again", commitA, timeA, again, "a: 1\n", againCost},
				{"promotion", commitA, "", "", "", 0},
				{"build above a stable", commitC, programtest.DayOf(2), "", "a: 3\n", buildCost},
				{"build above a stable, as a second attempt", strings.Repeat("d", 40), programtest.DayOf(3), again, "a: 4\n", buildCost},
				{"promoted commit again", commitA, timeA, again, "a: 1\n", againCost},
			} {
				if build.time == "" {
					programtest.TagOnce(t, s, nil, "--artifact-sha", build.commit)
					continue
				}
				programtest.Write(t, filepath.Join(tree, "a.yaml"), build.content)
				s.Reset()
				height := "4"
				if build.commit[0] != 'd' {
					height = programtest.Height(build.commit)
				}
				programtest.BuildOn(t, s, []string{build.time, build.attempt}, tree, build.commit, "--height", height)
				log := s.Requests()
				t.Logf("%s: %d requests\n%s", build.name, len(log), s.RequestLog())
				checkTokens(t, s)
				checkCost(t, s, build.name, build.cost)
				switch {
				case build.attempt != "" && build.cost == againCost:
					checkNoWrites(t, s)
				case build.cost == repeatedCost:
					checkNothingIsTagged(t, s)
				default:
					checkOrder(t, log, build.commit)
				}
			}
		})
	}
}

// checkCost: further pages of a list are not counted here, but in TestRequestsPerPage. An upload that a run gives up, as it
// finds everything done, may end before it was begun.
func checkCost(t *testing.T, s *registrytest.Server, name string, want int) {
	t.Helper()
	got := 0
	for _, r := range s.Requests() {
		if !strings.Contains(r.Path, "/tags/list?last=") {
			got++
		}
	}
	if got != want && (want != repeatedCost || got != againCost) {
		t.Errorf("%s: %d requests, want %d\n%s", name, got, want, s.RequestLog())
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

// checkNothingIsTagged: a run that finds everything done may have asked whether the layer is there, and no more.
func checkNothingIsTagged(t *testing.T, s *registrytest.Server) {
	t.Helper()
	for _, r := range s.Requests() {
		begins := r.Method == http.MethodPost && strings.Contains(r.Path, "/blobs/uploads/?mount=")
		if r.Method != http.MethodGet && r.Method != http.MethodHead && !begins {
			t.Errorf("a run that finds everything done sends %s %s", r.Method, r.Path)
		}
	}
}

// checkOrder: the candidate is read as absent and written when the blobs are there, then sha- and integration- with a list
// beside them, then the candidate is read back; and no question is asked twice: a build waits for nobody.
func checkOrder(t *testing.T, log []registrytest.Request, commit string) {
	t.Helper()
	var steps []string
	asked := map[string]int{}
	candidate, uploaded := "", int64(0)
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
			if uploaded = max(uploaded, r.Answered.UnixNano()); candidate != "" {
				t.Errorf("%s %s comes after the candidate", r.Method, r.Path)
			}
		case isManifest && r.Method == http.MethodPut:
			steps = append(steps, "write "+tag)
			if strings.Contains(tag, "-rc.") {
				candidate = tag
				if r.Start.UnixNano() < uploaded {
					t.Errorf("%s is written before its blobs are there", tag)
				}
			}
		case isManifest && strings.Contains(tag, "-rc."):
			steps = append(steps, map[int]string{http.StatusNotFound: "free", http.StatusOK: "read back"}[r.Status]+" "+tag)
		}
		if isManifest {
			asked[r.Method+tag]++
		}
	}
	want := []string{"list", "free " + candidate, "blobs", "write " + candidate, "list", "write integration-" + commit[:7], "write sha-" + commit[:7], "read back " + candidate}
	order := slices.Clone(steps)
	for _, beside := range [][2]int{{0, 3}, {4, 7}} { // what comes first of these is chance
		if beside[1] <= len(steps) {
			slices.Sort(steps[beside[0]:beside[1]])
			slices.Sort(want[beside[0]:beside[1]])
		}
	}
	if free := slices.Index(order, "free "+candidate); free < slices.Index(order, "list") {
		t.Errorf("the candidate is looked at before the list: %q", order)
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
	if cost[1] != firstCost {
		t.Errorf("%d requests with one page, want %d", cost[1], firstCost)
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
				"--revision", "main@sha1:"+commitA, "--height", "1", "--retry-for", "0s")
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
		"--repository", "registry.example/acme/fleet", "--plain-http", "--path", platform, "--revision", "main@sha1:"+commitA, "--height", "1",
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
