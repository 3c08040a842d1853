package github

import (
	"context"
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
	"time"
	"unicode/utf8"
)

// deployHub is a GitHub with deployments. It keeps and refuses what GitHub does.
type deployHub struct {
	*httptest.Server
	mu       sync.Mutex
	now      time.Time // to the second, as GitHub has it
	made     []*hubDeployment
	statuses int
	requests []string
	fault    hubFault
	at       int    // the number of the request that meets the fault; zero for none
	lag      int    // the newest that lists do not show yet
	meeting  int    // as many first lists are answered only when all were asked
	asText   bool   // payloads come back as text
	failing  bool   // a status of the commits has failed
	unknown  string // a commit that is not in the repository
}

// hubFault is an answer in place of the one that do gives; nil hangs up.
type hubFault func(do func() *httptest.ResponseRecorder) *httptest.ResponseRecorder

type hubDeployment struct {
	ID          int             `json:"id"`
	SHA         string          `json:"sha"`
	Ref         string          `json:"ref"`
	Task        string          `json:"task"`
	Payload     json.RawMessage `json:"payload"`
	Environment string          `json:"environment"`
	Description string          `json:"description"`
	Created     time.Time       `json:"created_at"`
	Updated     time.Time       `json:"updated_at"`
	Transient   bool            `json:"transient_environment"`
	Production  bool            `json:"production_environment"`
	statuses    []*hubStatus    // newest first
}

type hubStatus struct {
	ID          int    `json:"id"`
	State       string `json:"state"`
	Description string `json:"description"`
	Log         string `json:"log_url"`
	Page        string `json:"environment_url"`
	Of          string `json:"deployment_url"`
}

func (d *hubDeployment) state() string {
	if len(d.statuses) == 0 {
		return "pending"
	}
	return d.statuses[0].State
}

func (d *hubDeployment) digest() string { return readPayload(d.Payload).Digest }

const hubBase = "/api/v3/repos/acme/fleet/deployments"

