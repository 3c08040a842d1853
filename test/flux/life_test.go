package flux

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// TestLife is the life of a platform, from the first build: each chapter begins with what the one before it left. The report at
// the end has the times that a user waits.
func TestLife(t *testing.T) {
	only(t, *run)
	w := start(t, platform)
	for _, chapter := range []struct {
		name string
		tell func(*testing.T, *world)
	}{
		{"nothing is built", nothingBuilt},
		{"the first build goes live", firstBuild},
		{"the echo of the promotion changes nothing", echo},
		{"the next change goes live and nobody asks Flux for anything", byThemselves},
		{"a candidate is rescued from the promotion of the one before it", rescue},
		{"a rollback holds against what was in flight", rollback},
		{"a Kustomization fails", failing},
		{"a canary is not ready, and then it is", canary},
		{"the registry is away", registryOutage},
		{"GitHub is away", gitHubOutage},
		{"all is well in the end", end},
	} {
		if !t.Run(chapter.name, func(t *testing.T) { chapter.tell(t, w) }) {
			t.FailNow()
		}
	}
	t.Logf("times:\n%s", strings.Join(w.times, "\n"))
}

// runs waits until the cluster says that it runs the artifact under this tag, and that it is healthy.
func (w *world) runs(t *testing.T, c *cluster, tag, digest string, limit time.Duration) time.Duration {
	t.Helper()
	revision := tag + "@" + digest
	return until(t, limit, c.name+" to run "+revision, func() (string, bool) {
		k := c.get(t, "Kustomization", "platform")
		return show(c.get(t, "OCIRepository", "platform")) + show(k),
			at(k, "status", "lastAppliedRevision") == revision && condition(k, "Ready")["status"] == "True"
	})
}

// takes is runs after flux reconcile: what Flux would do within a minute, or within its backoff (docs/facts.md 32).
func (w *world) takes(t *testing.T, c *cluster, tag, digest string) time.Duration {
	t.Helper()
	c.reconcile(t, "OCIRepository", "platform")
	return w.runs(t, c, tag, digest, soon)
}

// told waits for the status by which a cluster tells GitHub of an artifact.
func (w *world) told(t *testing.T, c *cluster, tag, digest, state string) status {
	t.Helper()
	name := map[string]string{"integration": "platform", "live": "platform-live"}[c.name]
	context := "kustomization/" + name + "/" + tag + "@" + digest
	var s status
	until(t, soon, "the status "+context, func() (string, bool) {
		for sha, r := range w.built {
			if r.Digest == digest {
				s = w.gitHub.status(sha, context)
			}
		}
		return fmt.Sprintf("%+v", s), s.State == state
	})
	return s
}

// promote is what integration's word leads to: the candidate becomes the version, and live takes it.
func (w *world) promote(t *testing.T, candidate result, version string) {
	t.Helper()
	w.takes(t, w.integration, candidate.Candidate, candidate.Digest)
	w.tag(t, w.told(t, w.integration, candidate.Candidate, candidate.Digest, "success")).want(t, "promoted", version)
	w.takes(t, w.live, version, candidate.Digest)
	w.told(t, w.live, version, candidate.Digest, "success")
}

func nothingBuilt(t *testing.T, w *world) {
	w.commit(t, "A", nil)
	for _, c := range []*cluster{w.integration, w.live} {
		until(t, soon, c.name+"'s source to fail", func() (string, bool) {
			o := c.get(t, "OCIRepository", "platform")
			return show(o), condition(o, "Ready")["status"] == "False"
		})
	}
	if r := w.verify(t).want(t, "unhealthy", ""); !r.found("not-built") {
		t.Errorf("verify does not say not-built:\n%s", r.log)
	}
	w.integration.sameAsKubectl(t)
}

// found is whether verify found this.
func (r result) found(code string) bool {
	for _, f := range r.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}

// firstBuild asks Flux. Objects that have waited for a first build longer than this test lets them are asked for it again only
// after minutes (docs/facts.md 32).
func firstBuild(t *testing.T, w *world) {
	a := w.build(t).want(t, "created", "0.0.1-rc.1")
	w.time("from the first build to integration (flux reconcile)", w.takes(t, w.integration, "0.0.1-rc.1", a.Digest))
	w.tag(t, w.told(t, w.integration, "0.0.1-rc.1", a.Digest, "success")).want(t, "promoted", "0.0.1")
	w.time("from the first promotion to live (flux reconcile)", w.takes(t, w.live, "0.0.1", a.Digest))
}

