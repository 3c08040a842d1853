package oci

import (
	"strings"
	"testing"
)

func TestParseReference(t *testing.T) {
	for in, want := range map[string]string{
		"ghcr.io/acme/fleet":            "ghcr.io/acme/fleet",
		"ghcr.io/Acme/Fleet":            "ghcr.io/acme/fleet",
		"oci://ghcr.io/Acme/fleet":      "ghcr.io/acme/fleet",
		"oci://ghcr.io/acme/fleet/":     "ghcr.io/acme/fleet",
		"127.0.0.1:5000/fleet":          "127.0.0.1:5000/fleet",
		"registry.test/a/b/c-d_e":       "registry.test/a/b/c-d_e",
		"oci-layout:./Dir With/Capital": "oci-layout:./Dir With/Capital",
	} {
		if got, err := ParseReference(in); err != nil || got.String() != want {
			t.Errorf("ParseReference(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	for in, says := range map[string]string{
		"":                             "not a repository",
		"fleet":                        "not a repository",
		"ghcr.io/acme/fleet:1.0.0":     "tag or digest",
		"ghcr.io/acme/fleet@sha256:00": "not a repository",
		"https://ghcr.io/acme/fleet":   "scheme",
		"docker://ghcr.io/acme/fleet":  "scheme",
		"oci-layout:":                  "no directory",
		"ghcr.io/acme/fl\neet":         "not a repository",
		"ghcr.io/acme/../fleet":        "not a repository",
		"user:pw@ghcr.io/acme/fleet":   "holds a login",
	} {
		if got, err := ParseReference(in); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("ParseReference(%q) = %q, %v, want an error with %q", in, got, err, says)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	for _, s := range []string{"ghcr.io/a/b", "oci://x/y", "oci-layout:d", "a/b:c", "a/b@sha256:0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := ParseReference(s)
		if err != nil {
			return
		}
		again, err := ParseReference(ref.String())
		if err != nil || again != ref {
			t.Errorf("%q parses to %+v, which prints as %q and parses to %+v, %v", s, ref, ref, again, err)
		}
	})
}
