package flux

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/flux/bins"
	"github.com/oci-promote/oci-promote/test/programtest"
)

const recordings = "../../testdata/flux"

// broken is one fault on one cluster: what makes it, and what takes it back beside applying the example again.
type broken struct {
	name  string
	where string // integration or live
	make  func(t *testing.T, w *world, c *cluster)
	mend  func(t *testing.T, w *world, c *cluster)
}

// spec is a fault in the spec of an object. What the example does not say is taken back by name.
func spec(name, where, kind, of string, change object, unset ...string) broken {
	back := object{}
	for _, field := range unset {
		back[field] = nil
	}
	return broken{
		name, where,
		func(t *testing.T, _ *world, c *cluster) { c.merge(t, kind, of, "", object{"spec": change}) },
		func(t *testing.T, _ *world, c *cluster) { c.merge(t, kind, of, "", object{"spec": back}) },
	}
}

// wrongURL is a fault in where the source looks: part of the right URL is another.
func wrongURL(name, part, with string, more object) broken {
	return broken{name, "integration", func(t *testing.T, w *world, c *cluster) {
		change := object{"url": strings.Replace("oci://"+w.registry.Host+"/"+w.repository, part, with, 1)}
		for key, value := range more {
			change[key] = value
		}
		c.merge(t, "OCIRepository", "platform", "", object{"spec": change})
	}, nil}
}

// secret is a fault in the Secret of the Provider: another one, or none.
func secret(name string, other object) broken {
	return broken{name, "integration", func(t *testing.T, _ *world, c *cluster) {
		c.delete(t, "Secret", "github-token")
		if other != nil {
			o := token()
			o["stringData"] = other
			c.apply(t, o)
		}
	}, func(t *testing.T, _ *world, c *cluster) {
		if other != nil {
			c.delete(t, "Secret", "github-token")
		}
		c.apply(t, token())
	}}
}

func source(name string) []any {
	return []any{object{"kind": "Kustomization", "name": name, "namespace": namespace}}
}

// faults are what mode verify must tell apart.
func faults() []broken {
	const i, l = "integration", "live"
	dependency := spec("", i, "Kustomization", "platform", object{"dependsOn": []any{object{"name": "monitoring"}}}, "dependsOn")
	return []broken{
		{name: "healthy", where: i},
		spec("suspended-source", i, "OCIRepository", "platform", object{"suspend": true}, "suspend"),
		spec("suspended-kustomization", i, "Kustomization", "platform", object{"suspend": true}, "suspend"),
		spec("suspended-alert", i, "Alert", "github-status", object{"suspend": true}, "suspend"),
		spec("suspended-live-kustomization", l, "Kustomization", "platform", object{"suspend": true}, "suspend"),
		spec("semver-without-0", i, "OCIRepository", "platform", object{"ref": object{"semver": ">= 0.0.0"}}),
		spec("live-semver-with-0", l, "OCIRepository", "platform", object{"ref": object{"semver": ">= 0.0.0-0"}}),
		spec("semver-nonsense", i, "OCIRepository", "platform", object{"ref": object{"semver": ">= x.y"}}),
		spec("live-pinned-tag", l, "OCIRepository", "platform", object{"ref": object{"tag": "0.0.1", "semver": nil}}, "ref"),
		spec("pinned-tag", i, "OCIRepository", "platform", object{"ref": object{"tag": "0.0.1", "semver": nil}}, "ref"),
		wrongURL("wrong-url-missing-repo", "fleet", "flet", nil),
		{"wrong-url-port", i, func(t *testing.T, w *world, c *cluster) {
			c.merge(t, "OCIRepository", "platform", "", object{"spec": object{"url": "oci://" + freeAddress(t) + "/" + w.repository}})
		}, nil},
		wrongURL("not-insecure", "127.0.0.1", "localhost.", object{"insecure": false}),
		wrongURL("url-trailing-slash", "fleet", "fleet/", nil),
		wrongURL("url-with-tag", "fleet", "fleet:0.0.1", nil),
		secret("provider-secret-missing", nil),
		secret("provider-secret-wrong-key", object{"tok": apiToken}),
		{"provider-missing", i, func(t *testing.T, _ *world, c *cluster) { c.delete(t, "Provider", "github-status") }, nil},
		{"provider-wrong-address", i, func(t *testing.T, w *world, c *cluster) {
			c.merge(t, "Provider", "github-status", "", object{"spec": object{"address": w.gitHub.URL + "/acme/other"}})
		}, nil},
		spec("alert-wrong-name", i, "Alert", "github-status", object{"eventSources": source("platfrom")}), //nolint:misspell // this is the fault
		{"alert-wrong-kind", i, func(t *testing.T, _ *world, c *cluster) {
			c.merge(t, "Alert", "github-status", "", object{"spec": object{"eventSources": []any{object{"kind": "OCIRepository", "name": "platform", "namespace": namespace}}}})
		}, nil},
		spec("alert-severity-error", i, "Alert", "github-status", object{"eventSeverity": "error"}),
		{"dependency-missing", i, dependency.make, dependency.mend},
		{"dependency-failing", i, func(t *testing.T, w *world, c *cluster) {
			c.apply(t, object{
				"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
				"metadata": object{"name": "monitoring", "namespace": namespace},
				"spec": object{
					"interval": "1m", "retryInterval": "10s", "path": "./nothere", "prune": true,
					"sourceRef": object{"kind": "OCIRepository", "name": "platform"},
				},
			})
			until(t, soon, "monitoring to fail", func() (string, bool) {
				o := c.get(t, "Kustomization", "monitoring")
				return show(o), condition(o, "Ready")["status"] == "False"
			})
			dependency.make(t, w, c)
		}, func(t *testing.T, w *world, c *cluster) {
			dependency.mend(t, w, c)
			c.delete(t, "Kustomization", "monitoring")
		}},
		spec("wrong-path", i, "Kustomization", "platform", object{"path": "./platform"}),
	}
}

