package test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/Masterminds/semver/v3"
	fluxcel "github.com/fluxcd/pkg/runtime/cel"
	"github.com/google/cel-go/common/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	kustomize "sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// cluster is what an example puts on a cluster: its objects, and those that flux-operator makes of a FluxInstance.
func cluster(t *testing.T, dir string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, u := range kustomized(t, filepath.Join(examples, dir)) {
		if u.GetKind() == "FluxInstance" {
			all = append(all, synced(t, u)...)
			continue
		}
		all = append(all, u)
	}
	return all
}

// synced is what flux-operator makes of a FluxInstance's spec.sync: its own template, which the instance's patches are
// applied to by kustomize.
func synced(t *testing.T, instance *unstructured.Unstructured) []*unstructured.Unstructured {
	t.Helper()
	var spec struct {
		Sync      struct{ Name, Kind, URL, Ref, Path, Interval, PullSecret, Provider string }
		Kustomize struct{ Patches []kustomize.Patch }
	}
	data, err := json.Marshal(instance.Object["spec"])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	var objects bytes.Buffer
	err = template.Must(template.New("sync").Parse(syncTemplate(t))).Execute(&objects, map[string]any{
		"Sync": spec.Sync, "Namespace": instance.GetNamespace(), "SourceAPIVersion": "source.toolkit.fluxcd.io/v1",
	})
	if err != nil {
		t.Fatal(err)
	}
	disk := filesys.MakeFsInMemory()
	k, err := yaml.Marshal(kustomize.Kustomization{Resources: []string{"sync.yaml"}, Patches: spec.Kustomize.Patches})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"sync.yaml": objects.Bytes(), "kustomization.yaml": k} {
		if err := disk.WriteFile(name, content); err != nil {
			t.Fatal(err)
		}
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(disk, ".")
	if err != nil {
		t.Fatalf("flux-operator would fail: %v\n%s", err, objects.String())
	}
	out, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return documents(t, out)
}

// syncTemplate is flux-operator's, from its source.
func syncTemplate(t *testing.T) string {
	t.Helper()
	const file = "internal/builder/templates.go"
	parsed, err := parser.ParseFile(token.NewFileSet(), file, foreign(t, "github.com/controlplaneio-fluxcd/flux-operator@v0.59.0", file)[file], 0)
	if err != nil {
		t.Fatal(err)
	}
	found := ""
	ast.Inspect(parsed, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && v.Names[0].Name == "syncTmpl" {
			if literal, ok := v.Values[0].(*ast.BasicLit); ok {
				found, err = strconv.Unquote(literal.Value)
			}
		}
		return true
	})
	if err != nil || found == "" {
		t.Fatalf("flux-operator has no syncTmpl (%v)", err)
	}
	return found
}

// TestExampleFluxInstanceMakesTheSame: with flux-operator a cluster gets the same source and the same Kustomization.
func TestExampleFluxInstanceMakesTheSame(t *testing.T) {
	schemas := schemasOf(t)
	for _, dir := range []string{"integration", "live"} {
		plain, operated := cluster(t, dir), cluster(t, dir+"/flux-operator")
		if len(plain) != len(operated) {
			t.Errorf("%s: %d objects, with flux-operator %d", dir, len(plain), len(operated))
		}
		for _, want := range plain {
			got := only(t, operated, want.GetKind(), want.GetName())
			schemas.check(t, dir+"/flux-operator", got)
			for _, u := range []*unstructured.Unstructured{want, got} {
				if spec := u.Object["spec"].(map[string]any); spec["interval"] == "10m0s" {
					spec["interval"] = "10m"
				}
			}
			if !reflect.DeepEqual(got.Object["spec"], want.Object["spec"]) {
				t.Errorf("%s: %s has\n%v\nwith flux-operator\n%v", dir, want.GetKind(), want.Object["spec"], got.Object["spec"])
			}
		}
	}
}

