package flux

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// world is a fleet: its repository on GitHub, its registry, its two clusters, and the three workflows.
type world struct {
	registry          *registrytest.Server
	journal           *programtest.Journal
	gitHub            *gitHub
	integration, live *cluster

	repository string            // of the artifacts, in the registry
	platform   string            // the directory that is built
	built      map[string]result // what the build of a commit said
	times      []string          // what the report says
}

// platform is the repository that the examples name.
const platform = fleet + "/platform"

// start runs all of it, with the examples applied and nothing built.
func start(t *testing.T, repository string) *world {
	t.Helper()
	began := time.Now()
	w := newWorld(t, repository)
	etcd := startEtcd(t)
	w.integration, w.live = startCluster(t, etcd, "integration"), startCluster(t, etcd, "live")
	for _, c := range []*cluster{w.integration, w.live} {
		c.startControllers(t)
		c.apply(t, token())
		c.apply(t, w.example(t, c.name)...)
	}
	w.time("to start everything", time.Since(began))
	return w
}

// newWorld is a registry and GitHub.
func newWorld(t *testing.T, repository string) *world {
	t.Helper()
	w := &world{
		registry: registrytest.Start(t, registrytest.Options{PageSize: 100}), journal: &programtest.Journal{}, gitHub: startGitHub(t),
		repository: repository, platform: filepath.Join(t.TempDir(), "platform"), built: map[string]result{},
	}
	w.registry.Intercept(w.journal.Of(w.registry))
	return w
}

// time adds a line to the report.
func (w *world) time(what string, took time.Duration) {
	w.times = append(w.times, took.Round(100*time.Millisecond).String()+" "+what)
}

// platformFiles are what is built unless a commit says otherwise.
var platformFiles = map[string]string{
	"namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: podinfo}\n",
}

