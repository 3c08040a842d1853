package test

import (
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/flanksource/gomplate/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

type fields = map[string]any

// pod is a pod as the API server lists it.
func pod(app, phase, ready string, more ...fields) unstructured.Unstructured {
	status := fields{"phase": phase}
	if ready != "" {
		status["conditions"] = []any{fields{"type": "PodScheduled", "status": "True"}, fields{"type": "Ready", "status": ready}}
	}
	metadata := fields{"name": app + "-7d4b9c", "namespace": "flux-system", "labels": fields{"app": app}}
	for _, m := range more {
		for key, value := range m {
			metadata[key] = value
		}
	}
	return unstructured.Unstructured{Object: fields{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status}}
}

// TestExampleFluxPods: the check's CEL, by canary-checker's own expression library, on the pods that its list could have.
func TestExampleFluxPods(t *testing.T) {
	check := only(t, kustomized(t, filepath.Join(examples, "canary")), "Canary", "flux-pods").
		Object["spec"].(fields)["kubernetes"].([]any)[0].(fields)
	if check["ready"] != nil || check["healthy"] != nil {
		t.Errorf("the check has ready or healthy: %v", check)
	}
	expr := check["test"].(fields)["expr"].(string)
	healthy := func(more ...unstructured.Unstructured) []unstructured.Unstructured {
		return append([]unstructured.Unstructured{
			pod("source-controller", "Running", "True"), pod("kustomize-controller", "Running", "True"),
			pod("notification-controller", "Running", "True"),
		}, more...)
	}
	for name, test := range map[string]struct {
		pods []unstructured.Unstructured
		want bool
	}{
		"all Running and Ready":                {healthy(pod("helm-controller", "Running", "True")), true},
		"no helm-controller":                   {healthy(), true},
		"none at all":                          {nil, false},
		"an empty list":                        {[]unstructured.Unstructured{}, false},
		"one in CrashLoopBackOff":              {healthy(pod("helm-controller", "Running", "False")), false},
		"one Pending":                          {healthy(pod("helm-controller", "Pending", "False")), false},
		"one Pending without conditions":       {healthy(pod("helm-controller", "Pending", "")), false},
		"one Running without conditions":       {healthy(pod("helm-controller", "Running", "")), false},
		"one of an unknown phase":              {healthy(pod("helm-controller", "Unknown", "True")), false},
		"readiness unknown":                    {healthy(pod("helm-controller", "Running", "Unknown")), false},
		"a completed job's":                    {healthy(pod("helm-controller", "Succeeded", "False")), true},
		"an evicted pod's remains":             {healthy(pod("source-controller", "Failed", "")), true},
		"an old one on its way out":            {healthy(pod("source-controller", "Running", "False", fields{"deletionTimestamp": "2026-01-01T00:00:00Z"})), true},
		"only completed jobs":                  {[]unstructured.Unstructured{pod("source-controller", "Succeeded", "False")}, false},
		"no source-controller":                 {healthy()[1:], false},
		"no notification-controller":           {healthy()[:2], false},
		"kustomize-controller only on its way": {append(healthy()[:1], pod("kustomize-controller", "Pending", "False", fields{"deletionTimestamp": "2026-01-01T00:00:00Z"}), healthy()[2]), false},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := gomplate.RunTemplate(map[string]any{"results": test.pods}, gomplate.Template{Expression: expr})
			if err != nil {
				t.Fatal(err)
			}
			// As processTemplates does: what is not a boolean fails the check.
			got, err := strconv.ParseBool(out)
			if err != nil {
				t.Fatalf("is %q: %v", out, err)
			}
			if got != test.want {
				t.Errorf("is %t, want %t", got, test.want)
			}
		})
	}
}

// TestExampleFluxPodsHaveTheLabel: the check lists the pods of the controllers as Flux 2.9 deploys them, and no others.
func TestExampleFluxPodsHaveTheLabel(t *testing.T) {
	const manifests = "config/data/flux/v2.9.5/"
	check := only(t, kustomized(t, filepath.Join(examples, "canary")), "Canary", "flux-pods").
		Object["spec"].(fields)["kubernetes"].([]any)[0].(fields)
	selector, err := labels.Parse(check["resource"].(fields)["labelSelector"].(string))
	if err != nil {
		t.Fatal(err)
	}
	listed := 0
	for name, data := range foreign(t, "github.com/controlplaneio-fluxcd/flux-operator@v0.59.0", manifests+"*-controller.yaml") {
		for _, u := range documents(t, data) {
			if u.GetKind() != "Deployment" {
				continue
			}
			has, _, err := unstructured.NestedStringMap(u.Object, "spec", "template", "metadata", "labels")
			if err != nil {
				t.Fatal(err)
			}
			if selector.Matches(labels.Set(has)) {
				listed++
			} else if name == manifests+u.GetName()+".yaml" && !slices.Contains([]string{"image-automation-controller", "image-reflector-controller"}, u.GetName()) {
				t.Errorf("the pods of %s have the labels %v, and are not listed", u.GetName(), has)
			}
		}
	}
	if listed != 4 {
		t.Errorf("the pods of %d controllers are listed, want 4", listed)
	}
}
