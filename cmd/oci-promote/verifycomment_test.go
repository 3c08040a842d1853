package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// talk is a GitHub with comments on pull requests. Pull request N was merged as commit N, N minutes after the day began.
type talk struct {
	*httptest.Server
	mu       sync.Mutex
	status   string // how the newer of two commits stands to the older
	from, to int    // the pull requests in between, and what else there is of merged ones
	comments map[int][]string
	requests []string
	fault    func(w http.ResponseWriter, method, path string, serve func()) bool
}

func startTalk(t *testing.T, status string, from, to int) *talk {
	t.Helper()
	h := &talk{status: status, from: from, to: to, comments: map[int][]string{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		path := strings.TrimPrefix(r.URL.Path, "/repos/acme/fleet/")
		h.requests = append(h.requests, r.Method+" "+path)
		if h.fault == nil || !h.fault(w, r.Method, path, func() { h.serve(httptest.NewRecorder(), r, path) }) {
			h.serve(w, r, path)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *talk) serve(w http.ResponseWriter, r *http.Request, path string) {
	answer := []any{}
	parts := strings.Split(path, "/")
	switch {
	case parts[0] == "compare" && h.status == "unknown":
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"message":"Not Found"}`)
		return
	case parts[0] == "compare":
		status := h.status
		if parts[1] == shaB+"..."+shaA { // A is the older one
			status = map[string]string{"ahead": "behind", "behind": "ahead"}[status]
		}
		for n := h.from; n <= h.to; n++ {
			answer = append(answer, map[string]any{"sha": mergedAs(n), "commit": map[string]any{"committer": map[string]any{"date": mergedAt(n)}}})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "commits": answer})
		return
	case path == "pulls":
		for n := h.to + 1; n > 0; n-- {
			answer = append(answer, map[string]any{"number": n, "merged_at": mergedAt(n), "updated_at": mergedAt(n), "merge_commit_sha": mergedAs(n)})
		}
	case path == "commits": // asked whether they can be read
	case parts[len(parts)-1] == "files":
		answer = append(answer, map[string]any{"filename": "platform/app.yaml"})
	case r.Method == http.MethodPost:
		n, _ := strconv.Atoi(parts[1])
		var asked struct{ Body string }
		_ = json.NewDecoder(r.Body).Decode(&asked)
		h.comments[n] = append(h.comments[n], asked.Body)
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"id":%d}`, len(h.comments[n]))
		return
	default:
		n, _ := strconv.Atoi(parts[1])
		for i, body := range h.comments[n] {
			answer = append(answer, map[string]any{"id": i + 1, "body": body})
		}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func mergedAs(n int) string      { return fmt.Sprintf("%040d", n) }
func mergedAt(n int) time.Time   { return day.Add(time.Duration(n) * time.Minute) }
func lines(all ...string) string { return strings.Join(all, "\n") }

// asked is how many requests there were, sent how many of them write.
func (h *talk) asked() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.requests)
}

func (h *talk) sent() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Count(strings.Join(h.requests, "\n"), "POST")
}

