package oci

import (
	"context"
	"fmt"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
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
	as         string // for messages; holds no secret
}

// pick chooses by the design's table: the inputs; for ghcr.io the GitHub token;
// else Docker's configuration (DOCKER_CONFIG, or ~/.docker), which may know nothing
// of the host either: then anonymous.
func (c Credentials) pick(host string) (login, error) {
	switch {
	case c.Username != "":
		return static(host, c.Username, c.Password, fmt.Sprintf("as %q, from the inputs username and password", c.Username)), nil
	case host == GHCR && c.Token != "":
		actor := c.Actor
		if actor == "" {
			actor = "token" // ghcr.io looks at the token only
		}
		return static(host, actor, c.Token, "with the GitHub token"), nil
	}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return login{}, fmt.Errorf("reading Docker's credentials (DOCKER_CONFIG): %w", err)
	}
	return login{credentials.Credential(store), "with Docker's credentials (DOCKER_CONFIG), if it has any for this host"}, nil
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
	return login{auth.StaticCredential(host, auth.Credential{Username: username, Password: password}), as}
}