// settled waits until both controllers have done what they were asked for, whatever came of it. Who is suspended does nothing.
func (c *cluster) settled(t *testing.T) {
	t.Helper()
	for _, kind := range []string{"OCIRepository", "Kustomization"} {
		word := c.reconcile(t, kind, "platform")
		until(t, soon, c.name+"'s "+kind+" to be reconciled", func() (string, bool) {
			o := c.get(t, kind, "platform")
			suspended, _ := o["spec"].(object)["suspend"].(bool)
			ready := condition(o, "Ready")
			done := at(o, "status", "lastHandledReconcileAt") == word &&
				ready["status"] != "Unknown" && ready["observedGeneration"] == o["metadata"].(object)["generation"]
			return show(o), suspended || done
		})
	}
}

// TestRecordStates records both clusters in each state, with 0.0.1 promoted once and 0.0.11 now.
func TestRecordStates(t *testing.T) {
	only(t, *record)
	w := start(t, fleet)
	w.commit(t, "A", nil)
	w.promote(t, w.build(t).want(t, "created", "0.0.1-rc.1"), "0.0.1")
	w.commit(t, "B", nil)
	b := w.build(t).want(t, "created", "0.0.2-rc.2")
	w.promote(t, b, "0.0.2")
	w.act(t, "tag", []string{"GITHUB_EVENT_NAME=workflow_dispatch"}, "digest="+b.Digest, "version=0.0.11", "kustomization=platform").want(t, "promoted", "0.0.11")
	for _, f := range faults() {
		w.takes(t, w.integration, "0.0.11", b.Digest)
		w.takes(t, w.live, "0.0.11", b.Digest)
		c := map[string]*cluster{"integration": w.integration, "live": w.live}[f.where]
		if f.make != nil {
			f.make(t, w, c)
		}
		w.integration.settled(t)
		w.live.settled(t)
		w.recordState(t, f.name)
		if f.make != nil {
			if f.mend != nil {
				f.mend(t, w, c)
			}
			c.apply(t, w.example(t, c.name)...)
		}
	}
	w.recordRefusal(t)
	recordVersions(t)
}

// recordRefusal records what kubectl shows of two reports that did not reach GitHub: one that it refuses, and one for which there
// is no Secret.
func (w *world) recordRefusal(t *testing.T) {
	t.Helper()
	w.gitHub.fail(http.StatusForbidden)
	w.integration.reconcile(t, "Kustomization", "platform")
	for name, words := range map[string]string{"dispatch-refused": "403", "dispatch-without-secret": `secrets "github-token" not found`} {
		events := list([]object{w.integration.undelivered(t, words)})
		writeLike(t, filepath.Join(recordings, "events", "kubectl."+name+".json"), events, kubectlIndent)
	}
}

// recordState records both clusters between two tries of a source that fails.
func (w *world) recordState(t *testing.T, name string) {
	t.Helper()
	for c, kinds := range map[*cluster][]string{
		w.integration: {"OCIRepository", "Kustomization", "Alert", "Provider"},
		w.live:        {"OCIRepository", "Kustomization"},
	} {
		var text string
		until(t, soon, c.name+" to be at rest", func() (string, bool) {
			text = c.kubectl(t, kinds...)
			return text, !strings.Contains(text, `"reason": "Progressing"`)
		})
		var now any
		if err := json.Unmarshal([]byte(text), &now); err != nil {
			t.Fatal(err)
		}
		writeLike(t, filepath.Join(recordings, "states", name+"-"+c.name+".json"), now, kubectlIndent)
	}
}

// writeLike writes a recording like the one that the file has, which stays as it is where nothing has changed.
func writeLike(t *testing.T, file string, now any, indent string) {
	t.Helper()
	var before any
	switch data, err := os.ReadFile(file); {
	case err == nil:
		if err := json.Unmarshal(data, &before); err != nil {
			t.Fatal(err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		t.Fatal(err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", indent)
	e.SetEscapeHTML(indent == kubectlIndent) // as kubectl does
	kept := like(before, now)
	if reflect.DeepEqual(kept, before) {
		return
	}
	if err := e.Encode(kept); err != nil {
		t.Fatal(err)
	}
	programtest.Write(t, file, b.String())
}

// recordVersions writes down what was recorded: the versions that the binaries say.
func recordVersions(t *testing.T) {
	t.Helper()
	var lines []string
	for _, b := range bins.All {
		dir, err := b.Dir("modules")
		if err != nil {
			t.Fatal(err)
		}
		version, err := b.Version(dir)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, version)
	}
	programtest.Write(t, filepath.Join(recordings, "versions.txt"), strings.Join(lines, "\n")+"\n")
}
