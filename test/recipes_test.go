package test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	fluxcel "github.com/fluxcd/pkg/runtime/cel"
	"github.com/google/cel-go/common/types"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// recipeWorld is a repository acme/fleet with two directories, its GitHub, and its registry.
type recipeWorld struct {
	t         *testing.T
	registry  *registrytest.Server
	hub       *httptest.Server
	statuses  []map[string]string // of commitA, the newest first
	workspace string
	bin       string
}

func newRecipeWorld(t *testing.T) *recipeWorld {
	t.Helper()
	w := &recipeWorld{t: t, registry: registrytest.Start(t, registrytest.Options{}), workspace: t.TempDir(), bin: t.TempDir()}
	for _, dir := range []string{"platform", "monitoring"} {
		if err := os.CopyFS(filepath.Join(w.workspace, dir), os.DirFS(platform)); err != nil {
			t.Fatal(err)
		}
		programtest.Write(t, filepath.Join(w.workspace, dir, "name.yaml"), "name: "+dir+"\n")
	}
	commits := startGitHub(t, gitCommit{commitA, "Begin", "platform"})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /repos/acme/fleet/commits/{sha}/statuses", w.history)
	mux.HandleFunc("GET /repos/acme/fleet/commits/{sha}/status", w.newest)
	mux.Handle("/", commits.Config.Handler)
	w.hub = httptest.NewServer(mux)
	t.Cleanup(w.hub.Close)
	return w
}

func (w *recipeWorld) history(rw http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(rw).Encode(w.statuses)
}

// newest gives the newest status of each context, as GitHub does.
func (w *recipeWorld) newest(rw http.ResponseWriter, _ *http.Request) {
	seen, all := map[string]bool{}, []map[string]string{}
	for _, s := range w.statuses {
		if !seen[s["context"]] {
			all = append(all, s)
		}
		seen[s["context"]] = true
	}
	_ = json.NewEncoder(rw).Encode(map[string]any{"sha": commitA, "statuses": all})
}

// says posts a status on commitA, so long ago.
func (w *recipeWorld) says(context, state, description string, ago time.Duration) {
	at := time.Now().Add(-ago).UTC().Format(time.RFC3339)
	s := map[string]string{"context": context, "state": state, "description": description, "created_at": at, "updated_at": at}
	w.statuses = append([]map[string]string{s}, w.statuses...)
}

// command puts a script in front of a command.
func (w *recipeWorld) command(name, script string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.bin, name), []byte("#!/usr/bin/env bash\nset -euo pipefail\n"+script), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

// job is a run of a job on commitA that an event started.
func (w *recipeWorld) job(event []string, contexts map[string]any) *jobRun {
	all := map[string]any{"github": map[string]any{"repository": "acme/fleet", "token": apiToken}, "inputs": map[string]any{}}
	for name, context := range contexts {
		all[name] = context
	}
	return &jobRun{t: w.t, registry: w.registry, bin: w.bin, contexts: all, env: append([]string{
		"GITHUB_ACTIONS=true", "GITHUB_REPOSITORY=acme/fleet", "GITHUB_SERVER_URL=https://github.com", "GITHUB_API_URL=" + w.hub.URL,
		"GITHUB_ACTOR=ada", "GITHUB_REF_NAME=main", "GITHUB_SHA=" + commitA, "GITHUB_WORKSPACE=" + w.workspace,
	}, event...)}
}

// build runs a recipe that builds, and gives the artifact by its candidate.
func (w *recipeWorld) build(name string, contexts map[string]any, repository string) (programtest.Artifact, *jobRun) {
	w.t.Helper()
	_, job := readRecipe(w.t, name)
	j := w.job([]string{"GITHUB_EVENT_NAME=push"}, contexts)
	if !j.run(job) {
		w.t.Fatalf("%s fails:\n%s", name, j.log)
	}
	a := programtest.Artifact{Tag: "0.0.1-rc.1", Digest: w.registry.Named(repository, "0.0.1-rc.1"), Commit: commitA}
	if a.Digest == "" {
		w.t.Fatalf("%s has no %s:\n%s", repository, a.Tag, j.log)
	}
	return a, j
}

