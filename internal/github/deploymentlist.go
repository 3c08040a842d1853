package github

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// lookBack is of how many deployments that should be inactive a run asks for the state.
const lookBack = 5

// task is what the deployments of an artifact are listed by. It is made of the artifact, so that
// others of the same git repository do not fill the one page that is read.
func task(artifact string) string {
	return fmt.Sprintf("oci-promote:%x", sha256.Sum256([]byte(artifact)))[:len("oci-promote:")+12]
}

// payload is by what a deployment is found again.
type payload struct {
	Repository string `json:"repository"` // of the artifact
	Digest     string `json:"digest"`
	Version    string `json:"version,omitempty"` // for who reads it; a digest may have another by now
}

// deployment is one of ours on GitHub.
type deployment struct {
	payload
	id      int64
	touched time.Time // when it or its state was last written
}

// deployments are the artifact's in an environment, of the 100 that were made last, the oldest first.
func (r *Repository) deployments(ctx context.Context, e Environment) (ours []deployment, err error) {
	o := &github.DeploymentsListOptions{Task: task(e.Artifact), Environment: e.Name, ListOptions: github.ListOptions{PerPage: perPage}}
	found, _, err := r.api.Repositories.ListDeployments(ctx, r.owner, r.name, o)
	if err == nil {
		ours, err = readDeployments(found, e)
	}
	if err != nil {
		return nil, r.deploymentError("listing the deployments of", e, err)
	}
	return oldestFirst(ours), nil
}

func readDeployments(found []*github.Deployment, e Environment) (ours []deployment, err error) {
	if found == nil { // go-github takes an empty answer for an empty list
		return nil, errors.New("the answer is no list")
	}
	for _, d := range found {
		one, theirs, err := readDeployment(d, e)
		if err != nil {
			return nil, err
		}
		if !theirs {
			ours = append(ours, one)
		}
	}
	return ours, nil
}

// oldestFirst goes by the ids, which grow.
func oldestFirst(ours []deployment) []deployment {
	slices.SortFunc(ours, func(a, b deployment) int { return cmp.Compare(a.id, b.id) })
	return ours
}

// readDeployment refuses what was not asked for: a list that was not filtered may lack what it
// should have. What has our task and another payload is somebody else's.
func readDeployment(d *github.Deployment, e Environment) (one deployment, theirs bool, err error) {
	switch {
	case d.GetID() == 0:
		return one, false, errors.New("the answer has a deployment without an id")
	case !strings.EqualFold(d.GetEnvironment(), e.Name):
		return one, false, fmt.Errorf("the answer is about the environment %q", short(d.GetEnvironment(), maxDescription))
	case d.GetTask() != task(e.Artifact):
		return one, false, fmt.Errorf("the answer is about the task %q", short(d.GetTask(), maxDescription))
	}
	one = deployment{readPayload(d.Payload), d.GetID(), d.GetCreatedAt().Time}
	if updated := d.GetUpdatedAt().Time; updated.After(one.touched) { // a status does that (octokit/webhooks, deployment_status)
		one.touched = updated
	}
	return one, one.Repository != e.Artifact || one.Digest == "", nil
}

// readPayload reads an object, which may come as text (google/go-github#1116). What is neither
// gives an empty payload.
func readPayload(raw json.RawMessage) (p payload) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	if json.Unmarshal(raw, &p) != nil {
		return payload{}
	}
	return p
}

// named is the deployment of a digest: of several, as two runs at once may make them, the oldest.
func named(ours []deployment, digest string) (one deployment, ok bool) {
	i := slices.IndexFunc(ours, func(d deployment) bool { return d.Digest == digest })
	if i < 0 {
		return one, false
	}
	return ours[i], true
}

// gone are the deployments of what an environment has no more, and those that are there twice;
// those that were touched last come first. Of them a run asks for the state of the first few: the
// others were made inactive when they were among these.
func gone(ours []deployment, has []Deployment) []deployment {
	rest := slices.DeleteFunc(slices.Clone(ours), func(d deployment) bool {
		first, _ := named(ours, d.Digest)
		return first.id == d.id && slices.ContainsFunc(has, func(h Deployment) bool { return h.Digest == d.Digest })
	})
	slices.SortFunc(rest, func(a, b deployment) int {
		return cmp.Or(b.touched.Compare(a.touched), cmp.Compare(b.id, a.id))
	})
	return rest
}

// laterThan counts what was touched after a deployment that is there. Where that is too much, as when
// one artifact after another fails while the cluster stays with an old one, the state of this one is
// written anew: else the run that finds it gone would not come to it.
func laterThan(one deployment, rest []deployment) (n int) {
	for _, other := range rest {
		if !other.touched.Before(one.touched) {
			n++
		}
	}
	return n
}

// newestStatus is the state of a deployment and the words for it; empty where none was written.
func (r *Repository) newestStatus(ctx context.Context, id int64) (state, description string, err error) {
	found, _, err := r.api.Repositories.ListDeploymentStatuses(ctx, r.owner, r.name, id, &github.ListOptions{PerPage: 1})
	switch {
	case err != nil:
	case found == nil:
		err = errors.New("the answer is no list")
	case len(found) == 0:
		return "", "", nil
	default:
		err = checkStatus(found[0], id)
	}
	if err != nil {
		return "", "", fmt.Errorf("reading the state of deployment %d of %s/%s: %w", id, r.owner, r.name, explain(err, writeDeployments))
	}
	return found[0].GetState(), found[0].GetDescription(), nil
}

// checkStatus refuses what is no status, or one of another deployment.
func checkStatus(s *github.DeploymentStatus, id int64) error {
	switch of := s.GetDeploymentURL(); {
	case s.GetID() == 0 || s.GetState() == "":
		return errors.New("the answer has a status without an id or a state")
	case of != "" && !strings.HasSuffix(of, fmt.Sprintf("/deployments/%d", id)):
		return errors.New("the answer is about another deployment")
	}
	return nil
}
