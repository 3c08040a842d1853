package pipeline

import (
	"strings"
	"testing"
)

// The repository that a refusal names is one that its registry can have.
func TestElsewhere(t *testing.T) {
	for name, want := range map[string]string{
		"ghcr.io/acme/app":            "ghcr.io/acme/app/manifests",
		"localhost:5000/app":          "localhost:5000/app/manifests",
		"docker.io/acme/app":          "docker.io/acme/app-manifests", // names of two parts
		"oci-layout:/srv/app":         "oci-layout:/srv/app-manifests",
		"registry.test/docker.io/app": "registry.test/docker.io/app/manifests",
	} {
		if hint := (&Store{Name: name}).Elsewhere(); !strings.HasSuffix(hint, "such as repository: "+want) {
			t.Errorf("%s: %s", name, hint)
		}
	}
}
