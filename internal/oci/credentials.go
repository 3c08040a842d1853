package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// GHCR is the one registry that the GitHub token is for.
const GHCR = "ghcr.io"

// Credentials are what the run was given. Which of them a registry gets to see is
// decided by its host alone.
type Credentials struct {
	Username, Password string // for the repository's host, whichever it is
	Actor, Token       string // of the GitHub job: for ghcr.io only
}

// login is how the run presents itself to the registry.
type login struct {
	credential auth.CredentialFunc
	as         func() string // for messages; holds no secret, and is empty where nobody logs in
}

// pick chooses by the design's table: the inputs; for ghcr.io the GitHub token;
// else Docker's configuration (DOCKER_CONFIG, or ~/.docker), which may know nothing
// of the host either: then anonymous.
func (c Credentials) pick(ref Reference) (login, error) {
	switch {
	case c.Username != "":
		return static(ref.Host, c.Username, c.Password, fmt.Sprintf("as %q, from the inputs username and password", c.Username)), nil
	case ref.Host == GHCR && c.Token != "":
		actor := c.Actor
		if actor == "" {
			actor = "token" // ghcr.io looks at the token only
		}
		return static(ref.Host, actor, c.Token, "with the GitHub token"), nil
	}
	d, err := openDocker(ref)
	if err != nil {
		return login{}, err
	}
	return login{d.credential, d.as}, nil
}

// telling is the login's credential, which tells its secrets before they go anywhere.
func (l login) telling(secret func(string)) auth.CredentialFunc {
	return func(ctx context.Context, hostport string) (auth.Credential, error) {
		c, err := l.credential(ctx, hostport)
		if secret != nil {
			for _, s := range []string{c.Password, c.RefreshToken, c.AccessToken} {
				secret(s)
			}
		}
		return c, err
	}
}

func static(host, username, password, as string) login {
	return login{auth.StaticCredential(host, auth.Credential{Username: username, Password: password}), func() string { return as }}
}

// What is said where a registry wants a login, and the run has none.
const (
	loginNeeded = "a login is needed, none was given"
	giveLogin   = "set username and password, or DOCKER_CONFIG to the directory of a Docker configuration that has a login for this registry"
)

// noBasic is the error of a login that Basic wants and that the run has not: none at all, or only a token.
func noBasic(err error) error {
	var known *Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return &Error{Status: http.StatusUnauthorized, text: "401: " + loginNeeded, hint: giveLogin, err: err}
	}
	return &Error{Status: http.StatusUnauthorized, text: "401: the registry wants a user name and a password (Basic), and the login is none: " + reason(err), hint: giveLogin, err: err}
}
