package github

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// tracker is a GitHub with issues. It keeps what it is told, as GitHub does.
type tracker struct {
	*httptest.Server
	mu       sync.Mutex
	issues   []*trackedIssue
	lag      int  // the newest of them that lists do not show yet
	unlabel  bool // drop labels of a new issue, as for a token that may not set any
	relabel  bool // but take them afterwards
	old      bool // a server that does not know the reason "duplicate"
	cursor   bool // number no pages, as for large lists
	meeting  int  // as many first lists are answered only when all were asked
	requests []string
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
	tr := &tracker{meeting: meeting}
	mux := http.NewServeMux()
	const base = "/api/v3/repos/acme/fleet/issues"
	mux.HandleFunc("GET "+base, tr.list)
	mux.HandleFunc("POST "+base, tr.create)
	mux.HandleFunc("PATCH "+base+"/{n}", tr.edit)
	mux.HandleFunc("POST "+base+"/{n}/comments", tr.comment)
	mux.HandleFunc("POST "+base+"/{n}/labels", tr.label)
	var met sync.WaitGroup
	met.Add(meeting)
	tr.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		tr.mu.Lock()
		tr.requests = append(tr.requests, r.Method+" "+strings.TrimPrefix(r.URL.Path, base))
		mux.ServeHTTP(answer, r)
		meets := r.Method == http.MethodGet && tr.meeting > 0
		if meets {
			tr.meeting--
			met.Done()
		}
		tr.mu.Unlock()
		if meets {
			met.Wait()
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = answer.Body.WriteTo(w)
	}))
	t.Cleanup(tr.Close)
	return tr
}

func (tr *tracker) open(t *testing.T) *Repository {
	t.Helper()
	r, err := Open(Options{Repository: "acme/fleet", APIURL: tr.URL + "/api/v3", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return r
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
	page, _ := strconv.Atoi(r.FormValue(key))
	size, _ := strconv.Atoi(r.FormValue("per_page"))
	from := max(0, page-1) * size
	if from+size < len(found) {
		q := r.URL.Query()
		q.Set(key, strconv.Itoa(max(1, page)+1))
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, r.Host, r.URL.Path, q.Encode()))
	}
	_ = json.NewEncoder(w).Encode(found[from:min(from+size, len(found))])
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
