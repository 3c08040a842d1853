package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/oci"
)

// packages opens the package on GitHub whose versions are the manifests of the repository; nil for a registry that deletes
// by itself. GitHub's own do not (docs/facts.md 16).
func (c *command) packages(in common, transport http.RoundTripper) (*versions, error) {
	server := orElse(c.getenv("GITHUB_SERVER_URL"), "https://github.com")
	host := registryOf(server)
	switch {
	case in.ref.Host == oci.GHCR && host != oci.GHCR:
		return nil, &hinted{
			fmt.Errorf("%s deletes by the Packages API of github.com, and the token of this run is for %s", oci.GHCR, server),
			"run it in a job on github.com, or by hand with a token of github.com and without GITHUB_SERVER_URL and GITHUB_API_URL",
		}
	case in.ref.Host != host || host == "":
		return nil, nil //nolint:nilnil // the registry deletes by itself
	}
	pkg, err := github.OpenPackage(github.Options{
		APIURL: c.getenv("GITHUB_API_URL"), Token: in.token, Transport: transport, UserAgent: userAgent(),
	}, in.ref.Repository)
	if err != nil {
		return nil, fmt.Errorf("opening the package of %s: %w", in.ref, err)
	}
	return &versions{Package: pkg, ids: map[digest.Digest]int64{}}, nil
}

// registryOf is the host of the registry that keeps the packages of a GitHub: of github.com ghcr.io, of others a subdomain.
func registryOf(server string) string {
	u, err := url.Parse(server)
	switch {
	case err != nil || u.Host == "":
		return ""
	case u.Host == "github.com":
		return oci.GHCR
	}
	return "containers." + u.Host
}

// versions deletes manifests as versions of a package.
type versions struct {
	*github.Package
	ids map[digest.Digest]int64 // from the list
}

// Written lists the versions once, in a request for each hundred.
func (v *versions) Written(ctx context.Context) (map[digest.Digest]time.Time, error) {
	all, err := v.Versions(ctx)
	if err != nil {
		return nil, err
	}
	written := make(map[digest.Digest]time.Time, len(all))
	for _, one := range all {
		d := digest.Digest(one.Digest)
		written[d], v.ids[d] = one.Pushed, one.ID
	}
	return written, nil
}

// Delete deletes a version that has exactly those tags, after a look at it: GitHub deletes it with whatever tags it has.
func (v *versions) Delete(ctx context.Context, d digest.Digest, tags []string) (gone bool, err error) {
	id, known := v.ids[d]
	if !known {
		return false, stays("the package did not list it")
	}
	now, there, err := v.Version(ctx, id)
	switch {
	case err != nil:
		return false, err
	case !there:
		return true, nil
	case digest.Digest(now.Digest) != d:
		return false, fmt.Errorf("version %d of the package is %s by now, and was %s", id, now.Digest, d)
	case !sameTags(now.Tags, tags):
		return false, stays("it has other tags by now: " + orElse(strings.Join(few(now.Tags), ", "), "none"))
	}
	err = v.Package.Delete(ctx, id)
	if errors.Is(err, github.ErrKept) {
		return false, stays(withHint(err))
	}
	return false, err
}

func sameTags(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
