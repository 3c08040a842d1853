package main

import (
	"strings"
	"testing"
)

// An address of GitHub's page is linked up to its longest, and never one that could end the link.
func TestPagesThere(t *testing.T) {
	p := pages{repository: "https://github.com/acme/fleet"}
	long := "https://" + strings.Repeat("h", 200)
	for address, want := range map[string]bool{
		"https://github.com/acme/fleet/issues/1":                true,
		"https://github.com/" + strings.Repeat("p", 400):        true,
		"https://github.com/" + strings.Repeat("p", 401):        false,
		"https://github.com/acme)":                              false,
		"https://github.com":                                    false,
		"http://github.com/acme/fleet":                          false,
		"https://github.example/acme/fleet":                     false,
		"https://github.com/acme/fleet/issues/1\nhttps://evil/": false,
	} {
		if got := p.there(address); got != want {
			t.Errorf("%.60q of %d bytes: %v", address, len(address), got)
		}
	}
	for host, want := range map[string]bool{long: true, long + "h": false} {
		if got := (pages{repository: host + "/acme/fleet"}).there(host + "/acme"); got != want {
			t.Errorf("a host of %d bytes: %v", len(host)-len("https://"), got)
		}
	}
}
