package test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// workflow is an example's only job, as much of it as the tests look at.
type workflow struct {
	On   map[string]any
	Jobs map[string]struct {
		If          string
		Concurrency struct{ Group string }
		Permissions map[string]string
		Steps       []struct {
			Uses string
			With map[string]string
		}
	}
}

func readWorkflow(t *testing.T, name string) (w workflow, condition string, with map[string]string) {
	t.Helper()
	blob, err := os.ReadFile(filepath.Join("../examples/workflows", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(blob, &w); err != nil {
		t.Fatal(err)
	}
	if len(w.Jobs) != 1 {
		t.Fatalf("%s has %d jobs", name, len(w.Jobs))
	}
	for _, job := range w.Jobs {
		return w, job.If, job.Steps[len(job.Steps)-1].With
	}
	return w, "", nil
}

var (
	startsWith = regexp.MustCompile(`startsWith\(github\.event\.context, '([^']+)'\)`)
	hasState   = regexp.MustCompile(`github\.event\.state == '([a-z]+)'`)
)

// passes reports whether a status gets through an `if` that names states and one beginning of a context. (That act reads
// it so too is shown by test/e2e.)
func passes(t *testing.T, condition, state, context string) bool {
	t.Helper()
	prefix := startsWith.FindAllStringSubmatch(condition, -1)
	if len(prefix) != 1 {
		t.Fatalf("%d contexts in %q", len(prefix), condition)
	}
	var states []string
	for _, m := range hasState.FindAllStringSubmatch(condition, -1) {
		states = append(states, m[1])
	}
	return slices.Contains(states, state) && strings.HasPrefix(strings.ToLower(context), strings.ToLower(prefix[0][1]))
}

// TestExampleWorkflowsHearOneClusterEach: integration's status starts the promotion, live's starts verify, and neither starts
// the other; whoever reads it in the action agrees.
func TestExampleWorkflowsHearOneClusterEach(t *testing.T) {
	tag, tagIf, _ := readWorkflow(t, "tag-validated-artifact.yaml")
	verify, verifyIf, with := readWorkflow(t, "verify-promotion.yaml")
	for name, w := range map[string]workflow{"tag": tag, "verify": verify} {
		if _, ok := w.On["status"]; !ok {
			t.Errorf("%s does not start on a status", name)
		}
	}
	event := reconciled(t, programtest.Artifact{Tag: "0.0.1-rc.1", Digest: "sha256:" + strings.Repeat("a", 64), Commit: commitA})
	integration, live := statusContext(t, "integration", event), statusContext(t, "live", event)
	for _, test := range []struct {
		state, context  string
		tagged, watched bool
	}{
		{"success", integration, true, false},
		{"failure", integration, false, false},
		{"success", live, false, true},
		{"failure", live, false, true},
		{"pending", live, false, false},
		{"success", "kustomization/platform-dev/0.0.1-rc.1", false, false},
		{"success", "ci/build", false, false},
	} {
		if got := passes(t, tagIf, test.state, test.context); got != test.tagged {
			t.Errorf("%s %s starts the promotion: %v", test.context, test.state, got)
		}
		if got := passes(t, verifyIf, test.state, test.context); got != test.watched {
			t.Errorf("%s %s starts verify: %v", test.context, test.state, got)
		}
	}
	if context := with["live-status-context"]; context == "" || !strings.HasPrefix(live, context+"/") || strings.HasPrefix(integration, context+"/") {
		t.Errorf("live-status-context %q, live reports %q", context, live)
	}
	for _, job := range verify.Jobs {
		if job.Concurrency.Group == "" {
			t.Error("two runs of verify can overlap")
		}
	}
}