// reportOf is the event of Flux's report on commitA.
func reportOf(t *testing.T, context string) []string {
	return programtest.StatusOf(t, commitA, context, "success")
}

// schedule is the event of a catch-up.
var schedule = []string{"GITHUB_EVENT_NAME=schedule"}

// TestRecipeProvenance runs the recipe's build and promotion: an artifact without provenance is not promoted, one with is, and
// nothing is approved that integration has not proved.
func TestRecipeProvenance(t *testing.T) {
	t.Parallel()
	w := newRecipeWorld(t)
	const repository = "acme/fleet/platform"
	a, built := w.build("build-attested.yaml", nil, repository)
	if want := "ghcr.io/" + repository + "@" + a.Digest + "\n"; !strings.Contains(built.log, "actions/attest-build-provenance@") || !strings.Contains(built.log, want) {
		t.Errorf("the build attests no %s:\n%s", want, built.log)
	}
	attested := filepath.Join(w.bin, "attested")
	w.command("docker", `[ "$*" = "login ghcr.io --username ada --password-stdin" ] && [ "$(cat)" = "`+apiToken+`" ]`)
	w.command("gh", `[ "$GH_TOKEN" = "`+apiToken+`" ]
[ "$*" = "attestation verify oci://$(cat "`+attested+`") --repo acme/fleet --source-ref refs/heads/main`+
		` --signer-workflow acme/fleet/.github/workflows/build-platform-artifact.yaml --deny-self-hosted-runners" ] || { echo "no attestation for $3" >&2; exit 1; }`)
	_, job := readRecipe(t, "tag-attested.yaml")
	context := "kustomization/platform/" + a.Tag + "@" + a.Digest

	for name, event := range map[string][]string{"another object's status": reportOf(t, "kustomization/other/1"), "a catch-up without a word": schedule} {
		if j := w.job(event, nil); !j.run(job) || strings.Count(j.log, "skipped: ") != 2 {
			t.Errorf("%s goes on after the plan:\n%s", name, j.log)
		}
	}
	programtest.Write(t, attested, "another")
	if j := w.job(reportOf(t, context), nil); j.run(job) || !strings.Contains(j.log, "no attestation for oci://") {
		t.Errorf("without provenance the job goes on:\n%s", j.log)
	}
	if d := w.registry.Named(repository, "0.0.1"); d != "" {
		t.Fatalf("0.0.1 is %s without provenance", d)
	}
	programtest.Write(t, attested, w.registry.Host+"/"+repository+"@"+a.Digest)
	w.says(context, "success", "reconciliation succeeded", 5*time.Minute)
	_, soaking := readRecipe(t, "tag-attested.yaml")
	soaking.Steps[0].With["soak"] = "1h"
	for _, event := range [][]string{schedule, reportOf(t, context)} {
		if j := w.job(event, nil); !j.run(soaking) || strings.Count(j.log, "skipped: ") != 2 {
			t.Errorf("what has not soaked is promoted by its digest:\n%s", j.log)
		}
	}
	if j := w.job(schedule, nil); !j.run(job) || w.registry.Named(repository, "0.0.1") != a.Digest {
		t.Errorf("with provenance the catch-up does not promote:\n%s", j.log)
	}
	if j := w.job(reportOf(t, context), nil); !j.run(job) || strings.Count(j.log, "skipped: ") != 2 {
		t.Errorf("what is promoted is promoted again:\n%s", j.log)
	}
}

