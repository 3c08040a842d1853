package github

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-github/v60/github"
)

// answers gives each request the same answer, without a network, and counts them.
type answers struct {
	status     int
	body, link string
	asked      []*http.Request
}

func (a *answers) RoundTrip(req *http.Request) (*http.Response, error) {
	a.asked = append(a.asked, req)
	h := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Link": {a.link}}
	return &http.Response{
		StatusCode: a.status, Status: fmt.Sprint(a.status), Header: h, Request: req, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}, nil
}

// Whatever GitHub, or what answers in its place, says: a value that is given holds what its doc comment promises, an
// error names the repository and not the token, the token stays at GitHub, and reading ends.
func FuzzAnswers(f *testing.F) {
	const who = `"committer":{"date":"2026-11-23T09:00:00Z"}`
	for _, body := range []string{
		`{"sha":"` + older + `","total_count":2,"statuses":[{"id":1,"context":"Kustomization/platform/x","state":"success","updated_at":"2026-11-23T09:00:00Z"},{"id":2,"context":"kustomization/platform/x","state":"failure","updated_at":"2026-11-23T09:00:00Z"}]}`,
		`{"total_count":1,"workflow_runs":[{"id":7,"name":"a\nb","path":".github/workflows/b.yaml@main","run_attempt":1,"created_at":"2026-11-23T09:00:00Z"},{}]}`,
		`{"total_count":1,"jobs":[{"name":"build","conclusion":"failure","steps":[{"name":"Push","conclusion":"failure"},null]},null]}`,
		`{"sha":"` + older + `",` + who + `,"status":"ahead","commits":[{"sha":"` + older + `","commit":{"message":"feat: a",` + who + `}},null]}`,
		`[{"sha":"` + older + `","commit":{` + who + `}}]`, `[{"sha":"main\n::error::x","commit":{` + who + `}}]`, `[null]`, `[]`, `null`, `{}`, ``, older, older + "\n", "<html>", `{"message":"Not Found"}`,
		`[{"number":3,"labels":[{"name":"OCI-Promote"}],"body":"` + marker("a") + `\r\nx"},null,{"number":1,"labels":[null],"body":null}]`,
		`{"message":"Validation Failed","errors":[{"message":"a\n\nb"},{"field":"x","code":"y"}]}`, `{"message":"You have exceeded a secondary rate limit","documentation_url":"https://docs.github.com/rest#secondary-rate-limits"}`,
	} {
		for _, status := range []int{200, 403, 404, 409, 422, 502} {
			f.Add(status, body, "")
		}
		f.Add(200, body, `<https://ghe.test/api/v3/x?page=2&after=c>; rel="next"`)
		f.Add(200, body, `<https://evil.test/x?page=3>; rel="next"`)
	}
	f.Fuzz(func(t *testing.T, status int, body, link string) {
		if status < 200 || status > 599 || status/100 == 3 || strings.ContainsAny(link, "\r\n\x00") {
			return
		}
		gh := &answers{status: status, body: body, link: link}
		r, err := Open(Options{Repository: "acme/fleet", APIURL: "https://ghe.test/api/v3", Token: token, Transport: gh})
		if err != nil {
			t.Fatal(err)
		}
		said := func(err error) {
			t.Helper()
			if err != nil && (strings.Contains(err.Error(), token) || !strings.Contains(err.Error(), "acme/fleet")) {
				t.Errorf("the error is %q", err)
			}
			if len(gh.asked) > 2*maxPages+1 {
				t.Errorf("%d requests", len(gh.asked))
			}
			for _, req := range gh.asked {
				if req.URL.Host != "ghe.test" || req.URL.Scheme != "https" || !strings.HasPrefix(req.URL.Path, "/api/v3/repos/acme/fleet/") {
					t.Errorf("%s is asked", req.URL)
				}
			}
			gh.asked = nil
		}
		ctx := t.Context()
		full := func(what, commit string, err error) {
			t.Helper()
			if commit != "" && (err != nil || !fullCommit.MatchString(commit)) {
				t.Errorf("%s is %q, %v", what, commit, err)
			}
			said(err)
		}
		commit, at, err := r.Head(ctx, ".")
		full("the head", commit, err)
		if (commit == "") != at.IsZero() {
			t.Errorf("the head %q is of %s", commit, at)
		}
		commit, err = r.FullCommit(ctx, older[:7])
		full("the commit", commit, err)
		when, err := r.CommitTime(ctx, older)
		if (err == nil) == when.IsZero() || when.Location() != time.UTC {
			t.Errorf("the commit is of %s, %v", when, err)
		}
		said(err)
		if word, err := r.Compare(ctx, newer, older); word != "" && (err != nil || reversed[word] == "") {
			t.Errorf("it is %q, and %v", word, err)
		} else {
			said(err)
		}
		messages, err := r.Messages(ctx, older, newer, "apps")
		if err != nil && messages != nil {
			t.Errorf("%d messages and %v", len(messages), err)
		}
		said(err)
		lists(t, r, said)
	})
}

