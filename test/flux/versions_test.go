package flux

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/flux/bins"
	"github.com/oci-promote/oci-promote/test/programtest"
)

// TestVersions writes down which commit statuses each notification-controller posts of a candidate that was not found healthy,
// with kustomize-controller of today: where the Kustomization has no annotation, and where it names the candidate's commit.
func TestVersions(t *testing.T) {
	only(t, *record)
	lines := []string{"| notification-controller | what happened | status | status with the annotation `event.toolkit.fluxcd.io/commit` |", "|---|---|---|---|"}
	for _, program := range []string{"notification-controller-1.6", "notification-controller"} {
		t.Run(program, func(t *testing.T) {
			b := bins.Named(program)
			dir, err := b.Dir("modules")
			if err != nil {
				t.Fatal(err)
			}
			version, err := b.Version(dir)
			if err != nil {
				t.Fatal(err)
			}
			_, version, _ = strings.Cut(version, " v")
			w := reporting(t, program)
			without, with := w.reports(t, "without", false), w.reports(t, "with", true)
			for i, r := range without {
				lines = append(lines, fmt.Sprintf("| %s | %s | %s | %s |", version, r[0], r[1], with[i][1]))
			}
		})
	}
	programtest.Write(t, filepath.Join(recordings, "versions.md"), strings.Join(lines, "\n")+"\n")
}

// reports are the statuses that are posted of each thing that may happen to a candidate.
func (w *world) reports(t *testing.T, round string, annotated bool) (all [][2]string) {
	t.Helper()
	for _, of := range []struct {
		what, description string // the description is the reason of Flux's event, in words
		happen            func(t *testing.T, message string) string
	}{
		{"the dependency is not ready", "dependency not ready", w.dependencyMissing},
		{"the health check is cancelled", "health check canceled", w.healthCheckCancelled},
		{"the health check fails", "health check failed", w.healthCheckFails},
		{"the manifests cannot be built", "build failed", w.buildFails},
	} {
		message := round + " " + of.what
		if annotated {
			w.annotate(t, w.gitHub.next(message))
		}
		sha := of.happen(t, message)
		w.dependsOn(t, nil)
		// What it is told comes in order, and is handled at once: after the next candidate's success nothing more comes of this one.
		next := round + " after " + of.what
		if annotated {
			w.annotate(t, w.gitHub.next(next))
		}
		good, r := w.candidate(t, next, nil)
		w.statusLike(t, good, "kustomization/platform/"+r.Candidate+"@"+r.Digest, "reconciliation succeeded")
		all = append(all, [2]string{of.what, w.stateOf(sha, of.description)})
	}
	return all
}

// stateOf is the state that a commit has by the example's context and this description; "none" where nothing was posted.
func (w *world) stateOf(sha, description string) string {
	w.gitHub.mu.Lock()
	defer w.gitHub.mu.Unlock()
	for _, s := range w.gitHub.of(sha) {
		if strings.HasPrefix(s.Context, "kustomization/platform/"+w.built[sha].Candidate+"@") && s.Description == description {
			return fmt.Sprintf("%s, `%s`", s.State, description)
		}
	}
	return "none"
}
