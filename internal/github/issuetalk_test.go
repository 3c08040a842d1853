package github

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const (
	listIssues = "GET issues?direction=asc&labels=oci-promote&per_page=100&sort=created&state=open"
	illBody    = `\u003c!-- oci-promote: ghcr.io%2Facme%2Ffleet --\u003e\nstuck\nsince noon`
	postIssue  = `POST issues {"body":"` + illBody + `","labels":["oci-promote"],"title":"It needs a hand"}`
	pages      = "https://github.com/acme/fleet/issues/"
)

// issue is one of ours in GitHub's documented form, shortened.
func issue(number int, body string) string {
	return fmt.Sprintf(`{"id":1,"node_id":"MDU6SXNzdWUx","url":"https://api.github.com/repos/acme/fleet/issues/%d","html_url":"`+pages+`%[1]d","number":%[1]d,"state":"open",
		"title":"It needs a hand","body":"%s","user":{"login":"github-actions[bot]","id":41898282,"type":"Bot"},"labels":[{"id":208045946,"node_id":"MDU6TGFiZWwyMDgwNDU5NDY=",
		"url":"https://api.github.com/repos/acme/fleet/labels/oci-promote","name":"oci-promote","color":"ededed","default":false}],"assignee":null,"locked":false,"comments":0,
		"closed_at":null,"created_at":"2026-11-22T13:33:48Z","updated_at":"2026-11-22T13:33:48Z","author_association":"NONE","state_reason":null}`, number, body)
}

// unlabelled is issue 5 as GitHub answers who may not set labels.
const unlabelled = `{"html_url":"` + pages + `5","number":5,"state":"open","labels":[]}`

// Everything that is sent, and nothing else.
func TestTrackRequests(t *testing.T) {
	none := exchange{listIssues, says(200, `[]`)}
	found := func(bodies ...string) exchange {
		list := ""
		for i, body := range bodies {
			if i > 0 {
				list += ","
			}
			list += issue(5+i, body)
		}
		return exchange{listIssues, says(200, "["+list+"]")}
	}
	made := exchange{postIssue, says(201, issue(5, illBody))}
	edited := func(n int, change string) exchange {
		return exchange{fmt.Sprintf("PATCH issues/%d %s", n, change), says(200, issue(n, illBody))}
	}
	said := func(n int, text string) exchange {
		return exchange{fmt.Sprintf(`POST issues/%d/comments {"body":"%s"}`, n, text), says(201, `{"id":1,"node_id":"MDEy","html_url":"x","body":"x"}`)}
	}
	tests := []struct {
		name      string
		what      Tracking
		steps     []exchange
		page, did string
	}{
		{"well, none", well(), []exchange{none}, "", ""},
		{"opened", ill, []exchange{none, made, found(illBody)}, pages + "5", Opened},
		{"opened, the list lags", ill, []exchange{none, made, none}, pages + "5", Opened},
		{"opened, an older one came up", ill, []exchange{none, {postIssue, says(201, issue(6, illBody))}, found(illBody, illBody),
			said(6, "Duplicate of #5"), edited(6, `{"state":"closed","state_reason":"duplicate"}`)}, pages + "5", Unchanged},
		{"opened, a younger one came up", ill, []exchange{none, made, found(illBody, illBody)}, pages + "5", Opened},
		{"opened, labelled after", ill, []exchange{none, {postIssue, says(201, unlabelled)},
			{`POST issues/5/labels ["oci-promote"]`, says(200, `[{"name":"bug"},{"name":"oci-promote"}]`)}, found(illBody)}, pages + "5", Opened},
		{"unchanged", ill, []exchange{found(illBody)}, pages + "5", Unchanged},
		{"unchanged but for line ends", ill, []exchange{found(`\u003c!-- oci-promote: ghcr.io%2Facme%2Ffleet --\u003e\r\nstuck\r\nsince noon\r\n`)}, pages + "5", Unchanged},
		{"updated", ill, []exchange{found(illBody + `\nand later`), edited(5, `{"body":"`+illBody+`","title":"It needs a hand"}`)}, pages + "5", Updated},
		{"closed", well(), []exchange{found(illBody), said(5, "healthy again"), edited(5, `{"state":"closed","state_reason":"completed"}`)}, pages + "5", Closed},
		{"two closed", well(), []exchange{found(illBody, illBody), said(6, "Duplicate of #5"), edited(6, `{"state":"closed","state_reason":"duplicate"}`),
			said(5, "healthy again"), edited(5, `{"state":"closed","state_reason":"completed"}`)}, pages + "5", Closed},
		{"an older server", ill, []exchange{found(illBody, illBody), said(6, "Duplicate of #5"),
			{`PATCH issues/6 {"state":"closed","state_reason":"duplicate"}`, says(422, `{"message":"Validation Failed"}`)}, edited(6, `{"state":"closed","state_reason":"not_planned"}`)}, pages + "5", Unchanged},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page, did, err := conversation(t, test.steps).open(t).Track(t.Context(), test.what)
			if err != nil || page != test.page || did != test.did {
				t.Errorf("got %q, %q, %v; want %q, %q", page, did, err, test.page, test.did)
			}
		})
	}
}