// actor is the program in a job, and the API as it opens it but for the pause.
func (h *talk) actor(t *testing.T) (*command, *github.Repository) {
	t.Helper()
	env := map[string]string{"GITHUB_REPOSITORY": "Acme/fleet", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ID": "77"}
	retrier := &oci.Retrier{Budget: time.Minute}
	api, err := github.Open(github.Options{Repository: "acme/fleet", APIURL: h.URL, Token: "ghs_x", Transport: retrier.Transport(oci.NewTransport()), Pause: 1})
	if err != nil {
		t.Fatal(err)
	}
	return &command{getenv: func(name string) string { return env[name] }, secrets: &action.Secrets{}}, api
}

// liveSince is a report of an artifact that live has since half past eight.
func liveSince(more func(a *pipeline.Arrival)) *pipeline.Report {
	a := pipeline.Arrival{Version: "0.1.5", Commit: shaB, Previous: "0.1.4", PreviousCommit: shaA, At: day.Add(30 * time.Minute)}
	if more != nil {
		more(&a)
	}
	return &pipeline.Report{
		Mode: action.Verify, Outcome: pipeline.Healthy, Repository: "ghcr.io/acme/fleet", Selected: &pipeline.Selected{},
		Diagnosis: &pipeline.Diagnosis{Arrivals: []pipeline.Arrival{a}, Versions: []pipeline.Version{
			{Version: "0.1.6", Tags: []string{"0.1.6", "0.1.2", "0.1.4", "0.1.3-rc.9", "sha-aaaaaaa"}}, {Version: "0.1.5", Tags: []string{"0.1.5", "0.1.5-rc.12"}},
		}},
	}
}

func rolledBack(a *pipeline.Arrival) {
	*a = pipeline.Arrival{Version: "0.1.6", Commit: shaA, Previous: "0.1.5", PreviousCommit: shaB, Rollback: true, At: a.At}
}

// What each arrival tells whom.
func TestComment(t *testing.T) {
	const (
		home  = "https://github.com/Acme/fleet"
		links = "](" + home + "/compare/%s...%s) · [package](" + home + "/pkgs/container/fleet) · [run](" + home + "/actions/runs/77)</sub>\n"
	)
	below := func(sha, commits string) string {
		return "\n\n<sub>`ghcr.io/acme/fleet` · commit [`" + sha[:7] + "`](" + home + "/commit/" + sha + ") · [" + commits + fmt.Sprintf(links, shaA, shaB)
	}
	tests := []struct {
		name     string
		status   string // of B to A
		arrival  func(a *pipeline.Arrival)
		comments map[int]string
		told     []string // log lines, notices and warnings
	}{
		{"live", "ahead", nil, map[int]string{
			12: "<!-- oci-promote: ghcr.io%2Facme%2Ffleet+0.1.5+live -->\nLive as `0.1.5`, 18 minutes after the merge." + below(shaB, "what became live"),
			13: "<!-- oci-promote: ghcr.io%2Facme%2Ffleet+0.1.5+live -->\nLive as `0.1.5`, 17 minutes after the merge." + below(shaB, "what became live"),
		}, []string{"  comments     #13 #12 (live as 0.1.5)"}},
		{"rolled back", "ahead", rolledBack, map[int]string{
			12: "<!-- oci-promote: ghcr.io%2Facme%2Ffleet+0.1.6+back -->\nLive went back to `0.1.4` (as `0.1.6`), which takes this change back." + below(shaA, "what went"),
			13: "<!-- oci-promote: ghcr.io%2Facme%2Ffleet+0.1.6+back -->\nLive went back to `0.1.4` (as `0.1.6`), which takes this change back." + below(shaA, "what went"),
		}, []string{"  comments     #13 #12 (live went back, as 0.1.6)"}},
		{"back to what was never live", "ahead", func(a *pipeline.Arrival) { rolledBack(a); a.Version = "0.1.7" }, map[int]string{
			12: "<!-- oci-promote: ghcr.io%2Facme%2Ffleet+0.1.7+back -->\nLive went back to commit [`aaaaaaa`](https://github.com/Acme/fleet/commit/" + shaA + ") (as `0.1.7`), which takes this change back." + below(shaA, "what went"),
			13: "<!-- oci-promote: ghcr.io%2Facme%2Ffleet+0.1.7+back -->\nLive went back to commit [`aaaaaaa`](https://github.com/Acme/fleet/commit/" + shaA + ") (as `0.1.7`), which takes this change back." + below(shaA, "what went"),
		}, []string{"  comments     #13 #12 (live went back, as 0.1.7)"}},
		{"made live again after a rollback", "ahead", func(a *pipeline.Arrival) { a.Version, a.Rollback = "0.1.7", true }, map[int]string{
			12: "<!-- oci-promote: ghcr.io%2Facme%2Ffleet+0.1.7+live -->\nLive as `0.1.7`, 18 minutes after the merge." + below(shaB, "what became live"),
			13: "<!-- oci-promote: ghcr.io%2Facme%2Ffleet+0.1.7+live -->\nLive as `0.1.7`, 17 minutes after the merge." + below(shaB, "what became live"),
		}, []string{"  comments     #13 #12 (live as 0.1.7)"}},
		{"the same commit", "identical", nil, nil, nil},
		{"diverged", "diverged", nil, nil, []string{"no pull request gets a comment about 0.1.5: its commit bbbbbbb and that of 0.1.4 before it, aaaaaaa, have diverged: neither contains the other"}},
		{"unknown", "unknown", nil, nil, []string{"no pull request gets a comment about 0.1.5: GitHub knows no history of both its commit bbbbbbb and that of 0.1.4 before it, aaaaaaa"}},
		{"the first", "", func(a *pipeline.Arrival) { a.Previous, a.PreviousCommit = "", "" }, nil, []string{"no pull request gets a comment about 0.1.5: it is the first that is known to run on live, so that all would be new"}},
		{"no commit", "", func(a *pipeline.Arrival) { a.Commit = "" }, nil, []string{"no pull request gets a comment about 0.1.5: its artifact, or that of 0.1.4, does not tell its commit"}},
		{"no commit before", "", func(a *pipeline.Arrival) { a.PreviousCommit = "../../x" }, nil, []string{"no pull request gets a comment about 0.1.5: its artifact, or that of 0.1.4, does not tell its commit"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := startTalk(t, test.status, 12, 13)
			for _, dryRun := range []bool{true, false, false} {
				c, api := h.actor(t)
				r := liveSince(test.arrival)
				before := h.sent()
				c.comment(t.Context(), api, r, "platform", true, dryRun)
				var told []string
				for _, line := range reportLines(*r) {
					if strings.HasPrefix(line, "  comments") {
						told = append(told, line)
					}
				}
				told = append(append(told, r.Notices...), r.Warnings...)
				want := test.told
				switch {
				case len(test.comments) > 0 && dryRun:
					want = []string{strings.Replace(want[0], "  comments     ", "would comment on ", 1)}
				case len(test.comments) > 0 && before > 0:
					want = nil
				}
				if !slices.Equal(told, want) || r.Outcome != pipeline.Healthy {
					t.Errorf("dry run %v, %d sent: it tells\n%s\nwant\n%s", dryRun, before, lines(told...), lines(want...))
				}
			}
			if len(h.comments) != len(test.comments) || h.sent() != len(test.comments) {
				t.Errorf("comments on %d, of %d sent", len(h.comments), h.sent())
			}
			for n, want := range test.comments {
				if got := h.comments[n]; len(got) != 1 || got[0] != want {
					t.Errorf("#%d has\n%q\nwant\n%q", n, got, want)
				}
			}
			if test.status == "" && h.asked() > 0 {
				t.Errorf("it asks %q", h.requests)
			}
		})
	}
}

// With nothing new nothing is asked, and a word is said only where nobody could tell.
func TestCommentNothingNew(t *testing.T) {
	h := startTalk(t, "ahead", 1, 2)
	c, api := h.actor(t)
	for told, want := range map[bool]string{true: "", false: "comment: true writes nothing, since nobody tells what live runs: set live-status-context, or give cluster-state of live"} {
		r := liveSince(nil)
		r.Arrivals = nil
		c.comment(t.Context(), api, r, ".", told, false)
		if strings.Join(r.Notices, "\n") != want || r.Warnings != nil || h.asked() > 0 {
			t.Errorf("told %v: %q, %q, asked %q", told, r.Notices, r.Warnings, h.requests)
		}
	}
	r := liveSince(nil)
	c.comment(t.Context(), nil, r, ".", true, false)
	if r.Notices != nil || !slices.Equal(r.Warnings, []string{"comment: true needs a token and GITHUB_REPOSITORY, and one of them is missing"}) {
		t.Errorf("without a token: %q, %q", r.Notices, r.Warnings)
	}
}

// Two arrivals are told in the order in which they came, and of many pull requests 30 a run.
func TestCommentMany(t *testing.T) {
	h := startTalk(t, "ahead", 2, 21)
	c, api := h.actor(t)
	both := func() *pipeline.Report {
		r, back := liveSince(nil), liveSince(rolledBack)
		back.Arrivals[0].At = day.Add(time.Hour)
		r.Arrivals = append(back.Arrivals, r.Arrivals...)
		return r
	}
	r := both()
	c.comment(t.Context(), api, r, ".", true, false)
	if h.sent() != 30 || len(r.Commented) != 2 || len(r.Commented[0].Pulls) != 20 || r.Commented[0].Version != "0.1.5" || !r.Commented[1].Back || len(r.Commented[1].Pulls) != 10 ||
		!slices.Equal(r.Notices, []string{"and 10 more pull requests were taken back by 0.1.6, without a comment yet, which the next runs write: #11 #10 #9 #8 #7 #6 #5 #4 #3 #2"}) {
		t.Errorf("%d were sent: %+v, %q", h.sent(), r.Commented, r.Notices)
	}
	r = both()
	c.comment(t.Context(), api, r, ".", true, false)
	if h.sent() != 40 || len(r.Commented) != 1 || len(r.Commented[0].Pulls) != 10 || r.Notices != nil || r.Warnings != nil {
		t.Errorf("%d were sent: %+v, %q, %q", h.sent(), r.Commented, r.Notices, r.Warnings)
	}
	r = both()
	c.comment(t.Context(), api, r, ".", true, false)
	if h.sent() != 40 || r.Commented != nil || len(h.comments[1])+len(h.comments[22]) > 0 || len(h.comments) != 20 {
		t.Errorf("%d were sent: %+v", h.sent(), r.Commented)
	}
}

// GitHub fails: a warning with what to do, and the verdict stays. What a limit or a missing permission ends is ended.
func TestCommentFails(t *testing.T) {
	for _, test := range []struct {
		on, body string // method and a part of the path
		status   int
		warnings int
		says     []string
		sent     int
		header   string // Retry-After
	}{
		{"GET compare", `{"message":"Resource not accessible by integration"}`, 403, 1, []string{"the comments about 0.1.5 are not complete: comparing aaaaaaa with bbbbbbb", "`permissions: contents: read`"}, 0, ""},
		{"GET pulls", `{"message":"Resource not accessible by integration"}`, 403, 1, []string{"listing pull requests of acme/fleet: 403 Resource", "`permissions: pull-requests: write`"}, 0, ""},
		{"POST issues/13", `{"message":"Resource not accessible by integration"}`, 403, 1, []string{"writing a comment of pull request #13 of acme/fleet: 403 Resource", "`permissions: pull-requests: write`"}, 1, ""},
		{"POST issues/13", `{"message":"You have exceeded a secondary rate limit"}`, 403, 1, []string{"secondary rate limit", "GitHub asks for a pause"}, 1, "3600"},
		{"POST issues/13", `{"message":"Too many requests"}`, 429, 1, []string{"429", "GitHub asks for a pause"}, 1, "3600"},
		{"POST issues/13", `{"message":"Validation Failed"}`, 422, 1, []string{"#13 of acme/fleet: 422 Validation Failed"}, 2, ""},
		{"POST", `{"message":"Validation Failed"}`, 422, 2, []string{"#13 of acme/fleet: 422 Validation Failed"}, 2, ""},
		{"POST issues/13", `{"message":"Unable to create comment because issue is locked."}`, 403, 0, []string{"no comment about 0.1.5 on #13: the conversation is locked"}, 2, ""},
	} {
		t.Run(fmt.Sprint(test.on, " ", test.status), func(t *testing.T) {
			h := startTalk(t, "ahead", 12, 13)
			h.fault = func(w http.ResponseWriter, method, path string, _ func()) bool {
				if !strings.HasPrefix(method+" "+path, test.on) {
					return false
				}
				if test.header != "" {
					w.Header().Set("Retry-After", test.header)
				}
				w.WriteHeader(test.status)
				_, _ = fmt.Fprint(w, test.body)
				return true
			}
			c, api := h.actor(t)
			r := liveSince(nil)
			c.comment(t.Context(), api, r, ".", true, false)
			all := lines(append(slices.Clone(r.Warnings), r.Notices...)...)
			for _, part := range test.says {
				if !strings.Contains(all, part) {
					t.Errorf("it does not say %q:\n%s", part, all)
				}
			}
			if len(r.Warnings) != test.warnings || h.sent() != test.sent || r.Outcome != pipeline.Healthy {
				t.Errorf("%d were sent: %q, %q", h.sent(), r.Warnings, r.Notices)
			}
		})
	}
}

// What ends the comments of one arrival ends those of the next. Of more commits than are read, and more pull requests than
// are listed, a notice tells.
func TestCommentStops(t *testing.T) {
	h := startTalk(t, "ahead", 12, 13)
	h.fault = func(w http.ResponseWriter, method, _ string, _ func()) bool {
		if method == http.MethodPost {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(w, `{"message":"Resource not accessible by integration"}`)
		}
		return method == http.MethodPost
	}
	c, api := h.actor(t)
	r := liveSince(nil)
	r.Arrivals = append(r.Arrivals, liveSince(rolledBack).Arrivals...)
	c.comment(t.Context(), api, r, ".", true, false)
	if h.sent() != 1 || len(r.Warnings) != 1 || !slices.Equal(r.Notices, []string{"not looked at for a comment about 0.1.5: #12"}) {
		t.Errorf("%d were sent: %q, %q", h.sent(), r.Warnings, r.Notices)
	}
	for path, want := range map[string]string{
		"compare": "no pull request gets a comment about 0.1.5: it is more than 1000 commits from 0.1.4",
		"pulls":   "too many pull requests were updated lately: one that was not, and is in 0.1.5, may get no comment",
	} {
		h := startTalk(t, "ahead", 1, 2)
		h.fault = func(w http.ResponseWriter, _, asked string, _ func()) bool {
			if strings.HasPrefix(asked, path) { // there is always a next page
				w.Header().Set("Link", "<"+h.URL+`/x?page=2>; rel="next"`)
			}
			return false
		}
		c, api := h.actor(t)
		r := liveSince(nil)
		c.comment(t.Context(), api, r, ".", true, false)
		if !slices.Equal(r.Notices, []string{want}) || r.Warnings != nil || (h.sent() == 2) != (path == "pulls") {
			t.Errorf("%s: %d were sent: %q, %q", path, h.sent(), r.Warnings, r.Notices)
		}
	}
}

// An answer that is lost after the comment was written is not asked for again by the retries that all clients share.
func TestCommentIsSentOnce(t *testing.T) {
	for name, lose := range map[string]func(w http.ResponseWriter){
		"502": func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) },
		"503 with a delay": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"reset": func(w http.ResponseWriter) {
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_ = conn.Close()
			}
		},
	} {
		for done, want := range map[bool]int{true: 2, false: 0} {
			t.Run(fmt.Sprint(name, ", written ", done), func(t *testing.T) {
				h := startTalk(t, "ahead", 12, 13)
				h.fault = func(w http.ResponseWriter, method, _ string, serve func()) bool {
					if method != http.MethodPost {
						return false
					}
					if done {
						serve()
					}
					lose(w)
					return true
				}
				c, api := h.actor(t)
				r := liveSince(nil)
				c.comment(t.Context(), api, r, ".", true, false)
				if h.sent() != 2 || len(h.comments) != want || done != (len(r.Warnings) == 0) {
					t.Errorf("%d were sent: %q, %v", h.sent(), r.Warnings, h.comments)
				}
				h.mu.Lock()
				h.fault = nil
				h.mu.Unlock()
				c.comment(t.Context(), api, liveSince(nil), ".", true, false)
				if len(h.comments[12]) != 1 || len(h.comments[13]) != 1 {
					t.Errorf("in the end there are %v", h.comments)
				}
			})
		}
	}
}

