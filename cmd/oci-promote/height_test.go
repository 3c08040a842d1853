package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/github"
)

// counter is a GitHub that knows one commit's height and time, and what it was asked.
type counter struct {
	commit, link, date string
	asked              []string
}

func (g *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, count := strings.CutPrefix(r.URL.Path, "/repos/acme/fleet/")
	g.asked = append(g.asked, name)
	committer := `"committer":{"date":"` + g.date + `"}`
	switch {
	case !count || g.link == "":
		http.Error(w, `{"message":"Resource not accessible by integration"}`, http.StatusForbidden)
	case name == "commits":
		w.Header().Set("Link", g.link)
		_, _ = w.Write([]byte(`[{"sha":"` + g.commit + `","commit":{` + committer + `},"parents":[{}]}]`))
	default:
		_, _ = w.Write([]byte(`{"sha":"` + g.commit + `",` + committer + `}`))
	}
}

func (g *counter) open(t *testing.T) *github.Repository {
	t.Helper()
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	r, err := github.Open(github.Options{Repository: "acme/fleet", APIURL: s.URL, Token: "ghs_token"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Each question is asked of the first who knows, and one request answers both.
func TestOrigin(t *testing.T) {
	dir := repository(t)
	head := git(t, dir, "rev-parse", "HEAD")
	const link, date = `<https://x/?page=1534>; rel="last"`, "2026-05-06T07:08:09Z"
	var (
		here     = &clone{dir}
		nowhere  = &clone{t.TempDir()}
		byGitHub = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
		byEpoch  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		now      = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	)
	t.Setenv("GIT_CEILING_DIRECTORIES", nowhere.dir)
	tests := []struct {
		name       string
		input      uint64
		epoch      string
		clone      *clone
		link, date string // of GitHub; - for none that may be asked
		height     uint64
		created    time.Time
		warning    string
		asked      []string
	}{
		{"all is given", 7, "1767225600", here, link, date, 7, byEpoch, "", nil},
		{"the action", 0, "", nil, link, date, 1534, byGitHub, "", []string{"commits"}},
		{"the action, with a time", 0, "1767225600", nil, link, date, 1534, byEpoch, "", []string{"commits"}},
		{"the action, with a height", 7, "", nil, link, date, 7, byGitHub, "", []string{"git/commits/" + head}},
		{"the action, with a height alone", 7, "", nil, "-", "", 7, now, "no GitHub token", nil},
		{"GitHub knows no time", 0, "", nil, link, "0001-01-01T00:00:00Z", 1534, now, "no committer date", []string{"commits", "git/commits/" + head}},
		{"a clone", 0, "", here, "-", "", 4, committed, "", nil},
		{"a clone, and GitHub", 0, "", here, link, date, 4, committed, "", nil},
		{"a clone, with a time", 0, "1767225600", here, link, date, 4, byEpoch, "", nil},
		{"a clone, with a height", 7, "", here, link, date, 7, committed, "", nil},
		{"no clone, and GitHub", 0, "", nowhere, link, date, 1534, byGitHub, "", []string{"commits"}},
		{"no clone, with a height, and GitHub", 7, "", nowhere, link, date, 7, byGitHub, "", []string{"git/commits/" + head}},
		{"no clone, with a height", 7, "", nowhere, "-", "", 7, now, "no GitHub token", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			gh := &counter{commit: head, link: test.link, date: test.date}
			var api *github.Repository
			if test.link != "-" {
				api = gh.open(t)
			}
			c := &command{now: func() time.Time { return now }, getenv: func(name string) string { return map[string]string{"SOURCE_DATE_EPOCH": test.epoch}[name] }}
			o, err := c.origin(bundle.Revision{Ref: "main", Commit: head}, test.input, test.clone, api)
			if err != nil || len(gh.asked) > 0 {
				t.Fatal(err, gh.asked)
			}
			height, created, warning, err := o.ask(t.Context())
			if err != nil || height != test.height || !created.Equal(test.created) || created.Location() != time.UTC {
				t.Errorf("got %d, %v, %v", height, created, err)
			}
			if (warning == "") != (test.warning == "") || !strings.Contains(warning, test.warning) {
				t.Errorf("warned %q", warning)
			}
			if !slices.Equal(gh.asked, test.asked) {
				t.Errorf("asked %q", gh.asked)
			}
		})
	}
}

// A height is never guessed: who knows none is told each way to give it.
func TestOriginUnknown(t *testing.T) {
	nowhere := &clone{t.TempDir()}
	t.Setenv("GIT_CEILING_DIRECTORIES", nowhere.dir)
	tests := []struct {
		name    string
		clone   *clone
		mayAsk  bool
		reasons []string
		hint    []string
	}{
		{"the action", nil, false, []string{"no GitHub token"}, []string{"the input height", "full clone", "contents: read", "GITHUB_REPOSITORY"}},
		{"the action, refused", nil, true, []string{"acme/fleet: 403 Resource not accessible", "the job needs"}, []string{"the input height", "full clone"}},
		{"by hand", nowhere, false, []string{"not a git repository", "no GitHub token"}, []string{"--height", "--path in a full clone", "--unshallow", "GITHUB_TOKEN", "contents: read", "GITHUB_REPOSITORY"}},
		{"by hand, refused", nowhere, true, []string{"not a git repository", "acme/fleet: 403 Resource not accessible"}, []string{"--height", "--path in a full clone"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var api *github.Repository
			if test.mayAsk {
				api = (&counter{}).open(t)
			}
			height, created, warning, err := origin{commit: unknownCommit, clone: test.clone, api: api, now: time.Now}.ask(t.Context())
			if err == nil || height != 0 || !created.IsZero() || warning != "" {
				t.Fatalf("got %d, %v, %q, %v", height, created, warning, err)
			}
			for _, part := range append(test.reasons, "height of commit 0123456") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error %q does not say %q", err, part)
				}
			}
			for _, part := range test.hint {
				if !strings.Contains(hintOf(err), part) {
					t.Errorf("the hint %q does not say %q", hintOf(err), part)
				}
			}
			if test.clone == nil && strings.Contains(hintOf(err), "--height") || strings.Contains(err.Error()+hintOf(err), "\n") {
				t.Errorf("the error is %q, the hint %q", err, hintOf(err))
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, o := range []origin{{clone: nowhere}, {clone: nowhere, height: 7}, {api: (&counter{}).open(t)}} {
		o.commit, o.now = unknownCommit, time.Now
		if _, _, _, err := o.ask(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: got %v", err)
		}
	}
}

func TestReadHeight(t *testing.T) {
	for s, want := range map[string]uint64{"": 0, " ": 0, "1": 1, "1534": 1534, "9007199254740992": 1 << 53} {
		r := action.Read(action.Values{"height": s})
		if got := readHeight(r); got != want || r.Err() != nil {
			t.Errorf("%q: got %d, %v", s, got, r.Err())
		}
	}
	for _, s := range []string{"0", "-1", "+1", "01", "1.0", "1e3", "0x1", "1_000", "1 2", "٣", "x", "9007199254740993", "99999999999999999999"} {
		r := action.Read(action.Values{"height": s})
		if got := readHeight(r); got != 0 || r.Err() == nil || !strings.HasPrefix(r.Err().Error(), `height: "`+s+`" is not a whole number from 1 to 9007199254740992`) {
			t.Errorf("%q: got %d, %v", s, got, r.Err())
		}
	}
}
