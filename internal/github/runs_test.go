package github

import (
	"errors"
	"net/http"
	"reflect"
	"testing"
	"time"
)

// a run in GitHub's documented form, shortened.
const aRun = `{"id":30433642,"name":"Build","node_id":"MDEyOldvcmtmbG93IFJ1bjI2OTI4OQ==","head_branch":"main","head_sha":"` + older + `",
 "path":".github/workflows/build.yml@main","run_number":562,"event":"push","status":"completed","conclusion":"failure","workflow_id":159038,
 "html_url":"https://github.com/acme/fleet/actions/runs/30433642","created_at":"2026-01-22T19:33:08Z","updated_at":"2026-01-22T19:40:00Z",
 "run_attempt":2,"run_started_at":"2026-01-22T20:33:08+01:00"}`

func TestRuns(t *testing.T) {
	s := serve(t, says(200, `{"total_count":3,"workflow_runs":[{"id":2,"name":"Tag","path":".github/workflows/tag.yml","event":"status","status":"in_progress","conclusion":null,"created_at":"2026-01-22T19:00:00Z"},`+aRun+`,{}]}`))
	r := s.open(t)
	want := []Run{
		{ID: 30433642, Name: "Build", Path: ".github/workflows/build.yml", Event: "push", Status: "completed", Conclusion: "failure", URL: "https://github.com/acme/fleet/actions/runs/30433642",
			Attempt: 2, Started: time.Date(2026, 1, 22, 19, 33, 8, 0, time.UTC), Updated: time.Date(2026, 1, 22, 19, 40, 0, 0, time.UTC)},
		{ID: 2, Name: "Tag", Path: ".github/workflows/tag.yml", Event: "status", Status: "in_progress", Started: time.Date(2026, 1, 22, 19, 0, 0, 0, time.UTC)},
		{},
	}
	if got, err := r.RunsOf(t.Context(), older); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := r.RunsBy(t.Context(), "status", time.Date(2026, 1, 2, 4, 4, 5, 0, time.FixedZone("", 3600))); err != nil || len(got) != 3 {
		t.Errorf("got %+v, %v", got, err)
	}
	same(t, s.requests(), []string{
		"/api/v3/repos/acme/fleet/actions/runs?head_sha=" + older + "&per_page=100",
		"/api/v3/repos/acme/fleet/actions/runs?created=%3E%3D2026-01-02T03%3A04%3A05Z&event=status&per_page=100",
	})
	s = serve(t, says(200, `{"total_count":0,"workflow_runs":[]}`))
	if got, err := s.open(t).RunsOf(t.Context(), older); err != nil || got == nil || len(got) != 0 {
		t.Errorf("none is %v, %v", got, err)
	}
}

func TestFailedStep(t *testing.T) {
	const job = `{"total_count":2,"jobs":[{"id":1,"name":"lint","conclusion":"success","steps":[]},
		{"id":2,"name":"build","conclusion":"failure","steps":[{"name":"Set up job","conclusion":"success"},{"name":"Push ::error::","conclusion":"failure"},{"name":"Post","conclusion":"skipped"}]}]}`
	for body, want := range map[string]string{
		job: "job build, step Push ::error::",
		`{"total_count":1,"jobs":[{"name":"build","conclusion":"timed_out","steps":[{"name":"a","conclusion":"success"}]}]}`: "job build",
		`{"total_count":1,"jobs":[{"name":"build","conclusion":"success"}]}`:                                                 "",
		`{"total_count":0,"jobs":[]}`: "",
		// fail-fast: what failed has the others cancelled, which may stand before it
		`{"total_count":2,"jobs":[{"name":"amd64","conclusion":"cancelled"},{"name":"arm64","conclusion":"failure","steps":[{"name":"wait","conclusion":"cancelled"},{"name":"Push","conclusion":"failure"}]}]}`: "job arm64, step Push",
		`{"total_count":2,"jobs":[{"name":"a","conclusion":"skipped"},{"name":"b","conclusion":"cancelled","steps":[{"name":"Push","conclusion":"cancelled"}]}]}`:                                                "job b, step Push",
		`{"total_count":2,"jobs":[null,{"name":"b","conclusion":"startup_failure"}]}`:                                                                                                                            "job b",
		`{"total_count":1,"jobs":[{"name":"b","status":"in_progress","conclusion":null}]}`:                                                                                                                       "",
	} {
		s := serve(t, says(200, body))
		if got, err := s.open(t).FailedStep(t.Context(), 7); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
		same(t, s.requests(), []string{"/api/v3/repos/acme/fleet/actions/runs/7/jobs?filter=latest&per_page=100"})
	}
}

