package test

import (
	"net/http"
	"testing"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/test/programtest"
	"github.com/oci-promote/oci-promote/test/registrytest"
)

// TestBuildAfterALostBlob: a build takes the newest candidate's word for the blobs that the registry has. Where one of
// them is gone, the registry refuses the manifest, and the build sends all of them once more.
func TestBuildAfterALostBlob(t *testing.T) {
	s := registrytest.Start(t, registrytest.Options{})
	programtest.BuildFor(t, s, commitA, 0)
	config, _ := bundle.Config()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://"+s.Host+"/v2/"+fleet+"/blobs/"+config.Digest.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Fatalf("deleting the config blob: status %d", response.StatusCode)
	}
	b := programtest.BuildFor(t, s, commitB, 1)
	tags := s.Tags(fleet)
	for _, tag := range []string{"sha-bbbbbbb", "0.0.1-rc.2", "integration-bbbbbbb"} {
		if tags[tag] != b.Digest {
			t.Errorf("%s names %q, want %s", tag, tags[tag], b.Digest)
		}
	}
	found, err := http.Head("http://" + s.Host + "/v2/" + fleet + "/blobs/" + config.Digest.String())
	if err != nil {
		t.Fatal(err)
	}
	found.Body.Close()
	if found.StatusCode != http.StatusOK {
		t.Errorf("the config blob: status %d after the build\n%s", found.StatusCode, s.RequestLog())
	}
}
