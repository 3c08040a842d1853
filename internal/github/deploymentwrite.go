package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/go-github/v60/github"
)

// ensure makes a deployment and lists again: another run may have made one at the same time, and
// of one whose answer was lost nobody knows whether it is there. It gives what is there now, and
// the id of the one that it made.
func (r *Repository) ensure(ctx context.Context, e Environment, d Deployment, before []deployment) (ours []deployment, id int64, err error) {
	one, cause := r.createDeployment(ctx, e, d)
	if cause != nil && (errors.Is(cause, errNoCommit) || answered(cause)/100 == 4) { // it was not made
		return before, 0, cause
	}
	ours, err = r.deployments(ctx, e)
	switch {
	case cause == nil && err == nil && !slices.ContainsFunc(ours, func(o deployment) bool { return o.id == one.id }): // the list lags
		return oldestFirst(append(ours, one)), one.id, nil
	case cause == nil:
		return ours, one.id, err
	}
	if found, ok := named(ours, d.Digest); ok {
		return ours, found.id, nil
	}
	return before, 0, &Error{cause.Error(), "it is sent once, since GitHub may have done it; the next run looks for it", cause}
}

var errNoCommit = errors.New("its commit is not known")

// createDeployment makes a deployment, of the commit as it is: what GitHub would do before, which is to merge
// the default branch into it and to look at its checks, was done before the artifact was built.
func (r *Repository) createDeployment(ctx context.Context, e Environment, d Deployment) (deployment, error) {
	doing := fmt.Sprintf("creating the deployment of %s to", d.Version)
	if !fullCommit.MatchString(d.Commit) {
		return deployment{}, r.deploymentError(doing, e, errNoCommit)
	}
	name, description := task(e.Artifact), short(d.Version+" of "+e.Artifact, maxDescription)
	no := false
	made := new(github.Deployment)
	err := r.sendOnce(ctx, http.MethodPost, "deployments", &github.DeploymentRequest{
		Ref: &d.Commit, Task: &name, Environment: &e.Name, Description: &description,
		Payload:   payload{e.Artifact, d.Digest, d.Version},
		AutoMerge: &no, RequiredContexts: &[]string{},
		ProductionEnvironment: &e.Production, TransientEnvironment: &no,
	}, made)
	if err != nil {
		return deployment{}, r.deploymentError(doing, e, err)
	}
	one, theirs, err := readDeployment(made, e)
	if err == nil && (theirs || one.Digest != d.Digest || made.GetSHA() != d.Commit) {
		err = errors.New("the answer is about another deployment")
	}
	if err != nil {
		return deployment{}, r.deploymentError(doing, e, err)
	}
	return one, nil
}

// setState writes the state of a deployment where it is to change. No other deployment becomes inactive
// by that: it may be of another artifact.
func (r *Repository) setState(ctx context.Context, e Environment, s step) error {
	if s.Did == Unchanged {
		return nil
	}
	words, no := s.words(), false
	status := &github.DeploymentStatusRequest{State: &s.State, Description: &words, AutoInactive: &no}
	if e.Log != "" {
		status.LogURL = &e.Log
	}
	got, _, err := r.api.Repositories.CreateDeploymentStatus(ctx, r.owner, r.name, s.id, status)
	if err == nil {
		err = checkStatus(got, s.id)
	}
	if err == nil && got.GetState() != s.State {
		err = fmt.Errorf("the answer says %q", short(got.GetState(), maxDescription))
	}
	if err != nil {
		return r.deploymentError(fmt.Sprintf("writing %s to deployment %d of", s.State, s.id), e, err)
	}
	return nil
}
