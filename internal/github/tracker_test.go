package github

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tracker is a GitHub with issues. It keeps what it is told, as GitHub does.
type tracker struct {
	keeper
	issues  []*trackedIssue
	lag     int  // the newest of them that lists do not show yet
	unlabel bool // drop labels of a new issue, as for a token that may not set any
	relabel bool // but take them afterwards
	old     bool // a server that does not know the reason "duplicate"
	cursor  bool // number no pages, as for large lists
}

type trackedIssue struct {
	Number      int       `json:"number"`
	Title       string    `json:"title"`
	Body        string    `json:"body"`
	State       string    `json:"state"`
	Reason      string    `json:"state_reason"`
	Labels      []label   `json:"labels"`
	URL         string    `json:"html_url"`
	PullRequest *struct{} `json:"pull_request,omitempty"`
	comments    []string
}

type label struct {
	Name string `json:"name"`
}

func startTracker(t *testing.T) *tracker { t.Helper(); return startMeeting(t, 0) }

// startMeeting is a tracker that has as many runs see the same first list.
func startMeeting(t *testing.T, meeting int) *tracker {
	t.Helper()
	tr := &tracker{}
	tr.meeting = meeting
	tr.keep(t, "/api/v3/repos/acme/fleet/issues", "/issues", map[string]http.HandlerFunc{
		"GET":                tr.list,
		"POST":               tr.create,
		"PATCH /{n}":         tr.edit,
		"POST /{n}/comments": tr.comment,
		"POST /{n}/labels":   tr.label,
	})
	return tr
}

func (tr *tracker) add(title, body, state string, labels ...string) *trackedIssue {
	i := &trackedIssue{Number: len(tr.issues) + 1, Title: title, Body: body, State: state}
	i.URL = fmt.Sprintf("https://github.test/acme/fleet/issues/%d", i.Number)
	for _, name := range labels {
		i.Labels = append(i.Labels, label{name})
	}
	tr.issues = append(tr.issues, i)
	return i
}

func (tr *tracker) list(w http.ResponseWriter, r *http.Request) {
	found := []*trackedIssue{}
	for _, i := range tr.issues[:max(0, len(tr.issues)-tr.lag)] {
		if i.State == r.FormValue("state") && slices.ContainsFunc(i.Labels, func(l label) bool { return strings.EqualFold(l.Name, r.FormValue("labels")) }) {
			found = append(found, i)
		}
	}
	key := map[bool]string{false: "page", true: "after"}[tr.cursor]
	_ = json.NewEncoder(w).Encode(pageOf(w, r, key, found))
}

func (tr *tracker) create(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Title, Body string
		Labels      []string
	}
	_ = json.NewDecoder(r.Body).Decode(&asked)
	if tr.unlabel {
		asked.Labels = nil
	}
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(tr.add(asked.Title, strings.ReplaceAll(asked.Body, "\n", "\r\n"), "open", asked.Labels...))
}

func (tr *tracker) edit(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.PathValue("n"))
	var asked struct {
		Title, Body, State *string
		Reason             string `json:"state_reason"`
	}
	_ = json.NewDecoder(r.Body).Decode(&asked)
	i := tr.issues[n-1]
	if asked.Reason == "duplicate" && tr.old {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"message":"Validation Failed"}`)
		return
	}
	if asked.Title != nil {
		i.Title, i.Body = *asked.Title, strings.ReplaceAll(*asked.Body, "\n", "\r\n")
	}
	if asked.State != nil {
		i.State, i.Reason = *asked.State, asked.Reason
	}
	_ = json.NewEncoder(w).Encode(i)
}

func (tr *tracker) comment(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.PathValue("n"))
	var asked struct{ Body string }
	_ = json.NewDecoder(r.Body).Decode(&asked)
	tr.issues[n-1].comments = append(tr.issues[n-1].comments, asked.Body)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"id":1}`)
}

func (tr *tracker) label(w http.ResponseWriter, r *http.Request) {
	if !tr.relabel {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"message":"Must have push access"}`)
		return
	}
	n, _ := strconv.Atoi(r.PathValue("n"))
	var asked []string
	_ = json.NewDecoder(r.Body).Decode(&asked)
	for _, name := range asked {
		tr.issues[n-1].Labels = append(tr.issues[n-1].Labels, label{name})
	}
	_ = json.NewEncoder(w).Encode(tr.issues[n-1].Labels)
}

// openNow are the numbers of the open issues.
func (tr *tracker) openNow() (numbers []int) {
	for _, i := range tr.issues {
		if i.State == "open" {
			numbers = append(numbers, i.Number)
		}
	}
	return numbers
}
