package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// deployer is a GitHub that keeps deployments, as objects of its API, and the newest status of each.
type deployer struct {
	*httptest.Server
	made     []map[string]any
	statuses []map[string]any
	refuses  bool // every write
	writes   []string
}

func startDeployer(t *testing.T) *deployer {
	t.Helper()
	d := &deployer{made: []map[string]any{}}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what, ok := strings.CutPrefix(r.URL.Path, "/repos/acme/fleet/deployments")
		if !ok {
			t.Errorf("GitHub is asked for %s", r.URL)
		}
		var answer any
		id := 0
		_, _ = fmt.Sscanf(what, "/%d/statuses", &id)
		switch {
		case r.Method == http.MethodGet && id == 0:
			answer = slices.DeleteFunc(slices.Clone(d.made), func(m map[string]any) bool { return m["environment"] != r.FormValue("environment") })
		case r.Method == http.MethodGet:
			answer = []any{}
			if s := d.statuses[id-1]; s != nil {
				answer = []any{s}
			}
		case d.refuses:
			w.WriteHeader(http.StatusForbidden)
			answer = map[string]string{"message": "Resource not accessible by integration"}
		default:
			answer = d.write(t, r.Body, id)
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(d.Close)
	return d
}

func (d *deployer) write(t *testing.T, body io.Reader, id int) map[string]any {
	var sent map[string]any
	if err := json.NewDecoder(body).Decode(&sent); err != nil {
		t.Error(err)
	}
	if id == 0 {
		sent["id"], sent["sha"] = len(d.made)+1, sent["ref"]
		d.made, d.statuses = append(d.made, sent), append(d.statuses, nil)
		d.writes = append(d.writes, fmt.Sprintf("%s: production %v", sent["environment"], sent["production_environment"]))
		return sent
	}
	sent["id"] = 1
	d.statuses[id-1] = sent
	d.writes = append(d.writes, fmt.Sprintf("%d: %s, %s, %s", id, sent["state"], sent["description"], sent["log_url"]))
	return sent
}

func (d *deployer) open(t *testing.T) *github.Repository {
	t.Helper()
	api, err := github.Open(github.Options{Repository: "acme/fleet", APIURL: d.URL, Token: "ghs_x"})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// running is a report of what the clusters run.
func running(selected string, all ...pipeline.Running) pipeline.Report {
	return pipeline.Report{
		Mode: "verify", Outcome: pipeline.Healthy, Repository: "ghcr.io/acme/fleet", Selected: &pipeline.Selected{Live: selected}, Diagnosis: &pipeline.Diagnosis{Running: all},
	}
}

func runs(cluster, version string, n int, state pipeline.RunningState, says string) pipeline.Running {
	return pipeline.Running{Cluster: cluster, Version: version, Digest: digest.Digest(fmt.Sprintf("sha256:%064d", n)), Commit: fmt.Sprintf("%040d", n), State: state, Says: says}
}

// inJob is the program in a job of acme/fleet.
func inJob() *command {
	return &command{secrets: &action.Secrets{}, getenv: func(name string) string {
		return map[string]string{"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/fleet", "GITHUB_RUN_ID": "77"}[name]
	}}
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var inPlaces = []place{{"integration", "staging/eu"}, {"live", "prod"}}

// Each cluster's half of the report goes to its environment; a dry run only says so; the second run writes nothing.
func TestDeployWhatRuns(t *testing.T) {
	hub, c := startDeployer(t), inJob()
	told := func(dryRun bool, all ...pipeline.Running) pipeline.Report {
		r := running("0.1.5", all...)
		c.deploy(t.Context(), hub.open(t), &r, inPlaces, true, dryRun)
		equal(t, r.Warnings, nil)
		return r
	}
	first := []pipeline.Running{
		runs("integration", "0.1.6-rc.7", 7, pipeline.Applying, ""), runs("live", "0.1.5", 5, pipeline.Runs, "reconciliation\nsucceeded"), runs("live", "0.1.6", 6, pipeline.Fails, "health check failed"),
	}
	r := told(true, first...)
	equal(t, r.Notices, []string{"would create a deployment: staging/eu 0.1.6-rc.7 is in_progress", "would create a deployment: prod 0.1.5 is success", "would create a deployment: prod 0.1.6 is failure"})
	if r.Deployed != nil || len(hub.writes) > 0 {
		t.Errorf("a dry run wrote %q", hub.writes)
	}
	r = told(false, first...)
	equal(t, hub.writes, []string{
		"staging/eu: production false", "1: in_progress, 0.1.6-rc.7, https://github.com/acme/fleet/actions/runs/77", "prod: production true", "prod: production true",
		"2: success, 0.1.5: reconciliation succeeded, https://github.com/acme/fleet/actions/runs/77", "3: failure, 0.1.6: health check failed, https://github.com/acme/fleet/actions/runs/77",
	})
	lines := []string{"    staging/eu 0.1.6-rc.7 is in_progress (created)", "    prod 0.1.5 is success (created)", "    prod 0.1.6 is failure (created)"}
	log := strings.Join(verifyLines(r, false), "\n")
	if want := "  deployments  https://github.com/acme/fleet/deployments\n" + strings.Join(lines, "\n"); !strings.Contains(log, want) {
		t.Errorf("the log is\n%s\nwithout\n%s", log, want)
	}
	const fact = "- **Deployments:** staging/eu `0.1.6-rc.7` is in\\_progress (created)<br>prod `0.1.5` is success (created)<br>prod `0.1.6` is failure (created)<br>" +
		"[https&#58;//github.com/acme/fleet/deployments](https://github.com/acme/fleet/deployments)\n"
	if got := summary(r, c.pages(r)); !strings.Contains(got, fact) {
		t.Errorf("the summary is\n%s\nwithout\n%s", got, fact)
	}
	hub.writes = nil
	r = told(false, first...)
	if len(hub.writes) > 0 || len(r.Deployed.Deployments) != 3 || r.Deployed.Deployments[0].Did != github.Unchanged {
		t.Errorf("the second run wrote %q: %+v", hub.writes, r.Deployed)
	}
	r = told(true, runs("live", "0.1.6", 6, pipeline.Runs, ""))
	equal(t, r.Notices, []string{"would update a deployment: prod 0.1.6 is success", "would update a deployment: prod 0.1.5 is inactive"})
}

// What nobody tells of stays as it is, and is said where live has something.
func TestDeployUntold(t *testing.T) {
	hub := startDeployer(t)
	for _, test := range []struct {
		selected string
		told     bool
		want     []string
	}{
		{"", false, nil},
		{"", true, nil},
		{"0.1.5", false, []string{"deployments of prod need live-status-context, or cluster-state of live: nobody tells what live runs"}},
		{"0.1.5", true, []string{"deployments of prod stay as they are: this time it is not known what live runs"}},
	} {
		r := running(test.selected)
		inJob().deploy(t.Context(), hub.open(t), &r, inPlaces, test.told, false)
		equal(t, r.Notices, test.want)
		if len(hub.writes) > 0 || r.Deployed != nil || len(r.Warnings) > 0 {
			t.Errorf("%+v: %q, %+v", test, hub.writes, r)
		}
	}
}

// A refusal is a warning with what to do, for each environment, and the verdict stays.
func TestDeployRefused(t *testing.T) {
	hub := startDeployer(t)
	hub.refuses = true
	r := running("0.1.5", runs("integration", "0.1.5", 5, pipeline.Runs, ""), runs("live", "0.1.5", 5, pipeline.Runs, ""))
	inJob().deploy(t.Context(), hub.open(t), &r, inPlaces, true, false)
	const why = ": 403 Resource not accessible by integration; the token may not write the deployments of this repository; the job needs `permissions: deployments: write`"
	equal(t, r.Warnings, []string{
		"the deployments of staging/eu could not be kept: creating the deployment of 0.1.5 to staging/eu in acme/fleet" + why,
		"the deployments of prod could not be kept: creating the deployment of 0.1.5 to prod in acme/fleet" + why,
	})
	if r.Outcome != pipeline.Healthy || r.Deployed != nil {
		t.Errorf("%+v", r)
	}
	guide, err := os.ReadFile("../../docs/permissions.md")
	told := strings.Join(strings.Fields(strings.ReplaceAll(string(guide), "\n> ", " ")), " ")
	if err != nil || !strings.Contains(told, strings.ReplaceAll(r.Warnings[1], "prod", "live")) {
		t.Errorf("docs/permissions.md does not say %q, %v", r.Warnings[1], err)
	}
	r = running("0.1.5")
	inJob().deploy(t.Context(), nil, &r, inPlaces, true, false)
	equal(t, r.Warnings, []string{"deployments: true needs a token and GITHUB_REPOSITORY, and one of them is missing"})
}

// What somebody else wrote into a deployment of ours can be no markup.
func TestDeployedIsHarmless(t *testing.T) {
	hub := startDeployer(t)
	r := running("0.1.5", runs("live", "0.1.5", 5, pipeline.Runs, ""))
	inJob().deploy(t.Context(), hub.open(t), &r, inPlaces, true, false)
	hub.made[0]["payload"].(map[string]any)["version"] = "0.1.5 | <img src=x>\n::error::x"
	r = running("0.1.6", runs("live", "0.1.6", 6, pipeline.Runs, ""))
	inJob().deploy(t.Context(), hub.open(t), &r, inPlaces, true, false)
	got := summary(r, pages{})
	if !strings.Contains(got, "prod 0.1.5 \\| &lt;img src=x&gt; ::error::x is inactive (updated)") {
		t.Errorf("the summary is\n%s", got)
	}
}

func TestEnvironmentNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"live": true, "eu/live 1": true, strings.Repeat("é", 255): true, strings.Repeat("e", 256): false, "a\nb": false, "a\u202eb": false, "a\x00": false, "\xff": false, "##[x": false,
	} {
		if _, err := parseEnvironment(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, c := range []struct{ integration, live, want string }{
		{"", "", ""}, {"staging", "", ""}, {"live", "", `live-environment: "live" is integration-environment too`}, {"Prod", "prod", `live-environment: "Prod" is integration-environment too`},
		{"a\nb", "a\nb", `integration-environment: "a\nb" is no name of an environment; expected one line of at most 255 characters`},
	} {
		r := action.Read(action.Values{"integration-environment": c.integration, "live-environment": c.live})
		places := readPlaces(r)
		if err := r.Err(); (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: %v, %+v", c, err, places)
		}
	}
}