// Names are text from outside: they can mention nobody, close nothing, and end no link.
func TestCommentText(t *testing.T) {
	h := startTalk(t, "ahead", 12, 12)
	c, api := h.actor(t)
	r := liveSince(func(a *pipeline.Arrival) {
		a.Version = "0.1.5` @octocat fixes #1 -->\n<img src=x>"
	})
	r.Repository = "oci-layout:a`@octocat/[x](https://evil.test) fixes #1 -->"
	c.comment(t.Context(), api, r, ".", true, false)
	body := h.comments[12][0]
	first, text, _ := strings.Cut(body, "\n")
	if strings.Count(first, "-->") != 1 || !strings.HasSuffix(first, " -->") {
		t.Errorf("the marker is %q", first)
	}
	for _, bad := range []string{"@o", "#1", "](https://evil", "://evil", "<img", "-->"} {
		if strings.Contains(text, bad) {
			t.Errorf("the comment has %q:\n%s", bad, text)
		}
	}
}

func TestAfterMerge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "", 0: ", less than a minute after the merge", 59 * time.Second: ", less than a minute after the merge",
		time.Minute: ", 1 minute after the merge", 14*time.Minute + 59*time.Second: ", 14 minutes after the merge",
		time.Hour: ", 1 hour after the merge", 47 * time.Hour: ", 47 hours after the merge", 48 * time.Hour: ", 2 days after the merge", 1000 * time.Hour: ", 41 days after the merge",
	} {
		if got := afterMerge(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestTellsLive(t *testing.T) {
	state := func(roles ...cluster.Role) (states []*cluster.State) {
		for _, role := range roles {
			states = append(states, &cluster.State{Role: role})
		}
		return states
	}
	for _, test := range []struct {
		context string
		states  []*cluster.State
		want    bool
	}{
		{"", nil, false},
		{" ", nil, false},
		{"kustomization/platform-live", nil, true},
		{"", state(cluster.Integration), false},
		{"", state(cluster.Live), true},
		{"", state(cluster.Integration, cluster.Live), true},
		{"", state(""), true}, // its objects may say that it is live's
	} {
		if got := tellsLive(action.Values{"live-status-context": test.context}, test.states); got != test.want {
			t.Errorf("%q, %v: %v", test.context, test.states, got)
		}
	}
}

// The summary links to each, one that begins like another too.
func TestCommentsRow(t *testing.T) {
	c := pipeline.Commented{Version: "0.1.5", Pulls: []int{12, 1}}
	want := `[\#&#8203;12](https://github.com/acme/fleet/pull/12) [\#&#8203;1](https://github.com/acme/fleet/pull/1) (live as 0.1.5)`
	if got := commentsRow(c, pages{repository: "https://github.com/acme/fleet"}); got != want {
		t.Errorf("got %s", got)
	}
	if got := commentsRow(c, pages{}); got != `\#&#8203;12 \#&#8203;1 (live as 0.1.5)` {
		t.Errorf("got %s", got)
	}
}
