// Package oci opens the repository that holds the artifacts: one on a registry,
// over HTTP, or an OCI image layout in a directory. Both are oras targets that list
// tags; what differs between them stays in here.
package oci

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"oras.land/oras-go/v2/registry"
)

// Reference names a repository. The zero value names none.
type Reference struct {
	Layout     string // directory of an OCI image layout; empty for a registry
	Host       string // host[:port] of the registry
	Repository string // path below the host
}

const layoutScheme = "oci-layout:"

// pinned is the digest at the end of a reference.
var pinned = regexp.MustCompile(`@sha(256|512):[0-9a-f]*$`)

// ParseReference accepts HOST/PATH, oci://HOST/PATH and oci-layout:DIR. The path is
// lower-cased, because registries demand it and GitHub owners often are not
// (docs/facts.md 15). A tag or digest is refused: the tags are ours to choose.
func ParseReference(s string) (Reference, error) {
	if dir, ok := strings.CutPrefix(s, layoutScheme); ok {
		if dir == "" {
			return Reference{}, fmt.Errorf("%q names no directory; expected oci-layout:DIR", s)
		}
		return Reference{Layout: dir}, nil
	}
	name := strings.ToLower(strings.TrimPrefix(s, "oci://"))
	if strings.Contains(pinned.ReplaceAllString(name, ""), "@") { // anywhere: after a scheme, and a password can have a slash
		return Reference{}, errors.New("it holds a login, which is not shown here; expected HOST/PATH such as ghcr.io/acme/fleet, and the login in username and password")
	}
	ref, err := registry.ParseReference(strings.TrimSuffix(name, "/"))
	switch {
	case strings.Contains(name, "://"):
		return Reference{}, fmt.Errorf("%q has a scheme other than oci://; expected HOST/PATH such as ghcr.io/acme/fleet", s)
	case err != nil:
		return Reference{}, fmt.Errorf("%q is not a repository; expected HOST/PATH such as ghcr.io/acme/fleet, or oci-layout:DIR", s)
	case ref.Reference != "":
		return Reference{}, fmt.Errorf("%q ends in a tag or digest; expected the repository alone, such as %s/%s", s, ref.Registry, ref.Repository)
	}
	return Reference{Host: ref.Registry, Repository: ref.Repository}, nil
}

// String is the canonical form of r.
func (r Reference) String() string {
	if r.Layout != "" {
		return layoutScheme + r.Layout
	}
	return r.Host + "/" + r.Repository
}
