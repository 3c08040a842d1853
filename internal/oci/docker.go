package oci

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

// docker is Docker's configuration, as far as it tells the login for one repository. What is wrong with it is told when a
// registry asks for a login: where none is needed, nothing is.
type docker struct {
	ref     Reference
	store   *credentials.DynamicStore
	missing bool     // DOCKER_CONFIG names no directory
	helper  string   // the program that has the login for the host; empty where the file has it
	keys    []string // of the file's logins that are for the repository, the narrowest first

	state atomic.Pointer[string] // how the registry is asked; nil before it wanted to know
}

// hub are the names of Docker Hub.
var hub = []string{"docker.io", "index.docker.io", "registry-1.docker.io"}

// openDocker reads the configuration in DOCKER_CONFIG, or ~/.docker. There need not be one.
func openDocker(ref Reference) (*docker, error) {
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, fmt.Errorf("reading Docker's credentials (DOCKER_CONFIG): %w", err)
	}
	d := &docker{ref: ref, store: store}
	dir := filepath.Dir(store.ConfigPath())
	if home, err := os.UserHomeDir(); err != nil || dir != filepath.Join(home, ".docker") {
		_, err := os.Stat(dir)
		d.missing = errors.Is(err, os.ErrNotExist)
	}
	file, err := os.Open(store.ConfigPath())
	if errors.Is(err, os.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Docker's credentials (DOCKER_CONFIG): %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	if err := d.read(file); err != nil {
		return nil, fmt.Errorf("reading Docker's credentials (DOCKER_CONFIG): %w", err)
	}
	return d, nil
}

// read learns who has the login.
func (d *docker) read(file io.Reader) error {
	var fields map[string]json.RawMessage
	if err := json.NewDecoder(file).Decode(&fields); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var (
		helpers map[string]string
		logins  map[string]json.RawMessage
	)
	for name, field := range map[string]any{"credsStore": &d.helper, "credHelpers": &helpers, "auths": &logins} {
		if text, ok := fields[name]; ok {
			if err := json.Unmarshal(text, field); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	d.helper = cmp.Or(helpers[d.server()], d.helper)
	for key := range logins {
		if _, fits := d.fits(key); fits {
			d.keys = append(d.keys, key)
		}
	}
	slices.SortFunc(d.keys, d.compare)
	return nil
}

// host is the registry's, as a request names it.
func (d *docker) host() string { return registry.Reference{Registry: d.ref.Host}.Host() }

// server is the registry's name in the configuration.
func (d *docker) server() string { return credentials.ServerAddressFromHostname(d.host()) }

// fits reports whether the key of a login is for the repository, and for what of its path: a login may be for all
// of a host, also as a URL, or for what is below a path.
func (d *docker) fits(key string) (path string, fits bool) {
	_, address, isURL := strings.Cut(strings.ToLower(key), "://")
	if !isURL {
		address = strings.ToLower(key)
	}
	host, path, _ := strings.Cut(strings.TrimRight(address, "/"), "/")
	if isURL && (path == "v1" || path == "v2") { // of the registry's API
		path = ""
	}
	same := host == d.host() || slices.Contains(hub, host) && slices.Contains(hub, d.host())
	return path, same && (path == "" || strings.HasPrefix(d.ref.Repository+"/", path+"/"))
}

// compare puts the key with the longer path first, then the one that Docker itself writes.
func (d *docker) compare(a, b string) int {
	length := func(key string) int {
		path, _ := d.fits(key)
		return len(path)
	}
	if n := cmp.Compare(length(b), length(a)); n != 0 || a == b {
		return n
	}
	switch d.server() {
	case a:
		return -1
	case b:
		return 1
	}
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// credential is the login for the registry, or none. It goes to no other host.
func (d *docker) credential(ctx context.Context, hostport string) (auth.Credential, error) {
	if hostport != d.host() {
		return auth.EmptyCredential, nil
	}
	if d.missing {
		return auth.EmptyCredential, d.wrong("is to be in %q, which does not exist", filepath.Dir(d.store.ConfigPath()))
	}
	c, from, err := d.find(ctx)
	if err != nil {
		return auth.EmptyCredential, err
	}
	as := ""
	switch {
	case c == auth.EmptyCredential:
	case c.RefreshToken != "" || c.AccessToken != "":
		as = "with the token of Docker's configuration (DOCKER_CONFIG)"
	case c.Username == "":
		return auth.EmptyCredential, d.wrong("has a password without a user name in %s", from)
	case c.Password == "":
		return auth.EmptyCredential, d.wrong("has a user name without a password in %s", from)
	default:
		as = fmt.Sprintf("as %q, from Docker's configuration (DOCKER_CONFIG)", c.Username)
	}
	d.state.Store(&as)
	return c, nil
}

// find gives the login, and where it is.
func (d *docker) find(ctx context.Context) (c auth.Credential, from string, err error) {
	if d.helper != "" {
		name := fmt.Sprintf("%q", "docker-credential-"+d.helper)
		c, err = d.store.Get(ctx, d.server())
		switch {
		case errors.Is(err, exec.ErrNotFound):
			err = d.wrong("leaves the login to the program %s, which is not installed here", name)
		case ctx.Err() != nil:
			err = ctx.Err()
		case err != nil:
			err = d.wrong("leaves the login to the program %s, which fails: %.200q", name, err.Error())
		}
		return c, "what " + name + " gives", err
	}
	for _, key := range d.keys {
		from = fmt.Sprintf("its entry %q", key)
		if c, err = d.store.Get(ctx, key); err != nil { // which may quote what is a secret
			return c, from, d.wrong(`has no login in %s, but something else: expected "auth" with USER:PASSWORD in base64`, from)
		}
		if c != auth.EmptyCredential {
			return c, from, nil
		}
	}
	return auth.EmptyCredential, "", nil
}

// wrong is the error of a login that is needed, and cannot be had of the configuration.
func (d *docker) wrong(format string, args ...any) error {
	return &Error{
		Status: http.StatusUnauthorized,
		text:   "401: " + fmt.Sprintf("a login is needed, and Docker's configuration (DOCKER_CONFIG) %s", fmt.Sprintf(format, args...)),
		hint:   "set username and password, or mend the configuration; the container of an action must see its directory",
	}
}

// as is how the registry was asked; empty for without a login.
func (d *docker) as() string {
	if as := d.state.Load(); as != nil {
		return *as
	}
	return ""
}
