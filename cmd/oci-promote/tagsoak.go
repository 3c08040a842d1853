package main

import (
	"errors"
	"time"

	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/trigger"
)

// soak is the one that holds for this run. A person who names an artifact in a workflow's form does
// not wait for it, unless the form asks for a soak too; on the command line the flag does.
func (c *command) soak(given time.Duration, asked artifactAsked, s session) (time.Duration, error) {
	if given == 0 || s.byHand || asked == (artifactAsked{}) || c.getenv("GITHUB_EVENT_NAME") != trigger.FormEvent {
		return given, nil
	}
	payload, err := c.event()
	if err != nil {
		return 0, err
	}
	filled, err := trigger.FormGives(payload, "soak")
	if err != nil || !filled {
		return 0, err
	}
	return given, nil
}

// canSoak refuses a soak of which nobody can be asked.
func canSoak(gate trigger.Gate, api *github.Repository) error {
	switch {
	case api == nil:
		return &hinted{errors.New("soak: it counts from GitHub's commit statuses, and there is no token or no GITHUB_REPOSITORY"),
			"set token (by hand: GITHUB_TOKEN and GITHUB_REPOSITORY), or leave soak at 0s"}
	case !isNamed(gate):
		return &hinted{errors.New("soak: it is not known whose health counts; kustomization is not set"),
			"set the input kustomization to the name of the Flux Kustomization that applies the artifact on integration"}
	}
	return nil
}