func echo(t *testing.T, w *world) {
	digest := w.registry.Named(w.repository, "0.0.1")
	w.takes(t, w.integration, "0.0.1", digest)
	w.tag(t, w.told(t, w.integration, "0.0.1", digest, "success")).want(t, "unchanged", "0.0.1")
	w.tag(t, w.told(t, w.live, "0.0.1", digest, "success")).want(t, "ignored", "")
}

func byThemselves(t *testing.T, w *world) {
	w.commit(t, "B", nil)
	b := w.build(t).want(t, "created", "0.0.2-rc.2")
	w.time("from a build to integration, by itself (interval 1m)", w.runs(t, w.integration, "0.0.2-rc.2", b.Digest, byItself))
	w.tag(t, w.told(t, w.integration, "0.0.2-rc.2", b.Digest, "success")).want(t, "promoted", "0.0.2")
	w.time("from a promotion to live, by itself (interval 1m)", w.runs(t, w.live, "0.0.2", b.Digest, byItself))
}

// rescue promotes C while D, built on top of it, has a number that C's version will be above.
func rescue(t *testing.T, w *world) {
	w.commit(t, "C", nil)
	c := w.build(t).want(t, "created", "0.0.3-rc.3")
	w.takes(t, w.integration, "0.0.3-rc.3", c.Digest)
	word := w.told(t, w.integration, "0.0.3-rc.3", c.Digest, "success")
	w.commit(t, "D", nil)
	d := w.build(t).want(t, "created", "0.0.3-rc.4")
	r := w.tag(t, word).want(t, "promoted", "0.0.3")
	if len(r.Rescued) != 1 || r.Rescued[0].Candidate != "0.0.4-rc.4" || r.Rescued[0].Digest != d.Digest {
		t.Fatalf("D is stranded:\n%s", r.log)
	}
	d.Candidate = "0.0.4-rc.4"
	w.promote(t, d, "0.0.4")
}

// rollback brings live back to B while E is in flight, whose word comes late.
func rollback(t *testing.T, w *world) {
	w.commit(t, "E", nil)
	e := w.build(t).want(t, "created", "0.0.5-rc.5")
	w.takes(t, w.integration, "0.0.5-rc.5", e.Digest)
	late := w.told(t, w.integration, "0.0.5-rc.5", e.Digest, "success")
	good := w.registry.Named(w.repository, "0.0.2")
	said := programtest.Run(t, nil, "tag", "--plain-http", "--repository", w.registry.Host+"/"+w.repository, "--version", "next", "--digest", good)
	if said.Code != 0 || w.registry.Named(w.repository, "0.0.6") != good {
		t.Fatalf("the rollback by hand: exit status %d\n%s%s", said.Code, said.Stdout, said.Stderr)
	}
	w.takes(t, w.live, "0.0.6", good)
	w.takes(t, w.integration, "0.0.6", good)
	w.tag(t, late).want(t, "superseded", "")
	w.tag(t, w.told(t, w.integration, "0.0.6", good, "success")).want(t, "unchanged", "0.0.6")
	if r := w.catchUp(t); r.Outcome == "promoted" || r.code != 0 || w.registry.Named(w.repository, "0.0.7") != "" {
		t.Errorf("catching up after the rollback:\n%s", r.log)
	}
}

// failing has a kind that no cluster knows.
func failing(t *testing.T, w *world) {
	w.commit(t, "F", map[string]string{"bad.yaml": "apiVersion: example.com/v1\nkind: Nothing\nmetadata: {name: x, namespace: podinfo}\n"})
	f := w.build(t).want(t, "created", "0.0.7-rc.6")
	w.integration.reconcile(t, "OCIRepository", "platform")
	w.tag(t, w.told(t, w.integration, "0.0.7-rc.6", f.Digest, "failure")).want(t, "ignored", "")
	if r := w.catchUp(t); r.Outcome == "promoted" || r.code != 0 {
		t.Errorf("catching up:\n%s", r.log)
	}
	w.verify(t).want(t, "unhealthy", "")
}

