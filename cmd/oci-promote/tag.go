package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/oci"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/promote"
	"github.com/oci-promote/oci-promote/internal/trigger"
	semver "github.com/oci-promote/oci-promote/internal/version"
)

// tag turns inputs and the event into a promote.Promotion and runs it.
func (c *command) tag(ctx context.Context, v action.Values, s session) (report pipeline.Report, err error) {
	r := action.Read(v)
	in := c.common(r)
	gate := readGate(r)
	asked := readAsked(r)
	t := promote.Promotion{
		Name: in.ref.String(), Manual: readManual(r), SHALength: in.shaLength, Wait: r.Duration("wait"),
		DryRun: in.dryRun, Clusters: in.clusters, Log: s.log, Now: c.now,
	}
	soak := r.Duration("soak")
	if in.ref.Layout != "" {
		t.Wait = 0 // while we have a layout open, nobody else can write to it
	}
	release := readRelease(r)
	if t.Manual != nil && asked == (artifactAsked{}) && !trigger.Reports(c.getenv("GITHUB_EVENT_NAME")) {
		r.Clash("version", &hinted{errors.New("it does not say which artifact gets it"), "give artifact-sha or digest too"}, "artifact-sha", "digest")
	}
	if err := r.Err(); err != nil {
		return report, err
	}
	subject, ignored, err := c.subject(gate, asked)
	if err != nil {
		return report, err
	}
	if ignored != "" {
		return promote.Ignored(t.Name, ignored), nil
	}
	t.Subject, t.Notes = subject, release.wanted
	if t.Soak, err = c.soak(soak, asked, s); err != nil {
		return report, err
	}
	transport := in.transport(s.log)
	api, err := c.history(in.token, transport)
	if err != nil {
		return report, err
	}
	if err := c.ask(&t, gate, api, in.token); err != nil {
		return report, err
	}
	repo, closeRepo, err := in.open(ctx, oci.Options{Transport: transport})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, closeRepo()) }()
	t.Repo = repo
	if report, err = t.Run(ctx); err != nil {
		return report, err
	}
	release.publish(ctx, api, &report)
	return report, nil
}

// ask gives a promotion whom to ask of GitHub, and refuses one that needs somebody and has none.
func (c *command) ask(t *promote.Promotion, gate trigger.Gate, api *github.Repository, token string) (err error) {
	if api != nil {
		t.History = api
	}
	switch {
	case api == nil:
		t.NoWords = "there is no " + c.missingForGitHub(token) + " to ask GitHub with"
	case !isNamed(gate):
		t.NoWords = "kustomization is not set, so that nobody knows whose word counts"
	default:
		t.Words = words(gate, api)
	}
	if t.Subject == nil {
		t.Health, err = catchUp(gate, api)
	}
	if err == nil && t.Soak > 0 {
		err = canSoak(gate, api)
	}
	return err
}

func readGate(r *action.Reader) trigger.Gate {
	gate := action.Get(r, "kustomization", trigger.ParseKustomization)
	gate.Context = action.Get(r, "status-context", trigger.ParseContext)
	return gate
}

// artifactAsked is what the inputs choose; zero for nothing.
type artifactAsked struct {
	commit string
	latest bool
	digest digest.Digest
}

