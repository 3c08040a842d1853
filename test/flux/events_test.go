package flux

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const triggers = "../../internal/trigger/testdata"

// TestRecordEvents records what Flux says of an artifact: the events as kustomize- and source-controller send them, those that
// GitHub starts workflows with, and the statuses of an artifact that was never applied, which Flux posts where the
// Kustomization names a commit (docs/facts.md 25). GitHub's own part of an event is that of the recording before.
func TestRecordEvents(t *testing.T) {
	only(t, *record)
	w := reporting(t, "notification-controller")
	w.recordSuccess(t)
	sha := w.buildFails(t, "C")
	w.recordStatus(t, "failure", w.plain(t, sha, "build failed"))
	w.annotate(t, w.gitHub.next("D"))
	sha = w.dependencyMissing(t, "D")
	w.recordStatus(t, "success-but-dependency-not-ready", w.statusLike(t, sha, "kustomization/platform/0.0.", "dependency not ready"))
	w.dependsOn(t, nil)
	w.annotate(t, w.gitHub.next("E"))
	sha = w.healthCheckCancelled(t, "E")
	w.recordStatus(t, "success-but-health-check-canceled", w.statusLike(t, sha, "kustomization/platform/0.0.", "health check canceled"))
}

// reporting is one cluster with all that reports of an artifact. Its kustomize-controller cancels the health check of a
// candidate for the next one.
func reporting(t *testing.T, notification string) *world {
	t.Helper()
	w := newWorld(t, fleet)
	w.integration = startCluster(t, startEtcd(t), "integration")
	w.integration.notification = notification
	w.integration.startControllers(t, "--feature-gates=CancelHealthCheckOnNewRevision=true", "--requeue-dependency=1s")
	w.integration.apply(t, token())
	for _, o := range documents(t, "testdata/events.yaml") {
		w.integration.apply(t, w.onLoopback(o))
	}
	return w
}

