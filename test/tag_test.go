package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// recorded are the events that GitHub really sent. A test changes in them what its own artifact differs in.
const recorded = "../internal/trigger/testdata"

// built is an artifact as a cluster knows it: the tag that it selected, the digest and the commit.
type built struct{ tag, digest, commit string }

// tagReport is what a run of mode tag said of itself.
type tagReport struct {
	Outcome, Reason, Version, Candidate, Digest, SHA, Highest string
	Tags, Warnings                                            []string
	Rescued                                                   *struct{ From, Candidate, Digest string }

	log string
}

// boundStatus is the event of a commit status whose context names the digest, as we recommend it.
func (a built) boundStatus(t *testing.T) []string {
	t.Helper()
	return statusOf(t, a.commit, "kustomization/platform/"+a.tag+"@"+a.digest, "success")
}

// plainStatus is the event of a commit status with the context that is Flux's own: it names no more than the commit.
func (a built) plainStatus(t *testing.T) []string {
	t.Helper()
	return statusOf(t, a.commit, "kustomization/platform/be63676c", "success")
}

func statusOf(t *testing.T, commit, context, state string) []string {
	t.Helper()
	return event(t, "status", "status.success.json", func(e map[string]any) {
		e["sha"], e["context"], e["state"] = commit, context, state
	})
}

// dispatch is the event by which Flux tells that the artifact's health check passed.
func (a built) dispatch(t *testing.T) []string {
	t.Helper()
	return event(t, "repository_dispatch", "repository_dispatch.kustomization-health-check-passed.json", func(e map[string]any) {
		metadata := e["client_payload"].(map[string]any)["metadata"].(map[string]any)
		metadata["revision"], metadata["originRevision"] = a.tag+"@"+a.digest, "main@sha1:"+a.commit
	})
}

// event gives the environment of a run that a recorded event started, after change.
func event(t *testing.T, name, file string, change func(map[string]any)) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(recorded, file))
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
	write(t, path, string(text))
	return []string{"GITHUB_EVENT_NAME=" + name, "GITHUB_EVENT_PATH=" + path}
}

// tagArgs is mode tag on the repository fleet of s, for the Kustomization that the events are of.
func tagArgs(s *registrytest.Server, flags ...string) []string {
	return append([]string{
		"tag", "--json", "--plain-http", "--repository", s.Host + "/" + fleet, "--username", s.Username,
		"--kustomization", "flux-system/platform", "--wait", "0s", "--retry-for", "0s",
	}, flags...)
}

// tagOnce is one run of mode tag, which must succeed.
func tagOnce(t *testing.T, s *registrytest.Server, env []string, flags ...string) tagReport {
	t.Helper()
	said := program(t, append([]string{"OCI_PROMOTE_PASSWORD=" + s.Password}, env...), tagArgs(s, flags...)...)
	r := tagReport{log: said.stdout + said.stderr}
	if said.code != 0 {
		t.Errorf("mode tag: exit status %d\n%s\n%s", said.code, said.stderr, s.RequestLog())
	} else if err := json.Unmarshal([]byte(said.stdout), &r); err != nil {
		t.Errorf("mode tag: %v in %q", err, said.stdout)
	}
	return r
}

// startTag starts mode tag and leaves it running, for a test that kills it.
func startTag(t *testing.T, s *registrytest.Server, stdout, stderr *strings.Builder, env []string, flags ...string) *exec.Cmd {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "oci-promote", tagArgs(s, flags...)...)
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "DOCKER_CONFIG=" + filepath.Join(home, ".docker"), "OCI_PROMOTE_PASSWORD=" + s.Password,
	}, env...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// buildFor builds an artifact that differs with its commit, which is n days after 2026-01-01.
func buildFor(t *testing.T, s *registrytest.Server, commit string, n int, flags ...string) built {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.yaml"), "commit: "+commit+"\n")
	said := buildOn(t, s, []string{dayOf(n)}, dir, commit, append(flags, "--json")...)
	var r buildReport
	if err := json.Unmarshal([]byte(said.stdout), &r); err != nil {
		t.Fatalf("%v in %q", err, said.stdout)
	}
	return built{r.Candidate, r.Digest, commit}
}

func dayOf(n int) string { return "SOURCE_DATE_EPOCH=" + strconv.Itoa(1767225600+86400*n) }
