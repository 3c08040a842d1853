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
	"time"
	"unicode/utf8"
)

// deployHub is a GitHub with deployments. It keeps and refuses what GitHub does.
type deployHub struct {
	keeper
	now      time.Time // to the second, as GitHub has it
	made     []*hubDeployment
	statuses int
	lag      int    // the newest that lists do not show yet
	asText   bool   // payloads come back as text
	failing  bool   // a status of the commits has failed
	unknown  string // a commit that is not in the repository
}

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
	h.keep(t, hubBase, "/deployments", map[string]http.HandlerFunc{
		"GET":                 h.list,
		"POST":                h.create,
		"GET /{id}/statuses":  h.listStatuses,
		"POST /{id}/statuses": h.createStatus,
	})
	return h
}

// tick lets time pass, and ends a fault that nobody met.
func (h *deployHub) tick(d time.Duration) {
	h.mend()
	h.now = h.now.Add(d)
}

// meets has the n-th request from now on meet a fault.
func (h *deployHub) meets(f fault, n int) {
	at := len(h.requests) + n - 1
	h.fault = func(n int) fault {
		if n == at {
			return f
		}
		return nil
	}
}

func hubRefuses(w http.ResponseWriter, status int, message, field string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"message":%q,"errors":[{"resource":"Deployment","field":%q,"code":"invalid"}],"documentation_url":"https://docs.github.com/rest","status":"%d"}`, message, field, status)
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
	_ = json.NewEncoder(w).Encode(pageOf(w, r, "page", found))
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
		_ = json.NewEncoder(w).Encode(pageOf(w, r, "page", d.statuses))
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
