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
		"https://user:pw@ghcr.io/x":    "holds a login",
		"oci://us:p/w@ghcr.io/x:1":     "holds a login",
		"u:pw@ghcr.io/x@sha256:00":     "holds a login",
	} {
		if got, err := ParseReference(in); err == nil || !strings.Contains(err.Error(), says) || says == "holds a login" && strings.Contains(err.Error(), "ghcr.io/x") {
			t.Errorf("ParseReference(%q) = %q, %v, want an error with %q", in, got, err, says)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	for _, s := range []string{"ghcr.io/a/b", "oci://x/y", "oci-layout:d", "a/b:c", "a/b@sha256:0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, login := range []string{"u:hunter2@", "https://hunter2@", "OCI://u:h/" + strings.ReplaceAll(s, "\n", "") + "hunter2@"} {
			if !strings.Contains(s, "sha256:") && !strings.Contains(s, "sha512:") {
				if got, err := ParseReference(login + s); err == nil || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("%q is %+v, %v", login+s, got, err)
				}
			}
		}
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
