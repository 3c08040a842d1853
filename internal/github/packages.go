package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Package is one container package on GitHub: what ghcr.io, or the registry of a GitHub Enterprise Server, has under one
// name. Its versions are deleted here, since the registry deletes nothing (docs/facts.md 16). Its methods may be called from
// many goroutines at once; deletions wait for each other.
type Package struct {
	*client
	owner, name string

	locating sync.Mutex // held while the base is asked for, which is empty until it is known
}

// OpenPackage prepares a client of the package that a registry on GitHub has as OWNER/NAME; NAME may have slashes. That is
// the path of an OCI reference, whose owner need not be the repository's. Nothing is sent yet. Of the options, Repository and
// ServerURL are not looked at; without a token there is an error, for GitHub answers nobody else.
func OpenPackage(o Options, path string) (*Package, error) {
	owner, name, _ := strings.Cut(path, "/")
	for _, part := range strings.Split(path, "/") {
		if name == "" || part == "" || part == "." || part == ".." {
			return nil, fmt.Errorf("%q is no package of GitHub; expected OWNER/NAME", path)
		}
	}
	if o.Token == "" {
		return nil, &Error{text: "GitHub's Packages API answers only who has a token", hint: mayNotDelete}
	}
	c, err := newClient(o, "")
	if err != nil {
		return nil, err
	}
	return &Package{client: c, owner: owner, name: name}, nil
}

// locate finds out where the API has the package. That depends on whether its owner is an organisation or a user, and is
// asked once.
func (p *Package) locate(ctx context.Context) error {
	p.locating.Lock()
	defer p.locating.Unlock()
	if p.base != "" {
		return nil
	}
	who, _, err := p.api.Users.Get(ctx, url.PathEscape(p.owner))
	kinds := map[string]string{"Organization": "orgs", "User": "users"}
	switch {
	case err != nil:
	case !strings.EqualFold(who.GetLogin(), p.owner):
		err = fmt.Errorf("the answer is about %q", short(who.GetLogin(), maxTitle))
	case kinds[who.GetType()] == "":
		err = fmt.Errorf("it is a %q, which is neither an organisation nor a user", short(who.GetType(), maxTitle))
	default: // a slash of the name is escaped, and once (docs/facts.md 20)
		p.base = kinds[who.GetType()] + "/" + url.PathEscape(p.owner) + "/packages/container/" + url.PathEscape(p.name)
		return nil
	}
	return p.fail("finding the owner", err)
}

// ErrKept is in the error of a version that GitHub never deletes; it says nothing of any other version.
var ErrKept = errors.New("GitHub keeps this version")

// mayNotDelete is what to do where GitHub refuses. It answers 404 to who may not delete what he may read, and to who may not
// read it (docs/facts.md 39).
const mayNotDelete = "check the name; the job needs `permissions: packages: write`, and its repository the role Admin on the package " +
	"(Package settings, Manage Actions access); a classic personal access token needs the scopes read:packages and delete:packages"

// kept are the refusals that are about one version, by what they say, and what to do about them (docs/facts.md 39).
var kept = []struct{ says, hint string }{
	{"last tagged version", "a package keeps one version with a tag; keep another one, or delete the package by hand"},
	{"downloads", "GitHub deletes no public version with more than 5,000 downloads; its support does"},
}

// fail says what was being done with the package, and what to do about it.
func (p *Package) fail(doing string, err error) error {
	e := explain(err, writePackages)
	switch status := answered(err); {
	case limited(err):
	case status == http.StatusForbidden || status == http.StatusNotFound:
		e.hint = mayNotDelete
	case status == http.StatusBadRequest:
		i := slices.IndexFunc(kept, func(k struct{ says, hint string }) bool { return strings.Contains(e.text, k.says) })
		if i >= 0 {
			e.hint, e.err = kept[i].hint, fmt.Errorf("%w: %w", ErrKept, err)
		}
	}
	return fmt.Errorf("%s of package %s/%s: %w", doing, p.owner, p.name, e)
}
