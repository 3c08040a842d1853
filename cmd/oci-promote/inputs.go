package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/prune"
	semver "github.com/oci-promote/oci-promote/internal/version"
)

// common is what every mode is given.
type common struct {
	ref         oci.Reference
	credentials oci.Credentials
	token       string // for the GitHub API
	plainHTTP   bool
	dryRun      bool
	retryFor    time.Duration
	shaLength   int
	clusters    pipeline.Clusters
	secrets     *action.Secrets
}

func (c *command) common(r *action.Reader) common {
	in := common{
		plainHTTP: r.Bool("plain-http"),
		dryRun:    r.Bool("dry-run"),
		retryFor:  r.Duration("retry-for"),
		shaLength: r.Int("sha-length", 7, 40),
		clusters: pipeline.Clusters{
			Integration: action.Get(r, "integration-semver", semver.ParseConstraint),
			Live:        action.Get(r, "live-semver", semver.ParseConstraint),
		},
		secrets:     c.secrets,
		token:       r.Text("token"),
		credentials: oci.Credentials{Username: r.Text("username"), Password: r.Text("password"), Actor: c.getenv("GITHUB_ACTOR")},
	}
	// ghcr.io belongs to github.com: the token of an Enterprise server is none of its business.
	if server := c.getenv("GITHUB_SERVER_URL"); server == "" || server == "https://github.com" {
		in.credentials.Token = in.token
	}
	if (in.credentials.Username == "") != (in.credentials.Password == "") {
		missing := "password"
		if in.credentials.Username == "" {
			missing = "username"
		}
		r.Clash(missing, &hinted{errors.New("not set, but username and password go together"), "in a workflow check that the secret is available to this run; by hand give username and password"}, "username", "password")
	}
	in.ref = action.Get(r, "repository", func(s string) (oci.Reference, error) {
		if s == "" && c.getenv("GITHUB_REPOSITORY") != "" {
			s = oci.GHCR + "/" + c.getenv("GITHUB_REPOSITORY")
		}
		if s == "" {
			return oci.Reference{}, errors.New("not set; expected HOST/PATH such as ghcr.io/acme/fleet, or oci-layout:DIR")
		}
		return oci.ParseReference(s)
	})
	if in.plainHTTP && in.ref.Host == oci.GHCR {
		r.Clash("plain-http", errors.New("ghcr.io speaks HTTPS, and no token may go there in the clear; leave it false"), "repository")
	}
	return in
}

// transport is the one that all clients of a run share, with its budget for retries.
func (in common) transport(log func(string)) http.RoundTripper {
	retrier := &oci.Retrier{Budget: in.retryFor, Notify: log}
	return retrier.Transport(oci.Discreet(oci.NewTransport(), in.secrets.Add, in.secrets.Hide))
}

// storage is a registry's or a layout's, with all that a mode asks of one.
type storage interface {
	prune.Repository
	Delete(ctx context.Context, d digest.Digest) error
}

// open opens the repository. Close it, or the next process waits for a layout.
func (in common) open(ctx context.Context, o oci.Options) (storage, func() error, error) {
	if in.ref.Layout != "" {
		l, err := oci.OpenLayout(ctx, in.ref.Layout, in.dryRun)
		if err != nil {
			return nil, nil, err
		}
		return l, l.Close, nil
	}
	o.Secret = in.secrets.Add
	o.Credentials, o.PlainHTTP, o.ReadOnly, o.UserAgent = in.credentials, in.plainHTTP, in.dryRun, userAgent()
	repo, err := oci.OpenRegistry(in.ref, o)
	return repo, func() error { return nil }, err
}

// history opens the GitHub API, or gives nil where no token allows it.
func (c *command) history(token string, transport http.RoundTripper) (*github.Repository, error) {
	repository := c.getenv("GITHUB_REPOSITORY")
	if token == "" || repository == "" {
		return nil, nil //nolint:nilnil // no GitHub is a way to run
	}
	return github.Open(github.Options{
		Repository: repository, APIURL: c.getenv("GITHUB_API_URL"), ServerURL: c.getenv("GITHUB_SERVER_URL"),
		Token: token, Transport: transport, UserAgent: userAgent(),
	})
}

func userAgent() string { return "oci-promote/" + version }
