package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Environment is what one of GitHub's environments has of an artifact.
type Environment struct {
	Name       string
	Production bool
	Artifact   string       // OCI repository; it and the digest find a deployment again
	Log        string       // page of this run; may be empty
	Has        []Deployment // all that it has; of several with one digest the first counts
}

// Deployment is one digest in an environment.
type Deployment struct {
	Version string
	Digest  string
	Commit  string // 40 hex digits
	State   string
	Says    string // why; text from outside
}

// The states of a deployment, in GitHub's words.
const (
	InProgress = "in_progress"
	Success    = "success"
	Failure    = "failure"
	Inactive   = "inactive"
)

// Deployed is a deployment as it is now, and what was done for that: Created, Updated or
// Unchanged.
type Deployed struct {
	Deployment
	Did string
}

// Created is what Deploy did where there was no deployment.
const Created = "created"

// maxDescription is how many characters GitHub takes.
const maxDescription = 140

// replaced is what a deployment that became inactive says.
const replaced = "no longer there"

// DeploymentsPage is where GitHub shows the deployments.
func (r *Repository) DeploymentsPage() string { return r.page + "/deployments" }

// Deploy lets the deployments of an environment follow what it has: one for each digest, made
// once, and every other of the artifact inactive. It gives those of what the environment has, and
// the others that it changed. Where nothing is known to be there, nothing is done. With an error,
// done is what was reached before it, or beside it.
func (r *Repository) Deploy(ctx context.Context, e Environment) (done []Deployed, err error) {
	if len(e.Has) == 0 {
		return nil, nil
	}
	ours, err := r.deployments(ctx, e)
	if err != nil {
		return nil, err
	}
	var (
		made    []int64
		refused error // of one deployment, and no word about the others
	)
	for _, d := range missing(e, ours) {
		var id int64
		switch ours, id, err = r.ensure(ctx, e, d, ours); {
		case err == nil:
			made = append(made, id)
		case onlyThis(err):
			refused = errors.Join(refused, err)
		default:
			return nil, errors.Join(refused, err)
		}
	}
	steps, err := r.steps(ctx, e, ours)
	if err != nil {
		return nil, errors.Join(refused, err)
	}
	for _, s := range steps {
		switch err := r.setState(ctx, e, s); {
		case err == nil:
		case onlyThis(err):
			refused = errors.Join(refused, err)
			continue
		default:
			return done, errors.Join(refused, err)
		}
		if slices.Contains(made, s.id) {
			s.Did = Created
		}
		done = append(done, s.Deployed)
	}
	return done, refused
}

// WouldDeploy is what Deploy would do. It only reads.
func (r *Repository) WouldDeploy(ctx context.Context, e Environment) (would []Deployed, err error) {
	if len(e.Has) == 0 {
		return nil, nil
	}
	ours, err := r.deployments(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, d := range missing(e, ours) {
		would = append(would, Deployed{d, Created})
	}
	steps, err := r.steps(ctx, e, ours)
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		would = append(would, s.Deployed)
	}
	return would, nil
}

// step is what is to be done with a deployment that is there.
type step struct {
	Deployed
	id int64
}

// steps asks for the state of each deployment that counts, and compares it with what is true.
func (r *Repository) steps(ctx context.Context, e Environment, ours []deployment) ([]step, error) {
	has, rest := distinct(e.Has), gone(ours, e.Has)
	var there, changed, anew []step
	for _, one := range rest[:min(len(rest), lookBack)] {
		to := Deployment{Version: one.Version, Digest: one.Digest, State: Inactive, Says: replaced}
		did, err := r.due(ctx, one.id, to)
		if err != nil {
			return nil, err
		}
		if did != Unchanged {
			changed = append(changed, step{Deployed{to, did}, one.id})
		}
	}
	for _, to := range has {
		one, ok := named(ours, to.Digest)
		if !ok {
			continue
		}
		did, err := r.due(ctx, one.id, to)
		if err != nil {
			return nil, err
		}
		if did == Unchanged && laterThan(one, rest)+len(changed)+len(has) > lookBack {
			anew = append(anew, step{Deployed{to, Updated}, one.id})
			continue
		}
		there = append(there, step{Deployed{to, did}, one.id})
	}
	return slices.Concat(there, changed, anew), nil
}

// due is Updated where the state of a deployment is to be written, else Unchanged. Words count only for what is there.
func (r *Repository) due(ctx context.Context, id int64, to Deployment) (did string, err error) {
	state, words, err := r.newestStatus(ctx, id)
	switch {
	case err != nil:
		return "", err
	case state != to.State || to.State != Inactive && short(words, maxDescription) != to.words():
		return Updated, nil
	}
	return Unchanged, nil
}

// missing is what an environment has and no deployment names.
func missing(e Environment, ours []deployment) []Deployment {
	return slices.DeleteFunc(distinct(e.Has), func(d Deployment) bool { _, ok := named(ours, d.Digest); return ok })
}

// distinct are those of has with a digest that none before them has.
func distinct(has []Deployment) (all []Deployment) {
	for _, d := range has {
		if !slices.ContainsFunc(all, func(known Deployment) bool { return known.Digest == d.Digest }) {
			all = append(all, d)
		}
	}
	return all
}

// words are the description of a state, as GitHub takes it.
func (d Deployment) words() string {
	if d.State == Inactive || d.Says == "" {
		return short(cmp.Or(d.Says, d.Version), maxDescription)
	}
	return short(d.Version+": "+d.Says, maxDescription)
}

// onlyThis reports whether an error says nothing of other deployments: GitHub refuses this one, or it
// cannot be asked for.
func onlyThis(err error) bool {
	status := answered(err)
	return errors.Is(err, errNoCommit) || status == http.StatusConflict || status == http.StatusUnprocessableEntity
}

func (r *Repository) deploymentError(doing string, e Environment, err error) error {
	if !errors.Is(err, errNoCommit) {
		err = explain(err, writeDeployments)
	}
	return fmt.Errorf("%s %s in %s/%s: %w", doing, e.Name, r.owner, r.name, err)
}
