package github

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/internal/oci"
)

// hubFaults are what may come in place of an answer. What is undone has changed nothing.
var hubFaults = []struct {
	name   string
	undone bool
	fault  fault
}{
	{"500", true, refuse(500, `{"message":"Server Error"}`)},
	{"401", true, refuse(401, `{"message":"Bad credentials","status":"401"}`)},
	{"403", true, refuse(403, forbids)},
	{"404", true, refuse(404, notFound)},
	{"409", true, refuse(409, `{"message":"Conflict"}`)},
	{"422", true, refuse(422, `{"message":"Validation Failed"}`)},
	{"202", true, refuse(202, `{"message":"Auto-merged"}`)},
	{"empty", true, refuse(200, "")},
	{"null", true, refuse(200, "null")},
	{"object", true, refuse(200, "{}")},
	{"list of null", true, refuse(200, "[null]")},
	{"web page", true, refuse(200, "<html>proxy</html>")},
	{"another one", true, refuse(201, `{"id":99,"state":"success","environment":"elsewhere","deployment_url":"https://x/deployments/99"}`)},
	{"others", true, refuse(200, `[{"id":99,"state":"success","environment":"elsewhere","deployment_url":"https://x/deployments/99"}]`)},
	{"hang up", true, reset},
	{"hang up, done", false, lost},
	{"502, done", false, done(502, "<html>")},
	{"empty, done", false, done(200, "")},
	{"cut short, done", false, half},
}

// rollout is a hub whose live goes from one artifact to the next beside a third: every kind of request is sent.
func rollout(t *testing.T) (h *deployHub, e Environment) {
	t.Helper()
	h = startDeployHub(t)
	for n := 1; n < 3; n++ {
		if _, err := h.open(t).Deploy(t.Context(), onLive(has(n, Success, "well"))); err != nil {
			t.Fatal(err)
		}
		h.tick(time.Minute)
	}
	h.requests = nil
	return h, onLive(has(3, Success, "well"), has(4, InProgress, ""))
}

// settles checks that a healthy run after a fault ends in what is true, without making anything twice, and that the one after that writes nothing.
func (h *deployHub) settles(t *testing.T, e Environment) {
	t.Helper()
	h.tick(time.Minute)
	if _, err := h.open(t).Deploy(t.Context(), e); err != nil {
		t.Errorf("the second run: %v", err)
	}
	want := []string{digestOf(3) + " success", digestOf(4) + " in_progress"}
	same(t, h.active("live", fleet), want)
	made := map[string]int{}
	for _, d := range h.made {
		if made[d.digest()]++; made[d.digest()] > 1 {
			t.Errorf("%s was made twice\n%s", d.digest(), strings.Join(h.requests, "\n"))
		}
	}
	n := len(h.requests)
	h.tick(time.Minute)
	if _, err := h.open(t).Deploy(t.Context(), e); err != nil {
		t.Errorf("the third run: %v", err)
	}
	if w := h.writes(n); len(w) > 0 {
		t.Errorf("the third run wrote %q", w)
	}
}

// A fault at each request in turn: it is told, it is never taken for "none", and the next run puts right what is left.
func TestDeployFaults(t *testing.T) {
	h, e := rollout(t)
	if _, err := h.open(t).Deploy(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	healthy := slices.Clone(h.requests)
	if len(healthy) != 12 {
		t.Errorf("a rollout asks\n%s", strings.Join(healthy, "\n"))
	}
	for at, request := range healthy {
		for _, f := range hubFaults {
			t.Run(fmt.Sprintf("%s at %d, %s", f.name, at+1, strings.NewReplacer("/", "|").Replace(request)), func(t *testing.T) {
				t.Parallel()
				h, e := rollout(t)
				h.meets(f.fault, at+1)
				_, err := h.open(t).Deploy(t.Context(), e)
				list := !strings.HasPrefix(request, "POST")
				created := strings.HasPrefix(request, "POST ") && !strings.Contains(request, "statuses")
				switch {
				case list && strings.HasPrefix(f.name, "hang up"): // net/http asks again by itself on a connection that was open
				case created && !f.undone: // it looks, and finds it
					if err != nil {
						t.Errorf("what was made is told as failed: %v", err)
					}
				case err == nil:
					t.Error("no error")
				default:
					if !strings.Contains(err.Error(), "acme/fleet") {
						t.Errorf("the error is %v", err)
					}
				}
				if f.name == "403" || f.name == "404" {
					explained(t, err, "`permissions: deployments: write`", f.name)
				}
				h.settles(t, e)
			})
		}
	}
}

// With the transport of the program, which sends again what failed: the creation is not sent again where it may have been done, all else is.
func TestDeployRetried(t *testing.T) {
	for _, at := range []int{1, 2, 3, 6, 12} {
		for _, f := range hubFaults {
			if !slices.Contains([]string{"500", "hang up", "hang up, done", "502, done", "cut short, done"}, f.name) {
				continue
			}
			t.Run(fmt.Sprintf("%s at %d", f.name, at), func(t *testing.T) {
				t.Parallel()
				h, e := rollout(t)
				h.meets(f.fault, at)
				retrier := &oci.Retrier{Budget: time.Minute}
				r, err := Open(Options{Repository: "acme/fleet", APIURL: h.URL + "/api/v3", Token: token, Transport: retrier.Transport(oci.NewTransport())})
				if err != nil {
					t.Fatal(err)
				}
				_, err = r.Deploy(t.Context(), e)
				lost, cut := at == 2 && f.undone, at == 12 && strings.HasPrefix(f.name, "cut") // of a POST nobody reads the answer before it is given on
				if (err != nil) != (lost || cut) {
					t.Errorf("a fault at %s: %v", h.requests[at-1], err)
				}
				creations := len(slices.DeleteFunc(slices.Clone(h.requests), func(r string) bool { return r != "POST " }))
				if want := map[bool]int{false: 2, true: 1}[lost]; creations != want {
					t.Errorf("%d creations were sent, want %d", creations, want)
				}
				h.settles(t, e)
			})
		}
	}
}

// An answer that lacks what was asked for is no answer.
func TestDeployAnswers(t *testing.T) {
	const listed = `[{"id":5,"environment":"live","task":%q,"payload":{"repository":%q,"digest":%q}}]`
	ours := fmt.Sprintf(listed, task(fleet), fleet, digestOf(1))
	for name, c := range map[string]struct{ list, statuses, want string }{
		"no id":              {`[{"environment":"live"}]`, "", "a deployment without an id"},
		"another task":       {fmt.Sprintf(listed, "deploy", fleet, digestOf(1)), "", `the answer is about the task "deploy"`},
		"another place":      {strings.Replace(ours, `"live"`, `"dev"`, 1), "", `the answer is about the environment "dev"`},
		"no status id":       {ours, `[{"state":"success"}]`, "a status without an id or a state"},
		"no state":           {ours, `[{"id":1}]`, "a status without an id or a state"},
		"another deployment": {ours, `[{"id":1,"state":"success","deployment_url":"https://x/deployments/15"}]`, "about another deployment"},
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body := c.list
			if strings.Contains(r.URL.Path, "statuses") {
				body = c.statuses
			}
			says(200, body)(w, r)
		})
		_, err := s.open(t).Deploy(t.Context(), onLive(has(1, Success, "")))
		t.Log(name)
		explained(t, err, notGitHub, c.want)
		if _, err := s.open(t).WouldDeploy(t.Context(), onLive(has(1, Success, ""))); err == nil {
			t.Error("the dry run is content")
		}
	}
}