// Whatever is said of a package, a version that is given has a digest, tags that were told and a time, what is gone was said
// to be by GitHub, and what is deleted too; the token stays at GitHub, and reading ends.
func FuzzPackageAnswers(f *testing.F) {
	const owner = `{"login":"acme","type":"User"}`
	for _, body := range []string{
		"[" + versionJSON(7) + "," + versionJSON(8) + "]", "[" + versionJSON(7) + "," + versionJSON(7) + "]", versionJSON(7), `[]`, `[null]`, `null`, `{}`, ``, "<html>",
		`{"message":"Package version not found."}`, `{"message":"You cannot delete the last tagged version of a package."}`, `{"message":"x downloads"}`,
		strings.Replace(versionJSON(7), "sha256", "sha512", 1), strings.Replace(versionJSON(7), `["a"]`, "null", 1),
	} {
		for _, status := range []int{200, 204, 400, 403, 404, 502} {
			f.Add(status, owner, body, "")
		}
		f.Add(200, owner, body, `<https://evil.test/x?page=3>; rel="next"`)
	}
	f.Add(200, `{"login":"acme","type":"Bot"}`, "[]", "")
	f.Fuzz(func(t *testing.T, status int, owner, body, link string) {
		if status < 200 || status > 599 || status/100 == 3 || strings.ContainsAny(link, "\r\n\x00") {
			return
		}
		gh := &answers{status: 200, body: owner}
		p := openPackage(t, Options{APIURL: "https://ghe.test/api/v3", Transport: gh}, platform)
		located := p.locate(t.Context())
		gh.status, gh.body, gh.link = status, body, link
		all, err := p.Versions(t.Context())
		seen := map[int64]bool{}
		for _, v := range all {
			if seen[v.ID] || !digestName.MatchString(v.Digest) || v.Tags == nil || v.Pushed.IsZero() || err != nil {
				t.Errorf("the version %+v, %v", v, err)
			}
			seen[v.ID] = true
		}
		v, there, gone := p.Version(t.Context(), 7)
		if there != (v.ID == 7) || !there && gone == nil || there && gone != nil { // the list is answered alike
			t.Errorf("the version is %+v, %v, %v", v, there, gone)
		}
		deleted := p.Delete(t.Context(), 7)
		if (deleted == nil) != (located == nil && status == http.StatusNoContent) {
			t.Errorf("%d %q is taken for %v", status, body, deleted)
		}
		for _, err := range []error{err, gone, deleted} {
			if err != nil && (strings.Contains(err.Error(), token) || !strings.Contains(err.Error(), platform)) {
				t.Errorf("the error is %q", err)
			}
		}
		for _, req := range gh.asked {
			if req.URL.Host != "ghe.test" || req.URL.Scheme != "https" || !strings.HasPrefix(req.URL.EscapedPath(), "/api/v3/users/acme") || len(gh.asked) > maxVersionPages+10 {
				t.Errorf("%s is asked", req.URL)
			}
		}
	})
}