// commit pushes a commit: the platform with a setting of this commit's, and with more files, all listed in
// platform/kustomization.yaml unless that is among them.
func (w *world) commit(t *testing.T, message string, more map[string]string) string {
	t.Helper()
	c := w.gitHub.push(message)
	files := maps.Clone(platformFiles)
	files["settings.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: podinfo}\ndata: {commit: " + message + "}\n"
	maps.Copy(files, more)
	if err := os.RemoveAll(w.platform); err != nil {
		t.Fatal(err)
	}
	var resources []string
	for name, content := range files {
		name, content = filepath.FromSlash(name), strings.ReplaceAll(content, strings.Repeat("0", 40), c.sha)
		if err := os.MkdirAll(filepath.Join(w.platform, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		programtest.Write(t, filepath.Join(w.platform, name), content)
		resource, _, _ := strings.Cut(name, string(filepath.Separator))
		if !slices.Contains(resources, resource) {
			resources = append(resources, resource)
		}
	}
	if _, ok := files["kustomization.yaml"]; ok {
		return c.sha
	}
	slices.Sort(resources)
	programtest.Write(t, filepath.Join(w.platform, "kustomization.yaml"), "resources: ["+strings.Join(resources, ", ")+"]\n")
	return c.sha
}

// result is what a run of the action said.
type result struct {
	Outcome, Reason, Version, Candidate, Digest, SHA, Highest string
	Rescued                                                   []struct{ From, Candidate, Digest string }
	Findings                                                  []struct{ Code, Severity, Stage, Message string }

	code int
	log  string
}

// act runs the program as the action, on behalf of an event.
func (w *world) act(t *testing.T, mode string, event []string, inputs ...string) result {
	t.Helper()
	outputs := filepath.Join(t.TempDir(), "outputs")
	programtest.Write(t, outputs, "")
	env := append([]string{
		"GITHUB_ACTIONS=true", "GITHUB_REPOSITORY=" + fleet, "GITHUB_SERVER_URL=" + w.gitHub.URL, "GITHUB_API_URL=" + w.gitHub.URL + "/api/v3",
		"GITHUB_REF=refs/heads/main", "GITHUB_REF_NAME=main", "GITHUB_SHA=" + w.head(), "GITHUB_ACTOR=dev", "GITHUB_RUN_ID=1",
		"GITHUB_WORKSPACE=" + filepath.Dir(w.platform), "GITHUB_OUTPUT=" + outputs,
		"INPUT_MODE=" + mode, "INPUT_REPOSITORY=" + w.registry.Host + "/" + w.repository, "INPUT_PLAIN-HTTP=true", "INPUT_TOKEN=" + apiToken,
		"INPUT_RETRY-FOR=0s",
	}, event...)
	for _, input := range inputs {
		name, value, _ := strings.Cut(input, "=")
		env = append(env, "INPUT_"+strings.ToUpper(name)+"="+value)
	}
	said := programtest.Run(t, env)
	r := result{code: said.Code, log: said.Stdout + said.Stderr}
	text, err := os.ReadFile(outputs)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, `{"mode":`) { // the output "report"
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
		}
	}
	return r
}

func (w *world) head() string {
	w.gitHub.mu.Lock()
	defer w.gitHub.mu.Unlock()
	return w.gitHub.commits[len(w.gitHub.commits)-1].sha
}

// want fails the test unless a run ended so.
func (r result) want(t *testing.T, outcome, version string) result {
	t.Helper()
	if r.Outcome != outcome || version != "" && r.Version != version {
		t.Fatalf("%s %s, want %s %s\n%s", r.Outcome, r.Version, outcome, version, r.log)
	}
	return r
}

// wantError fails the test unless a run failed with this in its log.
func (r result) wantError(t *testing.T, words string) {
	t.Helper()
	if r.code != 1 || r.Outcome != "" || !strings.Contains(r.log, words) {
		t.Fatalf("exit status %d, outcome %q, want an error with %q\n%s", r.code, r.Outcome, words, r.log)
	}
}

// build is build-platform-artifact.yaml after a push of the newest commit.
func (w *world) build(t *testing.T) result {
	t.Helper()
	sha := w.head()
	push := programtest.Event(t, "push", "push.json", func(e map[string]any) {
		w.gitHub.mu.Lock()
		defer w.gitHub.mu.Unlock()
		head := e["head_commit"].(map[string]any)
		e["after"], head["id"], head["timestamp"] = sha, sha, w.gitHub.commits[w.gitHub.index(sha)].at
	})
	r := w.act(t, "build", push, "path=platform", "source=https://github.com/"+fleet)
	w.built[sha] = r
	return r
}

// tag is tag-validated-artifact.yaml on behalf of a status.
func (w *world) tag(t *testing.T, s status) result {
	t.Helper()
	event := programtest.Event(t, "status", "status.success.json", func(e map[string]any) {
		e["sha"], e["state"], e["context"], e["description"], e["name"] = s.SHA, s.State, s.Context, s.Description, fleet
	})
	return w.act(t, "tag", event, "kustomization=platform")
}

// catchUp is tag-validated-artifact.yaml by its schedule.
func (w *world) catchUp(t *testing.T) result {
	t.Helper()
	return w.act(t, "tag", []string{"GITHUB_EVENT_NAME=schedule"}, "kustomization=platform")
}

// verify is verify-promotion.yaml by its schedule, with what kubectl prints of both clusters.
func (w *world) verify(t *testing.T) result {
	t.Helper()
	var files []string
	for _, c := range []*cluster{w.integration, w.live} {
		name := c.name + ".json"
		programtest.Write(t, filepath.Join(filepath.Dir(w.platform), name), c.kubectl(t, "OCIRepository", "Kustomization", "Alert", "Provider"))
		files = append(files, c.name+"="+name)
	}
	return w.act(t, "verify", []string{"GITHUB_EVENT_NAME=schedule"}, "path=platform", "kustomization=platform", "fail-on=never",
		"live-status-context=kustomization/platform-live", "cluster-state="+strings.Join(files, "\n"))
}
