package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const fleet = "ghcr.io/acme/fleet"

// digestOf is a digest by its number.
func digestOf(n int) string { return fmt.Sprintf("sha256:%064d", n) }

// has is an artifact by its number in an environment.
func has(n int, state, says string) Deployment {
	return Deployment{Version: fmt.Sprintf("0.1.%d", n), Digest: digestOf(n), Commit: fmt.Sprintf("%040d", n), State: state, Says: says}
}

func onLive(all ...Deployment) Environment {
	return Environment{Name: "live", Production: true, Artifact: fleet, Log: "https://github.com/acme/fleet/actions/runs/77", Has: all}
}

// deploys runs Deploy and compares what was done, as "0.1.5 success created".
func deploys(t *testing.T, r *Repository, e Environment, want ...string) {
	t.Helper()
	done, err := r.Deploy(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	same(t, inShort(done), want)
}

func inShort(done []Deployed) (all []string) {
	for _, d := range done {
		all = append(all, d.Version+" "+d.State+" "+d.Did)
	}
	return all
}

// The life of an environment: a rollout, the next one beside it, a failure, a rollback, and each time nothing the second time.
func TestDeploy(t *testing.T) {
	for _, asText := range []bool{false, true} {
		h := startDeployHub(t)
		h.asText, h.failing = asText, true
		r := h.open(t)
		twice := func(e Environment, want ...string) {
			t.Helper()
			h.tick(time.Minute)
			deploys(t, r, e, want...)
			n := len(h.requests)
			var unchanged []string
			for _, d := range e.Has {
				unchanged = append(unchanged, d.Version+" "+d.State+" unchanged")
			}
			deploys(t, r, e, unchanged...)
			if w := h.writes(n); len(w) > 0 {
				t.Errorf("the second run wrote %q", w)
			}
		}
		twice(onLive(has(1, InProgress, "")), "0.1.1 in_progress created")
		twice(onLive(has(1, Success, "reconciliation succeeded")), "0.1.1 success updated")
		twice(onLive(has(1, Success, "reconciliation succeeded"), has(2, InProgress, "")), "0.1.1 success unchanged", "0.1.2 in_progress created")
		twice(onLive(has(2, Failure, "health check failed")), "0.1.2 failure updated", "0.1.1 inactive updated")
		twice(onLive(has(2, Failure, "health check failed after 2m")), "0.1.2 failure updated")
		back := has(1, Success, "reconciliation succeeded")
		back.Version = "0.1.3"
		twice(onLive(back), "0.1.3 success updated", "0.1.2 inactive updated")
		same(t, h.active("live", fleet), []string{digestOf(1) + " success"})
		if len(h.made) != 2 {
			t.Errorf("%d were made", len(h.made))
		}
		first := h.made[0]
		if p := string(first.Payload); p != `{"repository":"ghcr.io/acme/fleet","digest":"`+digestOf(1)+`","version":"0.1.1"}` {
			t.Errorf("the payload is %s", p)
		}
		if first.Ref != fmt.Sprintf("%040d", 1) || !strings.HasPrefix(first.Task, "oci-promote:") || !first.Production || first.Transient || first.Description != "0.1.1 of ghcr.io/acme/fleet" {
			t.Errorf("it is %+v", first)
		}
		if s := first.statuses[0]; s.Description != "0.1.3: reconciliation succeeded" || s.Log != onLive().Log || s.Page != "" {
			t.Errorf("its status is %+v", s)
		}
		if s := h.made[1].statuses[0]; s.State != Inactive || s.Description != replaced {
			t.Errorf("the status of what is gone is %+v", s)
		}
	}
}

// What is sent, and what it looks like: an empty list of contexts is sent, and no switch is left to its default.
func TestDeployRequests(t *testing.T) {
	name := "a/b c&d"
	e := Environment{Name: name, Artifact: fleet, Has: []Deployment{has(1, Success, "all\n\twell")}}
	filter := "?environment=a%2Fb+c%26d&per_page=100&task=oci-promote%3A" + strings.TrimPrefix(task(fleet), "oci-promote:")
	made := fmt.Sprintf(`{"id":5,"sha":"%040d","task":%q,"environment":%q,"payload":{"repository":%q,"digest":%q}}`, 1, task(fleet), name, fleet, digestOf(1))
	conversation(t, []exchange{
		{"GET deployments" + filter, says(200, `[]`)},
		{fmt.Sprintf(`POST deployments {"auto_merge":false,"description":"0.1.1 of ghcr.io/acme/fleet","environment":"a/b c\u0026d","payload":{"digest":%q,"repository":%q,"version":"0.1.1"},`+
			`"production_environment":false,"ref":"%040d","required_contexts":[],"task":%q,"transient_environment":false}`, digestOf(1), fleet, 1, task(fleet)), says(201, made)},
		{"GET deployments" + filter, says(200, `[`+made+`]`)},
		{"GET deployments/5/statuses?per_page=1", says(200, `[]`)},
		{`POST deployments/5/statuses {"auto_inactive":false,"description":"0.1.1: all well","state":"success"}`, says(201, `{"id":9,"state":"success","deployment_url":"https://x/deployments/5"}`)},
	}).open(t).Deploy(t.Context(), e) //nolint:errcheck // what was sent tells
}

// Others of the environment are neither found nor touched: GitHub's own, another artifact's, and one with our task and no payload of ours.
func TestDeployLeavesOthersAlone(t *testing.T) {
	h := startDeployHub(t)
	r := h.open(t)
	other := onLive(has(1, Success, "")) // the same digest, of another repository
	other.Artifact = "ghcr.io/acme/other"
	deploys(t, r, other, "0.1.1 success created")
	integration := onLive(has(1, Success, ""))
	integration.Name = "integration"
	deploys(t, r, integration, "0.1.1 success created")
	for _, body := range []string{`{}`, `""`, `"x"`, `null`, `[]`, `{"repository":5}`, `{"repository":"` + fleet + `"}`, `{"repository":"ghcr.io/acme/other","digest":"` + digestOf(2) + `"}`} {
		h.made = append(h.made, &hubDeployment{ID: len(h.made) + 1, Environment: "live", Task: task(fleet), Payload: json.RawMessage(body), statuses: []*hubStatus{{ID: 1, State: Success}}})
	}
	h.made = append(h.made, &hubDeployment{ID: len(h.made) + 1, Environment: "live", Task: "deploy", Payload: json.RawMessage(`{}`), statuses: []*hubStatus{{ID: 1, State: Success}}})
	before := len(h.made)
	deploys(t, r, onLive(has(1, Success, "")), "0.1.1 success created")
	deploys(t, r, onLive(has(2, Success, "")), "0.1.2 success created", "0.1.1 inactive updated")
	for _, d := range h.made[:before] {
		if d.state() != Success || len(d.statuses) != 1 {
			t.Errorf("%+v was touched", d)
		}
	}
}

// Where nothing is known to be there, nothing is asked and nothing changes.
func TestDeployNothing(t *testing.T) {
	h := startDeployHub(t)
	deploys(t, h.open(t), onLive())
	if _, err := h.open(t).WouldDeploy(t.Context(), onLive()); err != nil || len(h.requests) > 0 {
		t.Errorf("%v, %q", err, h.requests)
	}
}

// A dry run reads, and says what is then done.
func TestWouldDeploy(t *testing.T) {
	h := startDeployHub(t)
	r := h.open(t)
	deploys(t, r, onLive(has(1, Success, "")), "0.1.1 success created")
	n := len(h.requests)
	next := onLive(has(2, InProgress, ""), has(1, Failure, "broken"))
	for _, e := range []Environment{next, onLive(has(3, Success, ""))} {
		would, err := r.WouldDeploy(t.Context(), e)
		if err != nil || len(h.writes(n)) > 0 {
			t.Errorf("%v, wrote %q", err, h.writes(n))
		}
		done, err := r.Deploy(t.Context(), e)
		if err != nil {
			t.Error(err)
		}
		got, want := inShort(would), inShort(done)
		slices.Sort(got)
		slices.Sort(want)
		same(t, got, want)
		n = len(h.requests)
	}
}

// Runs that start at once, each before any has made one, end with one that counts; where lists lag, the next run does it.
func TestDeployAtOnce(t *testing.T) {
	const runs = 4
	for _, lag := range []int{0, 2, runs} {
		h := startDeployHub(t)
		h.meeting, h.lag = runs, lag
		var wg sync.WaitGroup
		for range runs {
			wg.Go(func() {
				if _, err := h.open(t).Deploy(t.Context(), onLive(has(1, Success, "well"))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		h.lag = 0
		h.tick(time.Hour)
		if got := h.active("live", fleet); len(h.made) != runs || lag == 0 && len(got) != 1 || h.made[0].state() != Success {
			t.Errorf("lag %d: of %d active are %q\n%s", lag, len(h.made), got, strings.Join(h.requests, "\n"))
		}
		if _, err := h.open(t).Deploy(t.Context(), onLive(has(1, Success, "well"))); err != nil {
			t.Error(err)
		}
		same(t, h.active("live", fleet), []string{digestOf(1) + " success"})
		for range 3 { // the younger ones are never chosen again
			h.tick(time.Hour)
			_, _ = h.open(t).Deploy(t.Context(), onLive(has(2, Success, "well")))
			_, _ = h.open(t).Deploy(t.Context(), onLive(has(1, Success, "well")))
		}
		if got := h.active("live", fleet); len(h.made) != runs+1 || !slices.Equal(got, []string{digestOf(1) + " success"}) || h.made[0].state() != Success {
			t.Errorf("lag %d: in the end %d, active %q", lag, len(h.made), got)
		}
	}
}

// However many there are, a run asks little.
func TestDeployIsBounded(t *testing.T) {
	h := startDeployHub(t)
	r := h.open(t)
	for n := 1; n <= 130; n++ {
		h.tick(time.Minute)
		if _, err := r.Deploy(t.Context(), onLive(has(n, Success, ""))); err != nil {
			t.Fatal(err)
		}
	}
	n := len(h.requests)
	deploys(t, r, onLive(has(130, Success, "")), "0.1.130 success unchanged")
	if got := len(h.requests) - n; got != 1+1+lookBack {
		t.Errorf("%d requests", got)
	}
	same(t, h.active("live", fleet), []string{digestOf(130) + " success"})
	deploys(t, r, onLive(has(60, Success, "")), "0.1.60 success updated", "0.1.130 inactive updated")
	deploys(t, r, onLive(has(7, Success, "")), "0.1.7 success created", "0.1.60 inactive updated") // the first one of it is out of sight
	same(t, h.active("live", fleet), []string{digestOf(7) + " success"})
}

// A text from outside is one line that GitHub takes, however long it is, and is compared as it was sent.
func TestDeployWords(t *testing.T) {
	h := startDeployHub(t)
	r := h.open(t)
	e := onLive(has(1, Failure, strings.Repeat("é\n", 300)))
	deploys(t, r, e, "0.1.1 failure created")
	deploys(t, r, e, "0.1.1 failure unchanged")
	if got := []rune(h.made[0].statuses[0].Description); len(got) != 140 || got[139] != '…' {
		t.Errorf("the words are %q", string(got))
	}
	deploys(t, r, onLive(has(1, Failure, "")), "0.1.1 failure updated")
	if got := h.made[0].statuses[0].Description; got != "0.1.1" {
		t.Errorf("the words are %q", got)
	}
	again := onLive(has(1, Success, "a"), has(1, Failure, "b"))
	deploys(t, r, again, "0.1.1 success updated")
}

// What GitHub refuses of one deployment says nothing of the others: they follow what is true.
func TestDeployOneRefused(t *testing.T) {
	h := startDeployHub(t)
	r := h.open(t)
	deploys(t, r, onLive(has(1, Success, "")), "0.1.1 success created")
	h.unknown = has(2, "", "").Commit
	done, err := r.Deploy(t.Context(), onLive(has(2, Success, "")))
	explained(t, err, "", "creating the deployment of 0.1.2 to live in acme/fleet: 422 No ref found for: "+h.unknown)
	same(t, inShort(done), []string{"0.1.1 inactive updated"})
	short := has(3, Success, "")
	short.Commit = "main"
	done, err = r.Deploy(t.Context(), onLive(short, has(1, Success, "")))
	if err == nil || !strings.Contains(err.Error(), "creating the deployment of 0.1.3 to live in acme/fleet: its commit is not known") {
		t.Error(err)
	}
	same(t, inShort(done), []string{"0.1.1 success updated"})
	if len(h.made) != 1 {
		t.Errorf("%d were made", len(h.made))
	}
}

// A GitHub that would look at checks says so in its own words.
func TestDeployConflict(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			says(200, `[]`)(w, r)
			return
		}
		hubRefuses(w, 409, "Conflict: Commit status checks failed for main.", "required_contexts")
	})
	_, err := s.open(t).Deploy(t.Context(), onLive(has(1, Success, "")))
	explained(t, err, "", "409 Conflict: Commit status checks failed for main.: required_contexts invalid")
	if n := len(s.requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
}
