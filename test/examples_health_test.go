package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	fluxcel "github.com/fluxcd/pkg/runtime/cel"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/managedfields/managedfieldstest"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// applied is when Flux last changed the Canaries of these tests.
var applied = time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC)

func matching(t *testing.T, pattern string, tags []string) (found []string) {
	t.Helper()
	filter, err := regexp.Compile(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range tags {
		if filter.MatchString(tag) {
			found = append(found, tag)
		}
	}
	return found
}

// healthChecks are the expressions of every Kustomization of the examples that has some; all must be the same.
func healthChecks(t *testing.T) []kustomize.CustomHealthCheck {
	t.Helper()
	var first []kustomize.CustomHealthCheck
	n := 0
	for _, dir := range []string{"integration", "integration/flux-operator", "integration-dispatch", "live", "live/flux-operator"} {
		for _, u := range cluster(t, dir) {
			if u.GetKind() != "Kustomization" {
				continue
			}
			data, err := json.Marshal(u.Object["spec"])
			if err != nil {
				t.Fatal(err)
			}
			var spec struct {
				Wait             bool
				Timeout          string
				HealthChecks     []any
				HealthCheckExprs []kustomize.CustomHealthCheck
			}
			if err := json.Unmarshal(data, &spec); err != nil {
				t.Fatal(err)
			}
			if !spec.Wait || spec.Timeout == "" || spec.HealthChecks != nil || len(spec.HealthCheckExprs) == 0 {
				t.Errorf("%s: Kustomization %s: %+v", dir, u.GetName(), spec)
			}
			if n++; first == nil {
				first = spec.HealthCheckExprs
			}
			if !reflect.DeepEqual(spec.HealthCheckExprs, first) {
				t.Errorf("%s: Kustomization %s has other healthCheckExprs than the first: %v", dir, u.GetName(), spec.HealthCheckExprs)
			}
		}
	}
	if n != 6 {
		t.Fatalf("%d Kustomizations that gate, want 6", n)
	}
	return first
}

// canary is a Canary of the examples as it stands on a cluster: Flux applied it, canary-checker wrote a status.
func canary(t *testing.T, fields map[string]any) *unstructured.Unstructured {
	t.Helper()
	u := only(t, kustomized(t, filepath.Join(examples, "canary")), "Canary", "api-server")
	u.SetGeneration(3)
	u.SetManagedFields([]metav1.ManagedFieldsEntry{
		{Manager: "canary-checker", Operation: "Update", Time: &metav1.Time{Time: applied.Add(-time.Hour)}},
		{Manager: "kubectl", Operation: "Apply", Time: &metav1.Time{Time: applied.Add(-time.Hour)}},
		{Manager: "kustomize-controller", Operation: "Update", Time: &metav1.Time{Time: applied.Add(-time.Hour)}},
		{Manager: "kustomize-controller", Operation: "Apply", Time: &metav1.Time{Time: applied}},
	})
	if fields != nil {
		u.Object["status"] = fields
	}
	return u
}

// TestExampleCanaryGates: only a run that passed, and that began after Flux last changed the Canary, lets the candidate go on.
func TestExampleCanaryGates(t *testing.T) {
	checks := healthChecks(t)
	after := func(d time.Duration) string { return applied.Add(d).Format(time.RFC3339) }
	type m = map[string]any
	for name, test := range map[string]struct {
		status m
		want   status.Status
	}{
		"passed":                           {m{"status": "Passed", "lastCheck": after(30 * time.Second), "observedGeneration": int64(3)}, status.CurrentStatus},
		"passed as soon as it counts":      {m{"status": "Passed", "lastCheck": after(15 * time.Second), "observedGeneration": int64(3)}, status.CurrentStatus},
		"passed in a run under way before": {m{"status": "Passed", "lastCheck": after(14 * time.Second), "observedGeneration": int64(3)}, status.InProgressStatus},
		"passed before the change":         {m{"status": "Passed", "lastCheck": after(-time.Second), "observedGeneration": int64(3)}, status.InProgressStatus},
		"passed, change not yet seen":      {m{"status": "Passed", "lastCheck": after(time.Minute), "observedGeneration": int64(2)}, status.InProgressStatus},
		"passed, it is not said when":      {m{"status": "Passed", "observedGeneration": int64(3)}, status.InProgressStatus},
		"not said what came of it":         {m{"lastCheck": after(time.Minute), "observedGeneration": int64(3)}, status.InProgressStatus},
		"failed":                           {m{"status": "Failed", "lastCheck": after(time.Minute), "observedGeneration": int64(3)}, status.InProgressStatus},
		"failed before the change":         {m{"status": "Failed", "lastCheck": after(-time.Second), "observedGeneration": int64(3)}, status.InProgressStatus},
		"invalid":                          {m{"status": "Invalid", "lastCheck": after(time.Minute), "observedGeneration": int64(3)}, status.InProgressStatus},
		"pending":                          {m{"observedGeneration": int64(3), "checks": m{"api-server": "0190"}}, status.InProgressStatus},
		"pending, with an error":           {m{"errorMessage": "failed to sync canary job"}, status.InProgressStatus},
		"not seen by canary-checker":       {nil, status.UnknownStatus}, // and Flux waits for it to become known
	} {
		t.Run(name, func(t *testing.T) {
			newReader, err := fluxcel.NewStatusReader(checks)
			if err != nil {
				t.Fatal(err)
			}
			got, err := newReader(nil).ReadStatusForObject(t.Context(), nil, canary(t, test.status))
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != test.want {
				t.Errorf("is %s (%v), want %s", got.Status, got.Error, test.want)
			}
		})
	}
}

// TestExampleCandidateMovesTheGate: what the expression relies on. Flux's entry among the managed fields gets a new time when
// the commit in the Canary changes, and not when the same is applied again or canary-checker adds its finalizer.
func TestExampleCandidateMovesTheGate(t *testing.T) {
	u := canary(t, nil)
	u.SetManagedFields(nil)
	u.SetGeneration(0)
	const flux = "kustomize-controller"
	api := managedfieldstest.NewTestFieldManager(managedfields.NewDeducedTypeConverter(), u.GroupVersionKind())
	entry := func() time.Time {
		for _, e := range api.ManagedFields() {
			if e.Manager == flux && e.Operation == metav1.ManagedFieldsOperationApply {
				return e.Time.Time
			}
		}
		t.Fatalf("Flux has no entry: %v", api.ManagedFields())
		return time.Time{}
	}
	apply := func(commit string) time.Time {
		time.Sleep(1100 * time.Millisecond) // these times are whole seconds
		u := u.DeepCopy()
		u.SetAnnotations(map[string]string{"commit": commit})
		if err := api.Apply(u, flux, true); err != nil {
			t.Fatal(err)
		}
		return entry()
	}
	first := apply(commitA)
	if again := apply(commitA); !again.Equal(first) {
		t.Errorf("applying the same moved %s to %s", first, again)
	}
	live := api.Live().(*unstructured.Unstructured)
	live.SetFinalizers([]string{"canary.canaries.flanksource.com"})
	if err := api.Update(live, "canary-checker"); err != nil {
		t.Fatal(err)
	}
	if now := entry(); !now.Equal(first) {
		t.Errorf("a finalizer moved %s to %s", first, now)
	}
	if next := apply(commitB); !next.After(first) {
		t.Errorf("another commit did not move %s", first)
	}
}

// TestExampleCommitGetsIntoTheCanary: the command in the comment does what it says, in every Canary.
func TestExampleCommitGetsIntoTheCanary(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "platform", "canary"), os.DirFS(filepath.Join(examples, "canary"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "platform", "canary", "kustomization.yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), "- run: ")
	if !ok {
		t.Fatal("no command in the comment")
	}
	command, _, _ := strings.Cut(rest, "\n")
	shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", command)
	shell.Dir, shell.Env = dir, append(os.Environ(), "GITHUB_SHA="+commitA)
	if output, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, output)
	}
	for _, u := range kustomized(t, filepath.Join(dir, "platform", "canary")) {
		if got := u.GetAnnotations()["commit"]; u.GetKind() == "Canary" && got != commitA {
			t.Errorf("Canary %s has commit %q", u.GetName(), got)
		}
	}
}