// TestExamplesSelect: each cluster takes what its comment says, by Flux's own rule.
func TestExamplesSelect(t *testing.T) {
	ladder := []string{"sha-1a2b3c4", "integration-1a2b3c4", "validated-1a2b3c4", "0.0.1-rc.1", "0.0.1", "0.0.2-rc.9", "0.0.2-rc.10"}
	for _, dir := range []string{"integration", "integration/flux-operator", "integration-dispatch", "live", "live/flux-operator"} {
		source := only(t, cluster(t, dir), "OCIRepository", "platform")
		ref := source.Object["spec"].(map[string]any)["ref"].(map[string]any)
		if len(ref) != 1 {
			t.Errorf("%s: spec.ref is %v, want a semver and nothing that goes before it", dir, ref)
		}
		c, err := semver.NewConstraint(stringAt(t, source, "spec", "ref", "semver"))
		if err != nil {
			t.Fatal(err)
		}
		first, next := "0.0.1-rc.1", "0.0.2-rc.10"
		if strings.HasPrefix(dir, "live") {
			first, next = "", "0.0.1"
		}
		if got := strings.Join(highest(c, ladder[:4]), " "); got != first {
			t.Errorf("%s takes %q of %q, want %q", dir, got, ladder[:4], first)
		}
		if got := strings.Join(highest(c, ladder), " "); got != next {
			t.Errorf("%s takes %q of %q, want %q", dir, got, ladder, next)
		}
	}
}

