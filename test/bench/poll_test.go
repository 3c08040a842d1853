package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/Masterminds/semver/v3"
	fluxoci "github.com/fluxcd/pkg/oci"
	fluxversion "github.com/fluxcd/pkg/version"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// sourceController asks a registry what source-controller 1.9.6 asks at each interval for an OCIRepository with
// spec.ref.semver whose revision has not changed (docs/facts.md 32), and prints that revision. The calls are those of
// its internal/controller/ocirepository_controller.go: each of the two begins with a ping and a token of its own.
func sourceController(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: source-controller REPO CONSTRAINT")
	}
	repo, err := name.NewRepository(args[0], name.Insecure)
	if err != nil {
		return err
	}
	constraint, err := semver.NewConstraint(args[1])
	if err != nil {
		return err
	}
	options := []remote.Option{
		remote.WithContext(context.Background()),
		remote.WithUserAgent(fluxoci.UserAgent),
		remote.WithTransport(remote.DefaultTransport.(*http.Transport).Clone()),
		remote.WithAuthFromKeychain(authn.DefaultKeychain),
	}
	tags, err := remote.List(repo, options...)
	if err != nil {
		return err
	}
	tag, err := selected(constraint, tags)
	if err != nil {
		return err
	}
	manifest, err := remote.Head(repo.Tag(tag), options...)
	if err != nil {
		return err
	}
	fmt.Printf("%s@%s\n", tag, manifest.Digest)
	return nil
}

// selected is the tag of the highest version that the constraint admits.
func selected(constraint *semver.Constraints, tags []string) (string, error) {
	var highest *semver.Version
	for _, tag := range tags {
		v, err := fluxversion.ParseVersion(tag)
		if err == nil && constraint.Check(v) && (highest == nil || v.GreaterThan(highest)) {
			highest = v
		}
	}
	if highest == nil {
		return "", fmt.Errorf("no tag of %d is in %s", len(tags), constraint)
	}
	return highest.Original(), nil
}
