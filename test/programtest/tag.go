package programtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// recorded are the events that GitHub really sent, under the root of the repository. A test changes in them what its
// own artifact differs in.
const recorded = "internal/trigger/testdata"

// Artifact is an artifact as a cluster knows it: the tag that it selected, the digest and the commit.
type Artifact struct{ Tag, Digest, Commit string }

// BoundStatus is the event of a commit status whose context names the digest, as we recommend it.
func (a Artifact) BoundStatus(t *testing.T) []string {
	t.Helper()
	return StatusOf(t, a.Commit, "kustomization/platform/"+a.Tag+"@"+a.Digest, "success")
}

// PlainStatus is the event of a commit status with the context that is Flux's own: it names no more than the commit.
func (a Artifact) PlainStatus(t *testing.T) []string {
	t.Helper()
	return StatusOf(t, a.Commit, "kustomization/platform/be63676c", "success")
}

// Dispatch is the event by which Flux tells that the artifact's health check passed.
func (a Artifact) Dispatch(t *testing.T) []string {
	t.Helper()
	return Event(t, "repository_dispatch", "repository_dispatch.kustomization-health-check-passed.json", func(e map[string]any) {
		metadata := e["client_payload"].(map[string]any)["metadata"].(map[string]any)
		metadata["revision"], metadata["originRevision"] = a.Tag+"@"+a.Digest, "main@sha1:"+a.Commit
	})
}

// StatusOf is the event of a commit status.
func StatusOf(t *testing.T, commit, context, state string) []string {
	t.Helper()
	return Event(t, "status", "status.success.json", func(e map[string]any) {
		e["sha"], e["context"], e["state"] = commit, context, state
	})
}

// Event gives the environment of a run that a recorded event started, after change.
func Event(t *testing.T, name, file string, change func(map[string]any)) []string {
	t.Helper()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, recorded, file))
	if err != nil {
		t.Fatal(err)
	}
	payload := map[string]any{}
	if err := json.Unmarshal(text, &payload); err != nil {
		t.Fatal(err)
	}
	change(payload)
	if text, err = json.Marshal(payload); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "event.json")
	Write(t, path, string(text))
	return []string{"GITHUB_EVENT_NAME=" + name, "GITHUB_EVENT_PATH=" + path}
}

// TagReport is what a run of mode tag said of itself.
type TagReport struct {
	Outcome, Reason, Version, Candidate, Digest, SHA, Highest string
	Tags, Warnings                                            []string
	Rescued                                                   []struct{ From, Candidate, Digest string }

	Log string `json:"-"`
}

// TagArgs is mode tag on the repository Fleet of s, for the Kustomization that the events are of. It neither waits nor
// retries unless flags say so.
func TagArgs(s *registrytest.Server, flags ...string) []string {
	return append([]string{
		"tag", "--json", "--plain-http", "--repository", s.Host + "/" + Fleet, "--username", s.Username,
		"--kustomization", "flux-system/platform", "--wait", "0s", "--retry-for", "0s",
	}, flags...)
}

// TagOnce is one run of mode tag, which must succeed; it may run beside others.
func TagOnce(t *testing.T, s *registrytest.Server, env []string, flags ...string) TagReport {
	t.Helper()
	said := Run(t, append([]string{"OCI_PROMOTE_PASSWORD=" + s.Password}, env...), TagArgs(s, flags...)...)
	r := TagReport{Log: said.Stdout + said.Stderr}
	if said.Code != 0 {
		t.Errorf("mode tag: exit status %d\n%s\n%s", said.Code, said.Stderr, s.RequestLog())
	} else if err := json.Unmarshal([]byte(said.Stdout), &r); err != nil {
		t.Errorf("mode tag: %v in %q", err, said.Stdout)
	}
	return r
}