// lists holds what is read as a list to its order.
func lists(t *testing.T, r *Repository, said func(error)) {
	t.Helper()
	statuses, err := r.Statuses(t.Context(), older)
	seen := map[string]bool{}
	for _, s := range statuses {
		if key := strings.ToLower(s.Context); seen[key] {
			t.Errorf("the context %q comes twice", s.Context)
		} else {
			seen[key] = true
		}
	}
	if !slices.IsSortedFunc(statuses, func(a, b Status) int { return strings.Compare(a.Context, b.Context) }) || err != nil && statuses != nil {
		t.Errorf("the statuses are %+v, %v", statuses, err)
	}
	said(err)
	runs, err := r.RunsOf(t.Context(), older)
	if !slices.IsSortedFunc(runs, func(a, b Run) int { return b.Started.Compare(a.Started) }) || err != nil && runs != nil {
		t.Errorf("the runs are %+v, %v", runs, err)
	}
	said(err)
	step, err := r.FailedStep(t.Context(), 7)
	if step != "" && (err != nil || !strings.HasPrefix(step, "job ")) {
		t.Errorf("the failed step is %q, %v", step, err)
	}
	said(err)
	page, err := r.Tracked(t.Context(), "a")
	if err != nil && page != "" {
		t.Errorf("the issue is %q, and %v", page, err)
	}
	said(err)
}

// The marker finds its artifact's issue and no other's; what is sent to GitHub has a length that it takes, and sent
// again it is the same.
func FuzzIssueText(f *testing.F) {
	for _, s := range []string{"ghcr.io/acme/fleet", "a--b", "-->", "x\n-->", "\xff", "é", "", " ", "a+b", "a b", "%2D", "a\r\n", strings.Repeat("é\n", 40_000), strings.Repeat("x", 70_000)} {
		f.Add(s, "ghcr.io/acme/other")
		f.Add("a", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		m := marker(a)
		if strings.ContainsAny(m, "\r\n\x00") || strings.Contains(strings.TrimSuffix(strings.TrimPrefix(m, "<!--"), "-->"), "--") || (m == marker(b)) != (a == b) {
			t.Errorf("the marker of %q is %q, of %q %q", a, m, b, marker(b))
		}
		body := marked(Tracking{Artifact: a, Body: b})
		kept := strings.ReplaceAll(body, "\n", "\r\n") // as GitHub may
		label := trackingLabel
		issue := &github.Issue{Body: &kept, Labels: []*github.Label{{Name: &label}}}
		if len(a) < 1000 && (!isTracking(issue, a) || a != b && isTracking(issue, b)) {
			t.Errorf("the issue of %q is not found again, or by %q", a, b)
		}
		if len(body) > maxText || !utf8.ValidString(body) || bounded(body) != body || !sameText(body, kept) {
			t.Errorf("the text of %q has %d bytes", b, len(body))
		}
		title := oneLine(b)
		if utf8.RuneCountInString(title) > maxTitle || strings.ContainsAny(title, "\r\n\u2028") || oneLine(title) != title {
			t.Errorf("%q becomes the title %q", b, title)
		}
	})
}

// What stands in the environment is a repository and a URL, or an error that says which variable is wrong.
func FuzzOpen(f *testing.F) {
	for _, s := range []string{"acme/fleet", "acme", "acme/fleet/x", "/", "a/..", "a b/c", "a/b?x=1", "a/b#c", "https://ghe.test/api/v3", "https://api.github.com", "http://[::1", "//x", "x:y", "https://u:p@ghe.test/", "\x00/\n"} {
		f.Add(s, "", "")
		f.Add("acme/fleet", s, "")
		f.Add("acme/fleet", "", s)
	}
	f.Fuzz(func(t *testing.T, repository, api, server string) {
		gh := &answers{status: 200, body: "[]"}
		r, err := Open(Options{Repository: repository, APIURL: api, ServerURL: server, Token: token, Transport: gh})
		var hinted *Error
		if err != nil {
			if !strings.HasPrefix(err.Error(), "GITHUB_") || strings.ContainsAny(err.Error(), "\r\n") || errors.As(err, &hinted) {
				t.Errorf("the error is %q", err)
			}
			return
		}
		if strings.Count(repository, "/") != 1 {
			t.Errorf("%q is a repository", repository)
		}
		_, _, err = r.Head(t.Context(), ".")
		for _, req := range gh.asked {
			if want := r.api.BaseURL; req.URL.Host != want.Host || req.URL.Scheme != want.Scheme || !strings.HasPrefix(req.URL.Path, want.Path) {
				t.Errorf("%q at %q asks %s, %v", repository, api, req.URL, err)
			}
		}
	})
}