// TestExampleOneCheckACanary: canary-checker gives a Canary the status of the last of its results (pkg/jobs/canary/status.go), so
// that a second check could hide a first that fails. And a run must end within the 15 s of the gate.
func TestExampleOneCheckACanary(t *testing.T) {
	n := 0
	for _, u := range kustomized(t, filepath.Join(examples, "canary")) {
		if u.GetKind() != "Canary" {
			continue
		}
		n++
		checks := 0
		for _, field := range u.Object["spec"].(map[string]any) {
			if list, ok := field.([]any); ok {
				checks += len(list)
			}
		}
		if checks != 1 {
			t.Errorf("Canary %s has %d checks", u.GetName(), checks)
		}
	}
	if n != 2 {
		t.Errorf("%d Canaries, want 2", n)
	}
	http := only(t, kustomized(t, filepath.Join(examples, "canary")), "Canary", "api-server").Object["spec"].(map[string]any)["http"].([]any)[0].(map[string]any)
	if codes := http["responseCodes"]; !reflect.DeepEqual(codes, []any{int64(200), int64(401)}) {
		t.Errorf("the API server may answer %v", codes)
	}
	if limit := http["thresholdMillis"]; limit == nil || limit.(int64) >= 15000 {
		t.Errorf("a request may take %v ms", limit)
	}
}