func startDeployHub(t *testing.T) *deployHub {
	t.Helper()
	h := &deployHub{now: time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+hubBase, h.list)
	mux.HandleFunc("POST "+hubBase, h.create)
	mux.HandleFunc("GET "+hubBase+"/{id}/statuses", h.listStatuses)
	mux.HandleFunc("POST "+hubBase+"/{id}/statuses", h.createStatus)
	arrived := make(chan struct{})
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		do := func() *httptest.ResponseRecorder {
			again := r.Clone(context.Background())
			again.Body = io.NopCloser(strings.NewReader(string(body)))
			answer := httptest.NewRecorder()
			mux.ServeHTTP(answer, again)
			return answer
		}
		h.mu.Lock()
		h.requests = append(h.requests, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), hubBase))
		var answer *httptest.ResponseRecorder
		if len(h.requests) == h.at {
			answer = h.fault(do)
		} else {
			answer = do()
		}
		if h.meeting > 0 {
			if h.meeting--; h.meeting == 0 {
				close(arrived)
			}
			h.mu.Unlock()
			<-arrived
		} else {
			h.mu.Unlock()
		}
		if answer == nil {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = answer.Body.WriteTo(w)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *deployHub) open(t *testing.T) *Repository {
	t.Helper()
	r, err := Open(Options{Repository: "acme/fleet", APIURL: h.URL + "/api/v3", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tick lets time pass, and ends a fault that nobody met.
func (h *deployHub) tick(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now, h.at = h.now.Add(d), 0
}

// meets has the n-th request from now on meet a fault.
func (h *deployHub) meets(f hubFault, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault, h.at = f, len(h.requests)+n
}

func hubRefuses(w http.ResponseWriter, status int, message, field string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"message":%q,"errors":[{"resource":"Deployment","field":%q,"code":"invalid"}],"documentation_url":"https://docs.github.com/rest","status":"%d"}`, message, field, status)
}

// hubPage writes one page of what is the newest first, with GitHub's Link header.
func hubPage[T any](w http.ResponseWriter, r *http.Request, all []T) {
	page, _ := strconv.Atoi(r.FormValue("page"))
	size, _ := strconv.Atoi(r.FormValue("per_page"))
	page, size = max(page, 1), min(max(size, 1), 100)
	from := min((page-1)*size, len(all))
	if page*size < len(all) {
		q := r.URL.Query()
		q.Set("page", strconv.Itoa(page+1))
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, r.Host, r.URL.Path, q.Encode()))
	}
	_ = json.NewEncoder(w).Encode(append([]T{}, all[from:min(from+size, len(all))]...))
}

func (h *deployHub) list(w http.ResponseWriter, r *http.Request) {
	var found []*hubDeployment
	for _, d := range h.made[:max(0, len(h.made)-h.lag)] {
		wanted := func(name, value string) bool { return r.FormValue(name) == "" || r.FormValue(name) == value }
		if wanted("environment", d.Environment) && wanted("task", d.Task) && wanted("sha", d.SHA) && wanted("ref", d.Ref) {
			found = append(found, h.shown(d))
		}
	}
	slices.Reverse(found)
	hubPage(w, r, found)
}

// shown is a deployment as an answer has it.
func (h *deployHub) shown(d *hubDeployment) *hubDeployment {
	if !h.asText {
		return d
	}
	text, _ := json.Marshal(string(d.Payload))
	other := *d
	other.Payload = text
	return &other
}

func (h *deployHub) create(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		hubDeployment
		AutoMerge *bool     `json:"auto_merge"`
		Contexts  *[]string `json:"required_contexts"`
		Produces  *bool     `json:"production_environment"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		hubRefuses(w, 400, "Problems parsing JSON", "")
		return
	}
	d := asked.hubDeployment
	switch {
	case d.Ref == "" || d.Ref == h.unknown:
		hubRefuses(w, 422, "No ref found for: "+d.Ref, "ref")
	case asked.AutoMerge == nil || *asked.AutoMerge:
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"message":"Auto-merged main into it on deployment."}`)
	case h.failing && (asked.Contexts == nil || len(*asked.Contexts) > 0):
		hubRefuses(w, 409, "Conflict: Commit status checks failed for "+d.Ref+".", "required_contexts")
	case d.Environment == "" || utf8.RuneCountInString(d.Environment) > 255 || utf8.RuneCountInString(d.Description) > 140:
		hubRefuses(w, 422, "Validation Failed", "description")
	default:
		d.ID, d.SHA, d.Created, d.Updated, d.statuses = len(h.made)+1, d.Ref, h.now, h.now, nil
		d.Production = asked.Produces != nil && *asked.Produces
		h.made = append(h.made, &d)
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(h.shown(&d))
	}
}

func (h *deployHub) find(w http.ResponseWriter, r *http.Request) *hubDeployment {
	id, _ := strconv.Atoi(r.PathValue("id"))
	if id < 1 || id > len(h.made) {
		hubRefuses(w, 404, "Not Found", "")
		return nil
	}
	return h.made[id-1]
}

func (h *deployHub) listStatuses(w http.ResponseWriter, r *http.Request) {
	if d := h.find(w, r); d != nil {
		hubPage(w, r, d.statuses)
	}
}

func (h *deployHub) createStatus(w http.ResponseWriter, r *http.Request) {
	d := h.find(w, r)
	if d == nil {
		return
	}
	var asked struct {
		hubStatus
		AutoInactive *bool `json:"auto_inactive"`
	}
	_ = json.NewDecoder(r.Body).Decode(&asked)
	states := []string{"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}
	if !slices.Contains(states, asked.State) || utf8.RuneCountInString(asked.Description) > 140 {
		hubRefuses(w, 422, "Validation Failed", "state")
		return
	}
	add := func(d *hubDeployment, s hubStatus) *hubStatus {
		h.statuses++
		s.ID, s.Of = h.statuses, fmt.Sprintf("http://%s%s/%d", r.Host, hubBase, d.ID)
		d.statuses, d.Updated = slices.Insert(d.statuses, 0, &s), h.now
		return &s
	}
	if asked.State == "success" && (asked.AutoInactive == nil || *asked.AutoInactive) {
		for _, other := range h.made {
			if other != d && other.Environment == d.Environment && !other.Transient && !other.Production {
				add(other, hubStatus{State: "inactive"})
			}
		}
	}
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(add(d, asked.hubStatus))
}

// active are the deployments of an artifact that are not inactive, as "0.1.5 success".
func (h *deployHub) active(environment, artifact string) (all []string) {
	for _, d := range h.made {
		if p := readPayload(d.Payload); d.Environment == environment && p.Repository == artifact && d.state() != "inactive" {
			all = append(all, p.Digest+" "+d.state())
		}
	}
	slices.Sort(all)
	return all
}

// writes are the requests since the first n that were no reads.
func (h *deployHub) writes(n int) (all []string) {
	for _, r := range h.requests[n:] {
		if !strings.HasPrefix(r, "GET ") {
			all = append(all, r)
		}
	}
	return all
}
