package test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const examples = "../examples/flux"

// exampleDirs are the directories of examples/flux; each has a kustomization.yaml.
func exampleDirs(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(examples, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		yamls, err := filepath.Glob(filepath.Join(path, "*.yaml"))
		if len(yamls) > 0 {
			dirs = append(dirs, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) < 5 {
		t.Fatalf("%s has %d directories with YAML: the examples are not there", examples, len(dirs))
	}
	return dirs
}

// kustomized is what `kubectl apply -k` of an example sends, by the kustomize that Flux has.
func kustomized(t *testing.T, dir string) []*unstructured.Unstructured {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatalf("kustomize build %s: %v", dir, err)
	}
	text, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return documents(t, text)
}

// documents reads YAML of one or more objects, strictly: a key that is there twice is an error.
func documents(t *testing.T, text []byte) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, part := range bytes.Split(append([]byte("\n"), text...), []byte("\n---")) {
		u := &unstructured.Unstructured{}
		data, err := yaml.YAMLToJSONStrict(part)
		if err != nil {
			t.Fatalf("%v in\n%s", err, part)
		}
		if string(data) == "null" {
			continue
		}
		if err := u.UnmarshalJSON(data); err != nil {
			t.Fatalf("%v in\n%s", err, part)
		}
		all = append(all, u)
	}
	return all
}

// only is the object of that kind and name among several; the test fails unless there is exactly one.
func only(t *testing.T, all []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	t.Helper()
	found := slices.DeleteFunc(slices.Clone(all), func(u *unstructured.Unstructured) bool { return u.GetKind() != kind || u.GetName() != name })
	if len(found) != 1 {
		t.Fatalf("%d objects %s %s, want one", len(found), kind, name)
	}
	return found[0]
}

// stringAt is a field that must be there and a string.
func stringAt(t *testing.T, u *unstructured.Unstructured, fields ...string) string {
	t.Helper()
	s, ok, err := unstructured.NestedString(u.Object, fields...)
	if err != nil || !ok {
		t.Fatalf("%s %s has no %s (%v)", u.GetKind(), u.GetName(), strings.Join(fields, "."), err)
	}
	return s
}

// TestExamplesAreComplete: every YAML file is one that the kustomization.yaml beside it lists, builds, and is an object
// that the real API server would take, in every directory that one can copy.
func TestExamplesAreComplete(t *testing.T) {
	schemas := schemasOf(t)
	for _, dir := range exampleDirs(t) {
		t.Run(strings.TrimPrefix(filepath.ToSlash(dir), examples+"/"), func(t *testing.T) {
			listed := listedIn(t, dir)
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range entries {
				name := entry.Name()
				if entry.IsDir() || name == "kustomization.yaml" {
					continue
				}
				if !slices.Contains(listed, name) {
					t.Errorf("%s is not listed in kustomization.yaml", name)
				}
				data, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				for _, u := range documents(t, data) {
					schemas.check(t, name, u)
				}
			}
			objects := kustomized(t, dir)
			if len(objects) == 0 {
				t.Error("builds nothing")
			}
			for _, u := range objects {
				schemas.check(t, "kustomize build", u)
				if u.GetNamespace() != "flux-system" {
					t.Errorf("%s %s is in namespace %q", u.GetKind(), u.GetName(), u.GetNamespace())
				}
			}
		})
	}
}

func listedIn(t *testing.T, dir string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "kustomization.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatal("no kustomization.yaml")
	}
	if err != nil {
		t.Fatal(err)
	}
	var k struct {
		Resources []string `json:"resources"`
	}
	if err := yaml.Unmarshal(data, &k); err != nil {
		t.Fatal(err)
	}
	return k.Resources
}

// TestExampleSchemasAreStrict: what the test above relies on. Each row is an example with one mistake in it.
func TestExampleSchemasAreStrict(t *testing.T) {
	schemas := schemasOf(t)
	for _, test := range []struct{ file, old, new, want string }{
		{"integration/source.yaml", "semver:", "semVer:", "spec.ref.semVer"},
		{"integration/source.yaml", "  url:", "  address:", "spec.url: Required"},
		{"integration/source.yaml", "url: oci://ghcr", "url: https://ghcr", "spec.url"},
		{"integration/source.yaml", "source.toolkit.fluxcd.io/v1", "source.toolkit.fluxcd.io/v1alpha1", "no schema"},
		{"integration/platform.yaml", "healthCheckExprs:", "healthChecksExprs:", "spec.healthChecksExprs"},
		{"integration/platform.yaml", "current:", "now:", "spec.healthCheckExprs[0].now"},
		{"integration/platform.yaml", "wait: true", `wait: "yes"`, "spec.wait"},
		{"integration/platform.yaml", "timeout: 5m", "timeout: five minutes", "spec.timeout"},
		{"integration/platform.yaml", "kind: OCIRepository", "kind: OciRepository", "spec.sourceRef.kind: Unsupported value"},
		{"integration/platform.yaml", "  namespace:", "  nameSpace:", "metadata.nameSpace"},
		{"integration/report/provider.yaml", "type: github", "type: github-status", "spec.type: Unsupported value"},
		{"integration/report/provider.yaml", "type: github", "type: slack", "spec.commitStatusExpr"}, // by x-kubernetes-validations
		{"integration/report/alert.yaml", "eventSeverity: info", "eventSeverity: warning", "spec.eventSeverity: Unsupported value"},
		{"integration/report/alert.yaml", "kind: Kustomization", "kind: kustomization", "spec.eventSources[0].kind: Unsupported value"},
		{"live/report/provider.yaml", "commitStatusExpr:", "commitStatusExpression:", "spec.commitStatusExpression"},
		{"live/report/alert.yaml", "providerRef:", "provider:", "spec.providerRef: Required"},
		{"integration/flux-operator/fluxinstance.yaml", "name: flux #", "name: fleet #", "only accepted name"},
		{"integration/flux-operator/fluxinstance.yaml", "    ref: latest\n", "", "spec.sync.ref: Required"},
		{"canary/api-server.yaml", "responseCodes:", "responseCode:", "spec.http[0].responseCode"},
		{"canary/flux-pods.yaml", "labelSelector:", "labelSelectors:", "spec.kubernetes[0].resource.labelSelectors"},
		{"canary/prometheusrule.yaml", "for: 2m", "for: 2 minutes", "spec.groups[0].rules[0].for"},
		{"canary/prometheusrule.yaml", "expr: max", "expression: max", "spec.groups[0].rules[0].expression"},
	} {
		data, err := os.ReadFile(filepath.Join(examples, test.file))
		if err != nil {
			t.Fatal(err)
		}
		wrong := strings.Replace(string(data), test.old, test.new, 1)
		if wrong == string(data) {
			t.Errorf("%s has no %q", test.file, test.old)
			continue
		}
		faults := schemas.faults(documents(t, []byte(wrong))[0])
		if !strings.Contains(strings.Join(faults, "\n"), test.want) {
			t.Errorf("%s with %q: %q, want %q", test.file, test.new, faults, test.want)
		}
	}
}
