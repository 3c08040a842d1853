package flux

import (
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const examples = "../../examples/flux"

// onLoopback is all in which the examples' objects differ here: where the registry and GitHub are, and that they speak HTTP.
func (w *world) onLoopback(o object) object {
	spec, _ := o["spec"].(object)
	switch o["kind"] {
	case "OCIRepository":
		spec["url"] = strings.Replace(at(o, "spec", "url"), "ghcr.io/"+platform, w.registry.Host+"/"+w.repository, 1)
		spec["insecure"] = true
	case "Provider":
		spec["address"] = strings.Replace(at(o, "spec", "address"), "https://github.com", w.gitHub.URL, 1)
	}
	return o
}

// example are the objects of one of examples/flux, as they are but for onLoopback.
func (w *world) example(t *testing.T, name string) []object {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(examples, name))
	if err != nil {
		t.Fatal(err)
	}
	var objects []object
	for _, r := range resources.Resources() {
		o, err := r.Map()
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, w.onLoopback(o))
	}
	return objects
}

// token is the Secret that the examples' Providers name.
func token() object {
	return object{
		"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": "github-token", "namespace": namespace},
		"stringData": object{"token": apiToken},
	}
}
