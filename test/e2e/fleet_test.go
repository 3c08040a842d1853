//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

const (
	root       = "../.."
	repository = "acme/fleet"
	apiToken   = "ghs_of_the_job"

	build  = "build-platform-artifact.yaml"
	tag    = "tag-validated-artifact.yaml"
	verify = "verify-promotion.yaml"
	prune  = "prune-artifacts.yaml"
)

// fleet is a user's git repository with the example workflows, its registry and its GitHub.
type fleet struct {
	dir, home string
	registry  *registrytest.Server
	github    *gitHub
}

// newFleet makes a repository of testdata/platform, the examples and the action, which `uses: ./` needs in the workspace.
func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{dir: t.TempDir(), home: t.TempDir(), registry: registrytest.Start(t, registrytest.Options{Token: true}), github: startGitHub(t)}
	for _, name := range []string{"action.yml", "Dockerfile", ".dockerignore", "LICENSE", "THIRD_PARTY_LICENSES", "go.mod", "go.sum", "cmd", "internal", "testdata"} {
		copyTree(t, filepath.Join(root, name), filepath.Join(f.dir, name))
	}
	copyTree(t, filepath.Join(root, "testdata", "platform"), filepath.Join(f.dir, "platform"))
	for _, name := range []string{build, tag, verify, prune} {
		f.copyWorkflow(t, name)
	}
	f.git(t, "init", "-q", "-b", "main")
	f.git(t, "remote", "add", "origin", "https://github.com/"+repository+".git")
	return f
}

// uses is the line that a user copies.
var uses = regexp.MustCompile(`(?m)^( +- )uses: oci-promote/oci-promote@v1$`)

// registryOf is the line that names the repository on ghcr.io.
var registryOf = regexp.MustCompile(`(?m)^ +repository: ghcr\.io/.*\n`)

// copyWorkflow takes an example as it is but for three things: the action is the one in the workspace, which must be
// checked out first; the registry is not ghcr.io; and act does not know `queue` yet.
func (f *fleet) copyWorkflow(t *testing.T, name string) {
	t.Helper()
	example, err := os.ReadFile(filepath.Join(root, "examples", "workflows", name))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(uses.FindAll(example, -1)); n != 1 {
		t.Fatalf("%s uses the action %d times, want once", name, n)
	}
	text := uses.ReplaceAllString(string(example), "${1}uses: ./")
	if !strings.Contains(text, "actions/checkout@") {
		text = strings.Replace(text, "    steps:\n", "    steps:\n      - uses: actions/checkout@v6\n", 1)
	}
	text = registryOf.ReplaceAllString(text, "")
	text = strings.Replace(text, "        with:\n          mode:", fmt.Sprintf(`        with:
          repository: %s/%s
          plain-http: true
          username: %s
          password: ${{ secrets.REGISTRY_PASSWORD }}
          mode:`, f.registry.Host, repository, f.registry.Username), 1)
	text = strings.Replace(text, "      queue: max\n", "", 1)
	write(t, filepath.Join(f.dir, ".github", "workflows", name), text)
}

// commit changes one manifest and gives the new commit, of which GitHub knows then.
func (f *fleet) commit(t *testing.T, n int) (sha string) {
	t.Helper()
	write(t, filepath.Join(f.dir, "platform", "release.yaml"),
		fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: release\n  namespace: platform\ndata:\n  number: %q\n", fmt.Sprint(n)))
	f.git(t, "add", "-A")
	f.git(t, "commit", "-q", "-m", fmt.Sprintf("feat: release %d", n))
	sha = f.git(t, "rev-parse", "HEAD")
	f.github.push(sha)
	return sha
}

// push is the event of a commit.
func (f *fleet) push(sha string) event {
	return event{name: "push", payload: map[string]any{
		"ref": "refs/heads/main", "after": sha,
		"repository":  map[string]any{"full_name": repository, "default_branch": "main"},
		"head_commit": map[string]any{"id": sha, "timestamp": f.github.time(sha)},
		"commits":     []any{map[string]any{"id": sha, "modified": []string{"platform/release.yaml"}}},
	}}
}

// report is what Flux's Provider makes of a reconciliation: a commit status that GitHub keeps and tells of.
func (f *fleet) report(sha, state, context string) event {
	f.github.status(sha, state, context)
	return event{name: "status", payload: map[string]any{
		"sha": sha, "state": state, "context": context, "description": "reconciliation succeeded",
		"repository": map[string]any{"full_name": repository, "default_branch": "main"},
	}}
}

// context is that of the commitStatusExpr which examples/flux/integration recommends.
func (f *fleet) context(tag string) string {
	return "kustomization/platform/" + tag + "@" + f.registry.Tags(repository)[tag]
}

// liveContext is that of examples/flux/live.
func (f *fleet) liveContext(tag string) string {
	return "kustomization/platform-live/" + tag + "@" + f.registry.Tags(repository)[tag]
}

func (f *fleet) tags() string {
	return strings.Join(slices.Sorted(maps.Keys(f.registry.Tags(repository))), " ")
}

// git runs git and gives its output. The times of commits are fixed; nothing of the user's configuration counts.
func (f *fleet) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = f.dir
	cmd.Env = append(os.Environ(), "HOME="+f.home, "XDG_CONFIG_HOME="+f.home, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=octocat", "GIT_AUTHOR_EMAIL=octocat@example.com", "GIT_COMMITTER_NAME=octocat", "GIT_COMMITTER_EMAIL=octocat@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(data))
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