// TestExamplesAgree: what one object calls another by is what the other is called.
func TestExamplesAgree(t *testing.T) {
	for dir, gate := range map[string]string{
		"integration": "platform", "integration/flux-operator": "platform", "integration-dispatch": "platform-gate", "live": "platform", "live/flux-operator": "platform",
	} {
		all := cluster(t, dir)
		k := only(t, all, "Kustomization", gate)
		only(t, all, stringAt(t, k, "spec", "sourceRef", "kind"), stringAt(t, k, "spec", "sourceRef", "name"))
		alerts := 0
		for _, u := range all {
			if u.GetKind() != "Alert" {
				continue
			}
			alerts++
			p := only(t, all, "Provider", stringAt(t, u, "spec", "providerRef", "name"))
			stringAt(t, p, "spec", "secretRef", "name")
			source := u.Object["spec"].(map[string]any)["eventSources"].([]any)[0].(map[string]any)
			if source["kind"] != "Kustomization" || source["name"] != gate || source["namespace"] != k.GetNamespace() {
				t.Errorf("%s: Alert %s hears %v, want Kustomization %s", dir, u.GetName(), source, gate)
			}
		}
		if alerts != 1 {
			t.Errorf("%s: %d Alerts, want 1", dir, alerts)
		}
	}
	for _, u := range cluster(t, "dev") {
		if u.GetKind() == "Alert" || u.GetKind() == "Provider" {
			t.Errorf("dev has %s %s: nobody waits for its word", u.GetKind(), u.GetName())
		}
	}
}

// TestExampleVerifyFindsNoFaultInTheExamples: our own verify, with the examples as the clusters' state.
func TestExampleVerifyFindsNoFaultInTheExamples(t *testing.T) {
	s := registrytest.Start(t, registrytest.Options{})
	a := programtest.BuildFor(t, s, commitA, 0)
	if r := programtest.TagOnce(t, s, a.BoundStatus(t)); r.Version != "0.0.1" {
		t.Fatalf("%s: %s", r.Outcome, r.Log)
	}
	faults := regexp.MustCompile(`(?m)^ *((?:error|warning) [a-z-]+)`)
	verify := func(kustomization, integration, live string) programtest.Result {
		dir := t.TempDir()
		names := []string{"integration=" + clusterState(t, s, a, dir, integration), "live=" + clusterState(t, s, a, dir, live)}
		return programtest.Run(t, []string{"OCI_PROMOTE_PASSWORD=" + s.Password, "GITHUB_REPOSITORY=acme/fleet"}, "verify", "--repository", s.Host+"/"+fleet, "--plain-http",
			"--username", s.Username, "--kustomization", kustomization, "--fail-on", "warning", "--cluster-state", strings.Join(names, "\n"))
	}
	for _, operator := range []string{"", "/flux-operator"} {
		r := verify("flux-system/platform", "integration"+operator, "live"+operator)
		if r.Code != 0 || !strings.HasPrefix(r.Stdout, "verify: healthy, live has 0.0.1\n") || faults.MatchString(r.Stdout) {
			t.Errorf("%s: exit status %d\n%s%s", operator, r.Code, r.Stdout, r.Stderr)
		}
	}
	// What the example itself says of repository_dispatch, and nothing else.
	r := verify("flux-system/platform-gate", "integration-dispatch", "live")
	if found := faults.FindAllStringSubmatch(r.Stdout, -1); len(found) != 1 || found[0][1] != "warning provider-drops-event" {
		t.Errorf("integration-dispatch: %v\n%s%s", found, r.Stdout, r.Stderr)
	}
	// It does look: live's objects for integration's.
	if r := verify("flux-system/platform", "live", "live"); r.Code == 0 || !strings.Contains(r.Stdout, "error wrong-semver") {
		t.Errorf("live's objects as integration's: exit status %d\n%s", r.Code, r.Stdout)
	}
}

// clusterState writes what `kubectl get -o json` has when everything on a cluster is well.
func clusterState(t *testing.T, s *registrytest.Server, a programtest.Artifact, dir, example string) string {
	t.Helper()
	var items []any
	for _, u := range cluster(t, example) {
		revision := "0.0.1@" + a.Digest
		ready := map[string]any{
			"type": "Ready", "status": "True", "reason": "Succeeded", "message": "all is well", "observedGeneration": 1,
			"lastTransitionTime": "2026-01-01T01:00:00Z",
		}
		status := map[string]any{"observedGeneration": 1, "conditions": []any{ready}}
		switch u.GetKind() {
		case "OCIRepository":
			u.Object["spec"].(map[string]any)["url"] = strings.Replace(stringAt(t, u, "spec", "url"), "ghcr.io/acme/fleet/platform", s.Host+"/"+fleet, 1)
			status["artifact"] = map[string]any{"revision": revision, "lastUpdateTime": "2026-01-01T01:00:00Z"}
		case "Kustomization":
			status["lastAppliedRevision"], status["lastAttemptedRevision"] = revision, revision
		case "Alert", "Provider":
			status = nil
		}
		if status != nil {
			u.Object["status"] = status
		}
		items = append(items, u.Object)
	}
	data, err := json.Marshal(map[string]any{"kind": "List", "apiVersion": "v1", "items": items})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, strings.ReplaceAll(example, "/", "-")+".json")
	programtest.Write(t, name, string(data))
	return name
}