// canary has the example's health checks in the artifact. The test is canary-checker, which says what they gave.
func canary(t *testing.T, w *world) {
	checks := map[string]string{}
	names, err := filepath.Glob(filepath.Join(examples, "canary", "*.yaml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("the example has no health checks: %v", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		checks["canary/"+filepath.Base(name)] = string(data)
	}
	w.commit(t, "G", checks)
	g := w.build(t).want(t, "created", "0.0.7-rc.7")
	w.integration.reconcile(t, "OCIRepository", "platform")
	w.integration.checks(t, "Failed", time.Minute)
	if r := w.catchUp(t); r.Outcome == "promoted" || r.code != 0 {
		t.Errorf("catching up while the canaries fail:\n%s", r.log)
	}
	w.integration.checks(t, "Passed", 20*time.Second)
	w.runs(t, w.integration, "0.0.7-rc.7", g.Digest, soon)
	w.tag(t, w.told(t, w.integration, "0.0.7-rc.7", g.Digest, "success")).want(t, "promoted", "0.0.7")
	w.live.reconcile(t, "OCIRepository", "platform")
	w.live.checks(t, "Passed", 20*time.Second)
	w.runs(t, w.live, "0.0.7", g.Digest, soon)
}

// checks waits for the Canaries, and gives them the result of a run that was reported so long after Flux had changed them.
func (c *cluster) checks(t *testing.T, result string, after time.Duration) {
	t.Helper()
	for _, name := range []string{"api-server", "flux-pods"} {
		var o object
		until(t, soon, "the Canary "+name+" on "+c.name, func() (string, bool) {
			o = c.get(t, "Canary", name)
			return show(c.get(t, "Kustomization", "platform")), o != nil
		})
		applied, err := time.Parse(time.RFC3339, at(o, "metadata", "creationTimestamp"))
		if err != nil {
			t.Fatal(err)
		}
		c.merge(t, "Canary", name, "/status", object{"status": object{"status": result, "lastCheck": applied.Add(after)}})
	}
}

// registryOutage is short, so that Flux's backoff has not grown: it comes back by itself.
func registryOutage(t *testing.T, w *world) {
	w.commit(t, "H", nil)
	w.registry.Intercept(registrytest.Status(http.StatusServiceUnavailable, nil, ""))
	w.build(t).wantError(t, "503")
	for _, c := range []*cluster{w.integration, w.live} {
		c.reconcile(t, "OCIRepository", "platform")
		until(t, soon, c.name+"'s source to fail", func() (string, bool) {
			o := c.get(t, "OCIRepository", "platform")
			return show(o), condition(o, "Ready")["status"] == "False"
		})
	}
	w.registry.Intercept(w.journal.Of(w.registry))
	h := w.build(t).want(t, "created", "0.0.8-rc.8")
	w.time("from a build after the registry's outage to integration, by Flux's backoff", w.runs(t, w.integration, "0.0.8-rc.8", h.Digest, byItself))
	w.promote(t, h, "0.0.8")
}

// gitHubOutage has Flux's word on a candidate refused. Flux says it again when it next reconciles.
func gitHubOutage(t *testing.T, w *world) {
	w.commit(t, "I", nil)
	i := w.build(t).want(t, "created", "0.0.9-rc.9")
	w.gitHub.fail(http.StatusBadGateway)
	w.takes(t, w.integration, "0.0.9-rc.9", i.Digest)
	w.integration.undelivered(t, "502")
	w.catchUp(t).wantError(t, "502")
	w.gitHub.fail(0)
	w.integration.reconcile(t, "Kustomization", "platform")
	w.promote(t, i, "0.0.9")
}

// undelivered waits for the Event by which notification-controller says, in these words, that it could not tell GitHub.
func (c *cluster) undelivered(t *testing.T, words string) (found object) {
	t.Helper()
	until(t, soon, c.name+" to say that a report failed", func() (string, bool) {
		seen := ""
		for _, e := range c.list(t, "Event") {
			seen += at(e, "reason") + " " + at(e, "message") + "\n"
			if at(e, "reason") == "NotificationDispatchFailed" && strings.Contains(at(e, "message"), words) {
				found = e
			}
		}
		return seen, found != nil
	})
	return found
}

func end(t *testing.T, w *world) {
	digest := w.registry.Named(w.repository, "0.0.9")
	w.takes(t, w.integration, "0.0.9", digest)
	w.tag(t, w.told(t, w.integration, "0.0.9", digest, "success")).want(t, "unchanged", "0.0.9")
	r := w.verify(t).want(t, "healthy", "")
	for _, f := range r.Findings {
		if f.Severity != "info" {
			t.Errorf("%s %s: %s", f.Severity, f.Code, f.Message)
		}
	}
	if moved := programtest.Moves(w.journal.All()); len(moved) > 0 {
		t.Error(moved)
	}
}
