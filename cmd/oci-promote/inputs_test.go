package main

import (
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/internal/action"
)

// TestTokenOfAnotherGitHub keeps an Enterprise server's token away from ghcr.io.
func TestTokenOfAnotherGitHub(t *testing.T) {
	for server, want := range map[string]string{
		"":                          "ghs_token",
		"https://github.com":        "ghs_token",
		"https://github.acme.test":  "",
		"https://acme.ghe.com":      "",
		"https://github.com.evil.x": "",
	} {
		c := &command{getenv: func(name string) string { return map[string]string{"GITHUB_SERVER_URL": server}[name] }}
		r := action.Read(action.Values{"repository": "ghcr.io/acme/fleet", "token": "ghs_token"})
		in := c.common(r)
		if err := r.Err(); err != nil {
			t.Fatal(err)
		}
		if in.credentials.Token != want || in.token != "ghs_token" {
			t.Errorf("on %q ghcr.io is told %q, the API %q", server, in.credentials.Token, in.token)
		}
	}
}

// TestSourceHasNoLogin keeps the token of a clone's remote out of the artifact.
func TestSourceHasNoLogin(t *testing.T) {
	for source, fine := range map[string]bool{
		"":                                  true,
		"https://github.com/acme/fleet":     true,
		"https://github.com/@acme/fleet":    true,
		"git@github.com:acme/fleet.git":     true,
		"ssh://git@github.com/acme/fleet":   true,
		"not a URL":                         true,
		"https://u:hunter2@github.com/acme": false,
		"https://hunter2@github.com/acme":   false,
		"https://u:hun/ter2@github.com/":    false,
		"ssh://git:hunter2@github.com/acme": false,
		"git://hunter2@github.com/acme":     false,
	} {
		c := &command{getenv: func(string) string { return "" }}
		r := action.Read(action.Values{"source": source, "revision": "main@sha1:0123456789012345678901234567890123456789"})
		m := c.metadata(r)
		err := r.Err()
		if fine && (err != nil || m.Source != source) || !fine && (err == nil || m.Source != "" || strings.Contains(err.Error(), "ter2")) {
			t.Errorf("%q becomes %q, %v", source, m.Source, err)
		}
	}
}