func documents(t *testing.T, file string) []object {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []object
	for _, part := range strings.Split(string(data), "\n---\n") {
		var o object
		if err := yaml.Unmarshal([]byte(part), &o); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// candidate builds a commit of two directories, the platform's and the gate's, and has integration look for it.
func (w *world) candidate(t *testing.T, message string, more map[string]string) (sha string, r result) {
	t.Helper()
	files := map[string]string{
		"kustomization.yaml":    "resources: [platform.yaml]\n",
		"platform.yaml":         "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: platform, namespace: default}\ndata: {commit: " + message + "}\n",
		"validated/marker.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: validated-marker, namespace: flux-system}\ndata: {commit: " + message + "}\n",
	}
	for name, content := range more {
		files[name] = content
	}
	sha = w.commit(t, message, files)
	r = w.build(t).want(t, "created", "")
	w.integration.reconcile(t, "OCIRepository", "flux-system")
	return sha, r
}

// statusLike waits for a status of the commit, and gives the first whose context begins and whose description is so.
func (w *world) statusLike(t *testing.T, sha, context, description string) (s status) {
	t.Helper()
	until(t, soon, "a status "+context+"… "+description, func() (string, bool) {
		w.gitHub.mu.Lock()
		defer w.gitHub.mu.Unlock()
		seen := ""
		for _, s = range w.gitHub.of(sha) {
			seen += s.Context + " " + s.Description + "\n"
			if strings.HasPrefix(s.Context, context) && s.Description == description {
				return seen, true
			}
		}
		return seen + show(w.integration.get(t, "Kustomization", "platform")), false
	})
	return s
}

func (w *world) recordSuccess(t *testing.T) {
	t.Helper()
	sha, a := w.candidate(t, "A", nil)
	revision := a.Candidate + "@" + a.Digest
	w.recordStatus(t, "success", w.plain(t, sha, "reconciliation succeeded"))
	w.recordStatus(t, "success-with-revision-in-context", w.statusLike(t, sha, "Kustomization/platform/staging/"+revision, "reconciliation succeeded"))
	for name, of := range map[string][2]string{
		"kustomization-applied":                  {"Kustomization", "ConfigMap/default/platform created"},
		"kustomization-health-check-passed":      {"Kustomization", "Health check passed in "},
		"kustomization-reconciliation-succeeded": {"Kustomization", "Reconciliation finished in "},
		"ocirepository-new-artifact":             {"OCIRepository", "stored artifact with revision "},
	} {
		writeLike(t, filepath.Join(recordings, "events", "raw."+name+".json"), w.heard(t, of[0], of[1]), " ")
		if name != "kustomization-reconciliation-succeeded" { // which notification-controller never dispatches
			w.recordDispatch(t, name, of[0], of[1])
		}
	}
	w.dispatched(t, "Kustomization", "ConfigMap/flux-system/validated-marker created")
	w.candidate(t, "B", nil)
	w.recordDispatch(t, "gate-kustomization-applied", "Kustomization", "ConfigMap/flux-system/validated-marker configured")
}

// plain waits for the status that has Flux's own context.
func (w *world) plain(t *testing.T, sha, description string) status {
	t.Helper()
	provider := w.integration.get(t, "Provider", "status")
	uid, _, _ := strings.Cut(at(provider, "metadata", "uid"), "-")
	return w.statusLike(t, sha, "kustomization/platform/"+uid, description)
}

// buildFails has a candidate whose manifests cannot be built.
func (w *world) buildFails(t *testing.T, message string) (sha string) {
	t.Helper()
	sha, r := w.candidate(t, message, map[string]string{"kustomization.yaml": "resources: [missing.yaml]\n"})
	w.heardOf(t, r, "BuildFailed")
	return sha
}

// dependencyMissing has the Kustomization wait for one that does not exist.
func (w *world) dependencyMissing(t *testing.T, message string) (sha string) {
	t.Helper()
	w.dependsOn(t, []any{object{"name": "monitoring"}})
	sha, r := w.candidate(t, message, nil)
	w.heardOf(t, r, "DependencyNotReady")
	return sha
}

func (w *world) dependsOn(t *testing.T, all []any) {
	t.Helper()
	w.integration.merge(t, "Kustomization", "platform", "", object{"spec": object{"dependsOn": all}})
}

// deployment is one that nothing makes ready: no controller of Deployments runs here.
var deployment = map[string]string{
	"kustomization.yaml": "resources: [platform.yaml, web.yaml]\n",
	"web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: flux-system}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}}
`,
}

// healthCheckFails has a Deployment that has given up.
func (w *world) healthCheckFails(t *testing.T, message string) (sha string) {
	t.Helper()
	sha, r := w.candidate(t, message, deployment)
	until(t, soon, "the Deployment", func() (string, bool) { return "", w.integration.get(t, "Deployment", "web") != nil })
	w.integration.merge(t, "Deployment", "web", "/status", object{"status": object{
		"observedGeneration": 1,
		"conditions":         []any{object{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}},
	}})
	w.heardOf(t, r, "HealthCheckFailed")
	return sha
}

// healthCheckCancelled asks for a reconciliation while a health check runs.
func (w *world) healthCheckCancelled(t *testing.T, message string) (sha string) {
	t.Helper()
	sha, r := w.candidate(t, message, deployment)
	until(t, soon, "the health check to run", func() (string, bool) {
		o := w.integration.get(t, "Kustomization", "platform")
		message, _ := condition(o, "Reconciling")["message"].(string)
		return show(o), strings.HasPrefix(message, "Running health checks for revision "+r.Candidate+"@")
	})
	w.integration.reconcile(t, "Kustomization", "platform")
	w.heardOf(t, r, "HealthCheckCanceled")
	return sha
}

// annotate has the Kustomization report on a commit, whatever artifact it is about.
func (w *world) annotate(t *testing.T, sha string) {
	t.Helper()
	w.integration.merge(t, "Kustomization", "platform", "", object{"metadata": object{"annotations": object{"event.toolkit.fluxcd.io/commit": sha}}})
}

// heardOf waits until kustomize-controller has told of the artifact for this reason.
func (w *world) heardOf(t *testing.T, r result, reason string) {
	t.Helper()
	until(t, soon, "an event "+reason, func() (string, bool) {
		seen := ""
		for _, body := range w.integration.heard.all() {
			seen += string(body) + "\n"
			if strings.Contains(string(body), `"reason":"`+reason+`"`) && strings.Contains(string(body), r.Digest) {
				return seen, true
			}
		}
		return seen + show(w.integration.get(t, "Kustomization", "platform")), false
	})
}

// heard is the first event that a controller told, with this kind of object and the beginning of the message.
func (w *world) heard(t *testing.T, kind, message string) (event object) {
	t.Helper()
	until(t, soon, "the event "+message, func() (string, bool) {
		seen := ""
		for _, body := range w.integration.heard.all() {
			if event = nil; json.Unmarshal(body, &event) != nil {
				continue
			}
			seen += at(event, "message") + "\n"
			if at(event, "involvedObject", "kind") == kind && strings.HasPrefix(at(event, "message"), message) {
				return seen, true
			}
		}
		return seen, false
	})
	return event
}

func (w *world) recordStatus(t *testing.T, name string, s status) {
	t.Helper()
	file := filepath.Join(triggers, "status."+name+".json")
	event := readObject(t, file)
	event["sha"], event["state"], event["context"], event["description"] = s.SHA, s.State, s.Context, s.Description
	event["commit"].(object)["sha"] = s.SHA
	writeLike(t, file, event, " ")
}

func (w *world) recordDispatch(t *testing.T, name, kind, message string) {
	t.Helper()
	file := filepath.Join(triggers, "repository_dispatch."+name+".json")
	event, d := readObject(t, file), w.dispatched(t, kind, message)
	event["action"], event["client_payload"] = d["event_type"], d["client_payload"]
	writeLike(t, file, event, " ")
}

// dispatched waits for the first dispatch that is about this kind of object and whose message begins so.
func (w *world) dispatched(t *testing.T, kind, message string) (found object) {
	t.Helper()
	until(t, soon, "the dispatch "+message, func() (string, bool) {
		w.gitHub.mu.Lock()
		defer w.gitHub.mu.Unlock()
		seen := ""
		for _, d := range w.gitHub.dispatches {
			seen += at(d, "client_payload", "message") + "\n"
			if at(d, "client_payload", "involvedObject", "kind") == kind && strings.HasPrefix(at(d, "client_payload", "message"), message) {
				found = d
				return seen, true
			}
		}
		return seen, false
	})
	return found
}

func readObject(t *testing.T, file string) (o object) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	return o
}