// TestRecipeSeveralArtifacts builds and promotes two artifacts of one commit: a report promotes the one that it is of.
func TestRecipeSeveralArtifacts(t *testing.T) {
	t.Parallel()
	w := newRecipeWorld(t)
	_, build := readRecipe(t, "build-artifacts.yaml")
	_, tag := readRecipe(t, "tag-artifacts.yaml")
	names := []string{"platform", "monitoring"}
	if !slices.Equal(build.Strategy.Matrix.Artifact, names) || !slices.Equal(tag.Strategy.Matrix.Artifact, names) {
		t.Fatalf("the recipes are of %q and %q", build.Strategy.Matrix.Artifact, tag.Strategy.Matrix.Artifact)
	}
	matrix := func(name string) map[string]any { return map[string]any{"matrix": map[string]any{"artifact": name}} }
	digests := map[string]string{}
	for _, name := range names {
		a, _ := w.build("build-artifacts.yaml", matrix(name), "acme/fleet/"+name)
		digests[name] = a.Digest
	}
	if digests["platform"] == digests["monitoring"] {
		t.Fatal("the two directories gave one artifact")
	}
	for _, name := range names {
		j := w.job(reportOf(t, "kustomization/monitoring/0.0.1-rc.1@"+digests["monitoring"]), matrix(name))
		if !j.run(tag) {
			t.Errorf("the promotion of %s fails:\n%s", name, j.log)
		}
	}
	if got, other := w.registry.Named("acme/fleet/monitoring", "0.0.1"), w.registry.Named("acme/fleet/platform", "0.0.1"); got != digests["monitoring"] || other != "" {
		t.Errorf("monitoring's report: monitoring 0.0.1 is %q, platform 0.0.1 %q", got, other)
	}
}

// TestRecipeTwoClusters: the gate's report alone does not promote, nor does any other word of the second cluster than health, of
// that digest.
func TestRecipeTwoClusters(t *testing.T) {
	t.Parallel()
	w := newRecipeWorld(t)
	const repository = "acme/fleet/platform"
	a, _ := w.build("build-attested.yaml", nil, repository)
	w.command("gh", `[ "$1 $2 $4" = "api --paginate --jq" ]; curl -fsS -H "Authorization: Bearer $GH_TOKEN" "$GITHUB_API_URL/$3" | jq -r "$5"`+"\n")
	_, job := readRecipe(t, "tag-two-clusters.yaml")
	gate := statusContext(t, "integration", reconciled(t, a))
	second := statusContext(t, "integration-second", reconciled(t, a))
	if second != "kustomization/platform-second/"+a.Tag+"@"+a.Digest {
		t.Fatalf("the second cluster's context is %q", second)
	}
	w.says(gate, "success", "reconciliation succeeded", time.Hour)
	promotes := func(event []string) bool {
		j := w.job(event, nil)
		if !j.run(job) {
			t.Errorf("the job fails:\n%s", j.log)
		}
		return w.registry.Named(repository, "0.0.1") != ""
	}
	if promotes(reportOf(t, gate)) {
		t.Fatal("the gate's word alone promotes")
	}
	for i, word := range [][]string{
		{"kustomization/platform-second/" + a.Tag + "@sha256:" + strings.Repeat("0", 64), "success", "reconciliation succeeded"},
		{"kustomization/platform-third/" + a.Tag + "@" + a.Digest, "success", "reconciliation succeeded"},
		{second, "success", "dependency not ready"},
		{second, "failure", "health check failed"},
	} {
		w.says(word[0], word[1], word[2], time.Duration(50-i)*time.Minute)
		if promotes(reportOf(t, gate)) {
			t.Fatalf("%q promotes", word)
		}
	}
	w.says(second, "success", "reconciliation succeeded", time.Minute)
	if promotes(reportOf(t, second)) {
		t.Fatal("the second cluster's own status promotes")
	}
	if !promotes(schedule) || w.registry.Named(repository, "0.0.1") != a.Digest {
		t.Errorf("both are healthy, and 0.0.1 is %q", w.registry.Named(repository, "0.0.1"))
	}
}

