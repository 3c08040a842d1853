package oci

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// TestCredentialsGoToTheirHost is the design's table, row by row.
func TestCredentialsGoToTheirHost(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	config := fmt.Sprintf(`{"auths":{"docker.test":{"auth":%q},"ghcr.io":{"auth":%q}}}`,
		base64.StdEncoding.EncodeToString([]byte("dora:docker")), base64.StdEncoding.EncodeToString([]byte("gina:docker")))
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	job := Credentials{Actor: "octocat", Token: "ghs_token"}
	inputs := Credentials{Username: "robot", Password: "s3cret", Actor: "octocat", Token: "ghs_token"}
	none := auth.EmptyCredential
	for name, c := range map[string]struct {
		given    Credentials
		host     string // of the repository
		asked    string // host that a request goes to
		username string
		password string
	}{
		"inputs":                                  {inputs, "registry.test", "registry.test", "robot", "s3cret"},
		"inputs before the token, on ghcr.io":     {inputs, "ghcr.io", "ghcr.io", "robot", "s3cret"},
		"inputs stay with the repository's host":  {inputs, "registry.test", "evil.test", "", ""},
		"token for ghcr.io":                       {job, "ghcr.io", "ghcr.io", "octocat", "ghs_token"},
		"token without an actor":                  {Credentials{Token: "ghs_token"}, "ghcr.io", "ghcr.io", "token", "ghs_token"},
		"token stays with ghcr.io":                {job, "ghcr.io", "evil.test", "", ""},
		"no token for another registry":           {job, "registry.test", "registry.test", "", ""},
		"no token for what looks like ghcr.io":    {job, "ghcr.io.evil.test", "ghcr.io.evil.test", "", ""},
		"no token for a port of ghcr.io":          {job, "ghcr.io:8443", "ghcr.io:8443", "", ""},
		"no token for a subdomain":                {job, "x.ghcr.io", "x.ghcr.io", "", ""},
		"docker's for another registry":           {job, "docker.test", "docker.test", "dora", "docker"},
		"docker's for ghcr.io without a token":    {Credentials{}, "ghcr.io", "ghcr.io", "gina", "docker"},
		"anonymous where nobody knows the host":   {Credentials{}, "other.test", "other.test", "", ""},
		"inputs for Docker Hub go to its own API": {inputs, "docker.io", "registry-1.docker.io", "robot", "s3cret"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := c.given.pick(Reference{Host: c.host, Repository: "acme/fleet"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := l.credential(t.Context(), c.asked)
			if err != nil {
				t.Fatal(err)
			}
			want := none
			want.Username, want.Password = c.username, c.password
			if got != want {
				t.Errorf("%s is told %+v, want %+v", c.asked, got, want)
			}
		})
	}
}

func TestBrokenDockerConfig(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Credentials{}).pick(Reference{Host: "registry.test", Repository: "acme/fleet"}); err == nil {
		t.Error("no error for a config.json that is not JSON")
	}
	if _, err := (Credentials{Username: "a", Password: "b"}).pick(Reference{Host: "registry.test", Repository: "acme/fleet"}); err != nil {
		t.Errorf("a config.json that is not needed stops the run: %v", err)
	}
}