// A failure is never read as "none", and tells whether the token was refused.
func TestVerifyErrors(t *testing.T) {
	tests := []struct {
		name      string
		answer    http.HandlerFunc
		text, tip string // tip is of what needs actions: read
		refused   bool
	}{
		{"401", says(401, `{"message":"Bad credentials"}`), "401", "token is not valid", true},
		{"403", says(403, `{"message":"Resource not accessible by integration"}`), "403", "actions: read", true},
		{"404", says(404, `{"message":"Not Found"}`), "404", "actions: read", true},
		{"rate limit", says(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Limit", "1000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "4102542245"), "rate limit", "free again", false},
		{"secondary rate limit", says(403, `{"message":"You have exceeded a secondary rate limit.","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`), "secondary rate limit", "pause", false},
		{"another rate limit", says(403, `{"message":"Slow down"}`, "Retry-After", "60"), "403 Slow down", "pause", false},
		{"403 of a proxy", says(403, "<html>blocked", "Content-Type", "text/html"), "403", "actions: read", false},
		{"404 of a proxy", says(404, ""), "404", "actions: read", false},
		{"429", says(429, `{"message":"Too many requests"}`), "429", "pause", false},
		{"500", says(500, "<html>"), "500", "", false},
		{"hang up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			runs, err := serve(t, test.answer).open(t).RunsOf(t.Context(), older)
			explained(t, err, test.tip, "reading workflow runs on commit 1111111", test.text)
			if runs != nil {
				t.Error("a failure is a list")
			}
			step, err := serve(t, test.answer).open(t).FailedStep(t.Context(), 7)
			explained(t, err, test.tip, "reading the jobs of workflow run 7", test.text)
			if step != "" {
				t.Error("a failure is a step")
			}
			_, _, err = serve(t, test.answer).open(t).Head(t.Context(), "x")
			tip := test.tip
			if tip == "actions: read" {
				tip = "contents: read"
			}
			explained(t, err, tip, `reading the newest commit of acme/fleet that touches "x"`, test.text)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is no *Error", err)
			}
			if e.Refused() != test.refused {
				t.Errorf("refused is not %v", test.refused)
			}
		})
	}
}

// What is no answer of GitHub's is not "none".
func TestVerifyForeign(t *testing.T) {
	for body, text := range map[string]string{
		``: "no total_count", `null`: "no total_count", `{}`: "no total_count", `{"workflow_runs":[],"jobs":[]}`: "no total_count", `{"total_count":0}`: "no total_count",
		`[]`: "cannot unmarshal array", `<html>`: "invalid character", `{"total_count":1,"workflow_runs":[{"id"`: "unexpected EOF",
	} {
		r := serve(t, says(200, body)).open(t)
		runs, err := r.RunsBy(t.Context(), "status", time.Now())
		explained(t, err, "", "reading workflow runs by event status", text)
		step, err := r.FailedStep(t.Context(), 7)
		explained(t, err, "", "reading the jobs of workflow run 7", text)
		if runs != nil || step != "" {
			t.Errorf("%q is %v, %q", body, runs, step)
		}
	}
	for body, text := range map[string]string{
		``: "no list", `null`: "no list", `{}`: "cannot unmarshal object", `<html>`: "invalid character", `[{"sha":"2`: "unexpected EOF", `[null]`: "no sha",
		`[{"sha":"` + newer + `"}]`: "no committer date", `[{"commit":{"committer":{"date":"2026-11-23T10:02:17Z"}}}]`: "no sha",
	} {
		commit, at, err := serve(t, says(200, body)).open(t).Head(t.Context(), ".")
		explained(t, err, "", "reading the newest commit of acme/fleet", text)
		if commit != "" || !at.IsZero() {
			t.Errorf("%q is %q, %s", body, commit, at)
		}
	}
}