var (
	someCommit  = regexp.MustCompile(`^[0-9a-f]{7,40}$`)
	exactDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

func readAsked(r *action.Reader) (asked artifactAsked) {
	asked.commit = action.Get(r, "artifact-sha", func(s string) (string, error) {
		s = strings.ToLower(s)
		if s != "" && s != "latest" && !someCommit.MatchString(s) {
			return "", fmt.Errorf("%q is not a commit of 7 to 40 hex digits, nor latest", s)
		}
		return s, nil
	})
	asked.digest = action.Get(r, "digest", func(s string) (digest.Digest, error) {
		if s != "" && !exactDigest.MatchString(s) {
			return "", fmt.Errorf("%q is not a digest sha256:<64 hex digits>", s)
		}
		return digest.Digest(s), nil
	})
	if asked.commit == "latest" {
		asked.commit, asked.latest = "", true
		if asked.digest != "" {
			r.Clash("digest", errors.New("it cannot go with artifact-sha: latest; give one of them"), "artifact-sha")
		}
	}
	return asked
}

func readManual(r *action.Reader) *promote.Manual {
	unvalidated := r.Bool("allow-unvalidated")
	m := action.Get(r, "version", func(s string) (*promote.Manual, error) {
		switch s {
		case "":
			return nil, nil //nolint:nilnil // derived
		case "next":
			return &promote.Manual{Next: true}, nil
		}
		v, err := semver.ParseStable(s)
		if err != nil {
			err = fmt.Errorf("%w, nor next", err)
		}
		return &promote.Manual{Version: v}, err
	})
	switch {
	case m != nil:
		m.Unvalidated = unvalidated
	case unvalidated && r.Text("version") == "":
		r.Clash("allow-unvalidated", errors.New("it goes with version only: what a cluster reports is validated"), "version")
	}
	return m
}

// subject is the artifact that the run is about. A cluster's report must prove it, whatever
// the inputs say; they only choose. In any other event they are an approval. Nothing given
// is nil: to catch up.
func (c *command) subject(gate trigger.Gate, asked artifactAsked) (s *promote.Subject, ignored string, err error) {
	verdict, reported, err := c.report(gate)
	switch {
	case err != nil:
		return nil, "", err
	case reported && asked.latest:
		return nil, "", errors.New(`artifact-sha: "latest" is for runs by hand; an event of Flux's names its own artifact, leave artifact-sha unset`)
	case reported && !verdict.Proven:
		return nil, verdict.Because, nil
	case reported && !verdict.Of(asked.commit, asked.digest):
		return nil, fmt.Sprintf("%s, which is about another artifact than the inputs ask for", verdict.Because), nil
	case reported:
		s = &promote.Subject{
			Commit: verdict.Commit, Digest: verdict.Digest, Tag: verdict.Tag, ByCommit: verdict.Digest == "",
			Proven: true, Kept: c.getenv("GITHUB_EVENT_NAME") == trigger.StatusEvent, Because: verdict.Because,
		}
		if s.Digest == "" {
			s.Digest = asked.digest // which the commit's tags must all name
		}
		return s, "", nil
	case asked == artifactAsked{}:
		return nil, "", nil
	}
	s = &promote.Subject{
		Commit: asked.commit, Digest: asked.digest, Latest: asked.latest, ByCommit: asked.commit != "" && asked.digest == "",
		Because: c.approver(),
	}
	if s.Latest {
		s.Because += ", the newest candidate"
	}
	return s, "", nil
}

// catchUp asks GitHub for the newest word of the Kustomization on a candidate's commit.
func catchUp(gate trigger.Gate, api *github.Repository) (promote.Health, error) {
	switch {
	case gate.Name == "":
		return nil, &hinted{errors.New("kustomization: not set, and neither artifact-sha nor digest is; expected what to promote, or whose commit statuses to catch up with"),
			"to catch up, set kustomization; to promote by hand, set artifact-sha or digest"}
	case api == nil:
		return nil, &hinted{errors.New("catching up reads commit statuses from GitHub, and there is no token or no GITHUB_REPOSITORY"),
			"set token (by hand: GITHUB_TOKEN and GITHUB_REPOSITORY), or give artifact-sha or digest"}
	}
	return func(ctx context.Context, commit string, d digest.Digest) (*promote.Subject, string, error) {
		found, err := api.Statuses(ctx, commit)
		if err != nil {
			return nil, "", err
		}
		v, ok, err := gate.Latest(statusesOf(commit, found), d)
		switch {
		case err != nil:
			return nil, "", err
		case !ok:
			return nil, fmt.Sprintf("commit %.7s has no status of Kustomization %s", commit, gate), nil
		case !v.Proven:
			return nil, v.Because, nil
		}
		return &promote.Subject{Commit: commit, Digest: d, ByCommit: v.Digest == "", Proven: true, Kept: true, Because: v.Because}, "", nil
	}, nil
}