// GitHub's answers that stop Track, wherever they come.
var stops = []struct {
	name       string
	answer     http.HandlerFunc
	text, hint string
	refused    bool
}{
	{"401", says(401, `{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}`), "401 Bad credentials", "token is not valid", true},
	{"403", says(403, forbids), "403 Resource not accessible", "`permissions: issues: write`", true},
	{"404", says(404, notFound), "404 Not Found", "`permissions: issues: write`", true},
	{"rate limit", says(403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Limit", "1000", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "4102542245"), "rate limit is used up", "2100-01-02", false},
	{"429", says(429, `{"message":"Too many requests"}`), "429 Too many requests", "pause", false},
	{"500", says(500, "<html>Unicorn!</html>", "Content-Type", "text/html"), "500", "", false},
	{"202", says(202, `{}`), "job scheduled", "", false},
	{"200 without JSON", says(200, "<html>proxy</html>"), "invalid character", "", false},
	{"200 cut short", says(200, `[{"number":5`), "", "", false},
	{"200 without a body", says(200, ""), "the answer ", "", false},
	{"200 with null", says(200, "null"), "the answer ", "", false},
	{"200 with an object", says(200, "{}"), "", "", false},
	{"hang up", func(w http.ResponseWriter, _ *http.Request) { // after the header, or Go asks again
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, "EOF", "", false},
}

// A failure is told with what was being done, and what was reached before it is not hidden.
// In particular a failed list is never "none".
func TestTrackStops(t *testing.T) {
	none, one, two := exchange{listIssues, says(200, `[]`)}, exchange{listIssues, says(200, `[`+issue(5, illBody)+`]`)}, exchange{listIssues, says(200, `[`+issue(5, illBody)+`,`+issue(6, illBody)+`]`)}
	more := exchange{listIssues, says(200, `[`+issue(5, illBody)+`]`, "Link", `<http://elsewhere.invalid/x?after=Y3Vyc29y>; rel="next"`)}
	said := exchange{`POST issues/5/comments {"body":"healthy again"}`, says(201, `{"id":1}`)}
	tests := []struct {
		doing     string
		what      Tracking
		before    []exchange
		request   string
		page, did string
	}{
		{"listing tracking issues", ill, nil, listIssues, "", ""},
		{"listing tracking issues", well(), nil, listIssues, "", ""},
		{"listing tracking issues", ill, []exchange{more}, "GET issues?after=Y3Vyc29y&direction=asc&labels=oci-promote&per_page=100&sort=created&state=open", "", ""},
		{"opening a tracking issue", ill, []exchange{none}, postIssue, "", ""},
		{"listing tracking issues", ill, []exchange{none, {postIssue, says(201, issue(5, illBody))}}, listIssues, pages + "5", Opened},
		{"commenting on issue #6", ill, []exchange{two}, `POST issues/6/comments {"body":"Duplicate of #5"}`, pages + "5", ""},
		{"commenting on issue #6", ill, []exchange{none, {postIssue, says(201, issue(6, illBody))}, two}, `POST issues/6/comments {"body":"Duplicate of #5"}`, pages + "6", Opened},
		{"updating issue #5", saying(ill, "worse"), []exchange{one}, `PATCH issues/5 {"body":"\u003c!-- oci-promote: ghcr.io%2Facme%2Ffleet --\u003e\nworse","title":"It needs a hand"}`, pages + "5", ""},
		{"commenting on issue #5", well(), []exchange{one}, `POST issues/5/comments {"body":"healthy again"}`, pages + "5", ""},
		{"closing issue #5", well(), []exchange{one, said}, `PATCH issues/5 {"state":"closed","state_reason":"completed"}`, pages + "5", ""},
	}
	for _, test := range tests {
		for _, stop := range stops {
			if stop.text == "the answer " && test.doing[:4] == "comm" || stop.name == "200 with an object" && test.doing[:4] == "comm" {
				continue // a comment has nothing that we need
			}
			t.Run(test.doing+" "+stop.name, func(t *testing.T) {
				steps := append(slices.Clone(test.before), exchange{test.request, stop.answer})
				page, did, err := conversation(t, steps).open(t).Track(t.Context(), test.what)
				explained(t, err, stop.hint, test.doing+" of acme/fleet: ", stop.text)
				if page != test.page || did != test.did {
					t.Errorf("got %q, %q; want %q, %q", page, did, test.page, test.did)
				}
				var e *Error
				if refused := errors.As(err, &e) && e.Refused(); refused != stop.refused {
					t.Errorf("refused is %v", refused)
				}
			})
		}
	}
}

func saying(t Tracking, body string) Tracking { t.Body = body; return t }

// Tracked only reads, and a failure is not "none".
func TestTracked(t *testing.T) {
	copied := strings.Replace(issue(4, illBody), `"name":"oci-promote"`, `"name":"bug"`, 1)
	for _, test := range []struct{ body, page string }{
		{`[]`, ""},
		{`[` + issue(6, illBody) + `,` + issue(5, illBody) + `]`, pages + "5"},
		{`[null,` + issue(7, "x") + `]`, ""},
		{`[` + copied + `]`, ""}, // a server that knows no filter
	} {
		page, err := conversation(t, []exchange{{listIssues, says(200, test.body)}}).open(t).Tracked(t.Context(), ill.Artifact)
		if err != nil || page != test.page {
			t.Errorf("got %q, %v; want %q", page, err, test.page)
		}
	}
	for _, stop := range stops {
		page, err := conversation(t, []exchange{{listIssues, stop.answer}}).open(t).Tracked(t.Context(), ill.Artifact)
		explained(t, err, stop.hint, "listing tracking issues of acme/fleet: ", stop.text)
		if page != "" {
			t.Errorf("%s: got %q", stop.name, page)
		}
	}
}

// Where issues are disabled the list is empty, and only the creation says so; 410 of one
// issue says that it was deleted.
func TestTrackGone(t *testing.T) {
	gone := says(410, `{"message":"Issues are disabled for this repo","documentation_url":"https://docs.github.com/v3/issues/","status":"410"}`)
	for _, steps := range [][]exchange{{{listIssues, gone}}, {{listIssues, says(200, `[]`)}, {postIssue, gone}}} {
		_, _, err := conversation(t, steps).open(t).Track(t.Context(), ill)
		explained(t, err, "enable issues in the repository's settings, or leave the input issue out", "410 issues are disabled")
	}
	deleted := says(410, `{"message":"This issue was deleted","documentation_url":"https://docs.github.com/v3/issues/","status":"410"}`)
	_, _, err := conversation(t, []exchange{{listIssues, says(200, `[`+issue(5, illBody)+`]`)}, {`POST issues/5/comments {"body":"healthy again"}`, deleted}}).open(t).Track(t.Context(), well())
	explained(t, err, "", "commenting on issue #5", "410 This issue was deleted")
}

// An issue that no run could find is closed, or at least told.
func TestTrackUnlabelled(t *testing.T) {
	const closing = `PATCH issues/5 {"state":"closed","state_reason":"not_planned"}`
	start := []exchange{{listIssues, says(200, `[]`)}, {postIssue, says(201, unlabelled)}}
	label := func(answer http.HandlerFunc) exchange {
		return exchange{`POST issues/5/labels ["oci-promote"]`, answer}
	}
	for _, test := range []struct {
		name   string
		labels exchange
		closes http.HandlerFunc
		say    []string
	}{
		{"forbidden", label(says(403, forbids)), says(200, issue(5, "x")), []string{"403 Resource", "closed again"}},
		{"ignored", label(says(200, `[]`)), says(200, issue(5, "x")), []string{"GitHub did not set it", "closed again"}},
		{"broken", label(says(502, "")), says(200, issue(5, "x")), []string{"502", "closed again"}},
		{"not even closed", label(says(403, forbids)), says(500, `{"message":"Server Error"}`), []string{"403 Resource", "close the issue by hand", "closing issue #5", "500 Server Error"}},
	} {
		page, did, err := conversation(t, append(slices.Clone(start), test.labels, exchange{closing, test.closes})).open(t).Track(t.Context(), ill)
		if page != pages+"5" || did != "" {
			t.Errorf("%s: got %q, %q", test.name, page, did)
		}
		explained(t, err, "issues: write", append(test.say, "labelling issue #5 of acme/fleet with oci-promote: ")...)
	}
}