// claimsOf are those of a token that GitHub gives to the recipe's job, with an audience.
func claimsOf(audience string) map[string]any {
	return map[string]any{
		"iss": "https://token.actions.githubusercontent.com", "aud": audience, "sub": "repo:acme/fleet:ref:refs/heads/main",
		"repository": "acme/fleet", "repository_owner": "acme", "ref": "refs/heads/main", "event_name": "workflow_run",
		"workflow_ref": "acme/fleet/.github/workflows/poke-clusters.yaml@refs/heads/main",
	}
}

// TestRecipePoke runs the recipe's script against a token service and two Receivers, one of which is down: each of the others
// gets one request, with a token for it alone that the example's Receiver takes.
func TestRecipePoke(t *testing.T) {
	t.Parallel()
	_, job := readRecipe(t, "poke-clusters.yaml")
	var mu sync.Mutex
	got := map[string][]string{}
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "bearer request-token" || r.FormValue("api-version") != "2.0" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		payload, _ := json.Marshal(claimsOf(r.FormValue("audience")))
		_ = json.NewEncoder(w).Encode(map[string]string{"value": "x." + base64.RawURLEncoding.EncodeToString(payload) + ".y"})
	}))
	defer tokens.Close()
	receiver := func() *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			at := "http://" + r.Host
			got[at] = append(got[at], r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		}))
		t.Cleanup(s.Close)
		return s
	}
	one, two, down := receiver(), receiver(), receiver()
	down.Close()
	poke := func(built string, integration string) *jobRun {
		j := &jobRun{t: t, bin: t.TempDir(), env: []string{
			"ACTIONS_ID_TOKEN_REQUEST_TOKEN=request-token", "ACTIONS_ID_TOKEN_REQUEST_URL=" + tokens.URL + "/token?api-version=2.0",
		}, contexts: map[string]any{
			"github": map[string]any{"event": map[string]any{"workflow_run": map[string]any{"name": built}}},
			"vars":   map[string]any{"FLUX_RECEIVERS_INTEGRATION": integration, "FLUX_RECEIVERS_LIVE": two.URL + "/hook/2"},
		}}
		if ok := j.run(job); ok == strings.Contains(integration, down.URL) && built == "Build platform artifact" {
			t.Errorf("%s: %t\n%s", built, ok, j.log)
		}
		return j
	}
	j := poke("Build platform artifact", down.URL+"/hook/0\n"+one.URL+"/hook/1")
	if len(got[one.URL]) != 1 || len(got[two.URL]) != 0 || !strings.Contains(j.log, "::warning::"+down.URL+"/hook/0 was not told") {
		t.Errorf("after a build: %v\n%s", got, j.log)
	}
	poke("Tag validated artifact", one.URL+"/hook/1")
	if len(got[one.URL]) != 1 || len(got[two.URL]) != 1 {
		t.Errorf("after a promotion: %v", got)
	}
	for _, s := range []*httptest.Server{one, two} {
		method, token, _ := strings.Cut(strings.Join(got[s.URL], ""), " Bearer ")
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token+"..", ".")[1])
		var claims map[string]any
		if err != nil || json.Unmarshal(payload, &claims) != nil || !strings.HasPrefix(method, "POST /hook/") {
			t.Fatalf("%q: %v", got[s.URL], err)
		}
		if claims["aud"] != s.URL || len(rejections(t, claims)) > 0 {
			t.Errorf("%s is sent a token of %v, which its Receiver refuses: %q", s.URL, claims, rejections(t, claims))
		}
	}
}

// rejections are the messages with which the example's Receiver refuses a token, evaluated as notification-controller does.
func rejections(t *testing.T, claims map[string]any) (all []string) {
	t.Helper()
	spec := only(t, kustomized(t, filepath.Join(examples, "poke")), "Receiver", "poke").Object["spec"].(map[string]any)
	provider := spec["oidcProviders"].([]any)[0].(map[string]any)
	for _, v := range provider["validations"].([]any) {
		validation := v.(map[string]any)
		expr, err := fluxcel.NewExpression(validation["expression"].(string),
			fluxcel.WithCompile(), fluxcel.WithOutputType(types.BoolType), fluxcel.WithStructVariables("claims", "vars"))
		if err != nil {
			t.Fatal(err)
		}
		ok, err := expr.EvaluateBoolean(t.Context(), map[string]any{"claims": claims, "vars": map[string]any{}})
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			all = append(all, validation["message"].(string))
		}
	}
	return all
}