// TestExampleSemverFilter: the line that a comment offers drops what others push and keeps ours.
func TestExampleSemverFilter(t *testing.T) {
	schemas := schemasOf(t)
	tags := []string{"0.0.1", "0.0.2-rc.10", "v3.0.0", "2.0.0-beta.1", "2025.02.03-rc1", "1.0", "sha-1a2b3c4"}
	for dir, want := range map[string]string{"integration": "0.0.2-rc.10", "live": "0.0.1"} {
		data, err := os.ReadFile(filepath.Join(examples, dir, "source.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		used := strings.Replace(string(data), "# semverFilter:", "semverFilter:", 1)
		if used == string(data) {
			t.Fatalf("%s/source.yaml has no comment on semverFilter", dir)
		}
		source := documents(t, []byte(used))[0]
		schemas.check(t, dir, source)
		c, err := semver.NewConstraint(stringAt(t, source, "spec", "ref", "semver"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(highest(c, matching(t, stringAt(t, source, "spec", "ref", "semverFilter"), tags)), " "); got != want {
			t.Errorf("%s with the filter takes %q, want %q", dir, got, want)
		}
		if got := strings.Join(highest(c, tags), " "); got == want {
			t.Errorf("%s without the filter takes %q too: the tags prove nothing", dir, got)
		}
	}
}

// statusContext is what notification-controller (newCommitStatus) makes of an example's expression and an event.
func statusContext(t *testing.T, dir string, event map[string]any) string {
	t.Helper()
	objects := cluster(t, dir)
	provider, alert := only(t, objects, "Provider", "github-status"), only(t, objects, "Alert", "github-status")
	expr, err := fluxcel.NewExpression(stringAt(t, provider, "spec", "commitStatusExpr"),
		fluxcel.WithCompile(), fluxcel.WithOutputType(types.StringType), fluxcel.WithStructVariables("event", "alert", "provider"))
	if err != nil {
		t.Fatal(err)
	}
	context, err := expr.EvaluateString(t.Context(), map[string]any{"event": event, "alert": alert.Object, "provider": provider.Object})
	if err != nil {
		t.Fatal(err)
	}
	return context
}

// reconciled is the event of a finished reconciliation as it was recorded from Flux, of this artifact.
// combineEventMetadata takes the prefix of the object's group off the metadata before any expression sees them.
func reconciled(t *testing.T, a programtest.Artifact) map[string]any {
	t.Helper()
	data, err := os.ReadFile("../testdata/flux/events/raw.kustomization-reconciliation-succeeded.json")
	if err != nil {
		t.Fatal(err)
	}
	var event map[string]any
	if err := json.Unmarshal(data, &event); err != nil {
		t.Fatal(err)
	}
	metadata := map[string]any{}
	for key, value := range event["metadata"].(map[string]any) {
		metadata[strings.TrimPrefix(key, "kustomize.toolkit.fluxcd.io/")] = value
	}
	if a.Digest != "" {
		metadata["revision"], metadata["originRevision"] = a.Tag+"@"+a.Digest, "main@sha1:"+a.Commit
	}
	event["metadata"] = metadata
	return event
}

// TestExampleCommitStatusPromotes: from Flux's event by the example's expression to the stable tag, on that very digest.
func TestExampleCommitStatusPromotes(t *testing.T) {
	const asRecorded = "kustomization/platform/0.0.1-rc.1@sha256:8ef039eeedf3400d490ba006227f7032b6054f3eeb8ace8d8f46ed10b062c0a5"
	if got := statusContext(t, "integration", reconciled(t, programtest.Artifact{})); got != asRecorded {
		t.Errorf("the context of the recorded event is %q, want %q", got, asRecorded)
	}
	s := registrytest.Start(t, registrytest.Options{})
	a := programtest.BuildFor(t, s, commitA, 0)
	other := programtest.Artifact{Tag: a.Tag, Digest: "sha256:" + strings.Repeat("0", 64), Commit: commitA}
	if r := programtest.TagOnce(t, s, programtest.StatusOf(t, commitA, statusContext(t, "integration", reconciled(t, other)), "success")); r.Outcome == "promoted" {
		t.Errorf("a status that names another digest: %s %s", r.Outcome, r.Version)
	}
	r := programtest.TagOnce(t, s, programtest.StatusOf(t, commitA, statusContext(t, "integration", reconciled(t, a)), "success"))
	if r.Outcome != "promoted" || r.Version != "0.0.1" || r.Digest != a.Digest || s.Named(fleet, "0.0.1") != a.Digest {
		t.Errorf("%s %s on %s: %s\n%s", r.Outcome, r.Version, r.Digest, r.Reason, r.Log)
	}
	// After the promotion integration selects the same digest by its stable tag, and reports it again (docs/facts.md 9).
	again := programtest.TagOnce(t, s, programtest.StatusOf(t, commitA, statusContext(t, "integration", reconciled(t, programtest.Artifact{Tag: "0.0.1", Digest: a.Digest, Commit: commitA})), "success"))
	if again.Outcome != "unchanged" {
		t.Errorf("the second report: %s: %s", again.Outcome, again.Reason)
	}
}

// TestExampleLiveReportPromotesNothing: the event that promotes by integration's expression is ignored by live's.
func TestExampleLiveReportPromotesNothing(t *testing.T) {
	s := registrytest.Start(t, registrytest.Options{})
	a := programtest.BuildFor(t, s, commitA, 0)
	event := reconciled(t, a)
	for _, dir := range []string{"live", "live/flux-operator"} {
		context := statusContext(t, dir, event)
		if want := "kustomization/platform-live/" + a.Tag + "@" + a.Digest; context != want {
			t.Errorf("%s: the context is %q, want %q", dir, context, want)
		}
		if r := programtest.TagOnce(t, s, programtest.StatusOf(t, commitA, context, "success")); r.Outcome != "ignored" || s.Named(fleet, "0.0.1") != "" {
			t.Errorf("%s: live's report ends as %s %s: %s", dir, r.Outcome, r.Version, r.Reason)
		}
	}
	if r := programtest.TagOnce(t, s, programtest.StatusOf(t, commitA, statusContext(t, "integration", event), "success")); r.Outcome != "promoted" {
		t.Errorf("integration's report ends as %s: %s", r.Outcome, r.Reason)
	}
}

// TestExampleDispatchPromotes: what the example with repository_dispatch lets through is what mode tag takes for a proof.
func TestExampleDispatchPromotes(t *testing.T) {
	objects := cluster(t, "integration-dispatch")
	alert := only(t, objects, "Alert", "github-dispatch")
	passes, err := json.Marshal(alert.Object["spec"].(map[string]any)["inclusionList"])
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	if err := json.Unmarshal(passes, &lines); err != nil || len(lines) != 1 {
		t.Fatalf("inclusionList %s: %v", passes, err)
	}
	s := registrytest.Start(t, registrytest.Options{})
	a := programtest.BuildFor(t, s, commitA, 0)
	for file, want := range map[string]string{
		"repository_dispatch.gate-kustomization-applied.json":        "ignored",
		"repository_dispatch.kustomization-health-check-passed.json": "promoted",
	} {
		message := ""
		env := programtest.Event(t, "repository_dispatch", file, func(e map[string]any) {
			payload := e["client_payload"].(map[string]any)
			payload["involvedObject"].(map[string]any)["name"] = "platform-gate"
			metadata := payload["metadata"].(map[string]any)
			metadata["revision"], metadata["originRevision"] = a.Tag+"@"+a.Digest, "main@sha1:"+a.Commit
			message = payload["message"].(string)
		})
		if sent := len(matching(t, lines[0], []string{message})) > 0; sent != (want == "promoted") {
			t.Errorf("%s is sent: %t", message, sent)
		}
		if r := programtest.TagOnce(t, s, env, "--kustomization", "flux-system/platform-gate"); r.Outcome != want {
			t.Errorf("%s: %s, want %s: %s", message, r.Outcome, want, r.Reason)
		}
	}
}
