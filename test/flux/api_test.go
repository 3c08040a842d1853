package flux

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

type object = map[string]any

// kinds are those of a Flux pipeline: the API group with its version, and the plural that the path has.
var kinds = map[string]struct {
	group, plural string
	everywhere    bool // not in a namespace
}{
	"Namespace":                {"api/v1", "namespaces", true},
	"Secret":                   {"api/v1", "secrets", false},
	"ConfigMap":                {"api/v1", "configmaps", false},
	"Event":                    {"api/v1", "events", false},
	"Deployment":               {"apis/apps/v1", "deployments", false},
	"CustomResourceDefinition": {"apis/apiextensions.k8s.io/v1", "customresourcedefinitions", true},
	"OCIRepository":            {"apis/source.toolkit.fluxcd.io/v1", "ocirepositories", false},
	"Kustomization":            {"apis/kustomize.toolkit.fluxcd.io/v1", "kustomizations", false},
	"Alert":                    {"apis/notification.toolkit.fluxcd.io/v1beta3", "alerts", false},
	"Provider":                 {"apis/notification.toolkit.fluxcd.io/v1beta3", "providers", false},
	"Canary":                   {"apis/canaries.flanksource.com/v1", "canaries", false},
}

// namespace is where all of it is.
const namespace = "flux-system"

// path is where an object is, or with an empty name all of its kind in the namespace.
func path(t *testing.T, kind, name string) string {
	t.Helper()
	k, ok := kinds[kind]
	if !ok {
		t.Fatalf("the test knows no kind %s", kind)
	}
	p := "/" + k.group + "/"
	if !k.everywhere {
		p += "namespaces/" + namespace + "/"
	}
	return strings.TrimSuffix(p+k.plural+"/"+name, "/")
}

// send asks the API server, and decodes its answer into answer, which may be nil. A refusal is an error with its words.
func (c *cluster) send(t *testing.T, method, path, contentType string, body, answer any) error {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, c.url+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", contentType)
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if data, err = io.ReadAll(response.Body); err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, data)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(data, answer)
}

// apply is `kubectl apply --server-side`. A kind that the API server has just learned may be unknown to it for a moment.
func (c *cluster) apply(t *testing.T, objects ...object) {
	t.Helper()
	for _, o := range objects {
		where := path(t, at(o, "kind"), at(o, "metadata", "name")) + "?fieldManager=kubectl&force=true"
		until(t, soon, "the API server to take "+where, func() (string, bool) {
			err := c.send(t, http.MethodPatch, where, "application/apply-patch+yaml", o, nil)
			return fmt.Sprint(err), err == nil
		})
	}
}

// get is one object; nil where there is none.
func (c *cluster) get(t *testing.T, kind, name string) object {
	t.Helper()
	var o object
	switch err := c.send(t, http.MethodGet, path(t, kind, name), "application/json", nil, &o); {
	case err == nil:
		return o
	case strings.Contains(err.Error(), "404 Not Found"):
		return nil
	default:
		t.Fatal(err)
		return nil
	}
}

// list is all objects of a kind in the namespace, each with its kind, as kubectl has them.
func (c *cluster) list(t *testing.T, kind string) []object {
	t.Helper()
	var found struct {
		APIVersion string
		Items      []object
	}
	if err := c.send(t, http.MethodGet, path(t, kind, ""), "application/json", nil, &found); err != nil {
		t.Fatal(err)
	}
	for _, o := range found.Items {
		o["apiVersion"], o["kind"] = found.APIVersion, kind
	}
	return found.Items
}

// merge changes parts of an object, or with part "/status" of its status.
func (c *cluster) merge(t *testing.T, kind, name, part string, change object) {
	t.Helper()
	if err := c.send(t, http.MethodPatch, path(t, kind, name)+part, "application/merge-patch+json", change, nil); err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) delete(t *testing.T, kind, name string) {
	t.Helper()
	if err := c.send(t, http.MethodDelete, path(t, kind, name), "application/json", nil, nil); err != nil {
		t.Fatal(err)
	}
	until(t, soon, kind+" "+name+" to be gone", func() (string, bool) { return "it is there", c.get(t, kind, name) == nil })
}

// reconcile is `flux reconcile`: a controller does now what it would do at the next interval, or after its backoff. It gives
// the word by which the object's status will say that this was done.
func (c *cluster) reconcile(t *testing.T, kind, name string) string {
	t.Helper()
	now := time.Now().UTC().Format(time.RFC3339Nano)
	c.merge(t, kind, name, "", object{"metadata": object{"annotations": object{"reconcile.fluxcd.io/requestedAt": now}}})
	return now
}

// at is the text at a place of an object; "" where there is none.
func at(o object, keys ...string) string {
	for _, key := range keys[:len(keys)-1] {
		o, _ = o[key].(object)
	}
	s, _ := o[keys[len(keys)-1]].(string)
	return s
}

// condition is one of an object's conditions; empty where it has no such.
func condition(o object, kind string) object {
	status, _ := o["status"].(object)
	all, _ := status["conditions"].([]any)
	for _, c := range all {
		if c, ok := c.(object); ok && c["type"] == kind {
			return c
		}
	}
	return object{}
}

// show is what a failure shows of an object.
func show(o object) string {
	data, err := json.MarshalIndent(o["status"], "", " ")
	if err != nil {
		return err.Error()
	}
	return string(data)
}