// TestRecipeReceiver: who may poke by the example, and which package's webhook counts.
func TestRecipeReceiver(t *testing.T) {
	t.Parallel()
	for claim, value := range map[string]string{
		"": "", "repository": "mallory/fleet", "workflow_ref": "acme/fleet/.github/workflows/poke-clusters.yaml@refs/heads/mine",
	} {
		claims := claimsOf("https://flux.integration.example.com")
		if claim != "" {
			claims[claim] = value
		}
		if refused := rejections(t, claims); (len(refused) > 0) != (claim != "") {
			t.Errorf("%s %q: refused with %q", claim, value, refused)
		}
	}
	filter := stringAt(t, only(t, kustomized(t, filepath.Join(examples, "poke-webhook")), "Receiver", "package"), "spec", "resourceFilter")
	expr, err := fluxcel.NewExpression(filter, fluxcel.WithCompile(), fluxcel.WithOutputType(types.BoolType), fluxcel.WithStructVariables("res", "req"))
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]bool{
		`{"action":"published","package":{"name":"fleet/platform","namespace":"acme","package_type":"CONTAINER"}}`: true,
		`{"action":"published","package":{"name":"fleet","namespace":"acme","package_type":"CONTAINER"}}`:          false,
		`{"zen":"Design for failure.","hook_id":1}`:                                                                false,
	} {
		var req map[string]any
		if err := json.Unmarshal([]byte(body), &req); err != nil {
			t.Fatal(err)
		}
		if got, err := expr.EvaluateBoolean(t.Context(), map[string]any{"req": req, "res": map[string]any{}}); err != nil || got != want {
			t.Errorf("%s: %t, %v", body, got, err)
		}
	}
}

// TestRecipesAreHeld: each recipe is in the guide, uses only inputs that exist, and gives a job no more than the modes and the
// steps in it need.
func TestRecipesAreHeld(t *testing.T) {
	inputs := actionInputs(t)
	flags := map[string]map[string]bool{"build": flagsOf(t, "build"), "tag": flagsOf(t, "tag")}
	guide := readPage(t, "docs/recipes.md").links()
	needed := map[string]string{
		"build-attested.yaml": "attestations: write, contents: read, id-token: write, packages: write", "build-artifacts.yaml": "contents: read, packages: write",
		"tag-attested.yaml": "attestations: read, contents: read, packages: write, statuses: read", "tag-artifacts.yaml": "contents: read, packages: write, statuses: read",
		"tag-two-clusters.yaml": "contents: read, packages: write, statuses: read", "poke-clusters.yaml": "id-token: write",
	}
	files, err := filepath.Glob("../examples/recipes/*")
	if err != nil || len(files) != len(needed) {
		t.Fatalf("%d recipes, want %d (%v)", len(files), len(needed), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		text, job := readRecipe(t, name)
		for _, problem := range yamlProblems(text, inputs, flags) {
			t.Errorf("%s: %s", name, problem)
		}
		var has []string
		for scope, access := range job.Permissions {
			has = append(has, scope+": "+access)
		}
		slices.Sort(has)
		if got := strings.Join(has, ", "); got != needed[name] || !strings.Contains(text, "\npermissions: {}\n") {
			t.Errorf("%s: the job has %q, want %q, and the workflow none", name, got, needed[name])
		}
		if !slices.Contains(guide, "../examples/recipes/"+name) {
			t.Errorf("docs/recipes.md does not name %s", name)
		}
	}
}
