package main

import (
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
