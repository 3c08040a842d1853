package oci

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// Error is a registry's refusal, or its silence. Hint says what to do about it.
type Error struct {
	Status int    // HTTP status; 0 when there was no answer
	Code   string // of the distribution spec, such as NAME_UNKNOWN; may be empty
	text   string
	hint   string
	err    error
}

// Error is one line: what came back.
func (e *Error) Error() string { return e.text }

// Hint is one line: what to do.
func (e *Error) Hint() string { return e.hint }

// Unwrap gives the error of the library below.
func (e *Error) Unwrap() error { return e.err }

// TagImmutable reports that the registry says that it keeps this tag where it is (docs/facts.md 17):
// "immutable" on ECR and Harbor, "immutability" on Google's. For a tag that was free a moment
// ago that is a lost race.
func (e *Error) TagImmutable() bool {
	return e.Refused() && strings.Contains(strings.ToLower(e.text), "immutab")
}

// Refused reports that the registry understood the request and will not do it.
func (e *Error) Refused() bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return e.Status >= 400 && e.Status < 500 && e.Code != tooMany
}

// BlobUnknown reports that a manifest names a blob that the registry does not have.
func (e *Error) BlobUnknown() bool {
	return e.Code == errcode.ErrorCodeManifestBlobUnknown || e.Code == errcode.ErrorCodeBlobUnknown
}

// operation is what a request was for, as far as a hint depends on it.
type operation int

const (
	listing operation = iota
	reading
	writing
	deleting
)

// explain turns an error of oras-go into one for people. Not-found stays
// errdef.ErrNotFound, on which callers decide.
func (r *Registry) explain(op operation, err error) error {
	var known *Error
	var u *url.Error
	if errors.As(err, &u) && errors.As(u.Err, &known) {
		return known // of a transport of ours
	}
	switch {
	case err == nil, errors.Is(err, errdef.ErrNotFound):
		return err
	case errors.As(err, &known):
		return known
	}
	var resp *errcode.ErrorResponse
	if errors.As(err, &resp) {
		e := &Error{Status: resp.StatusCode, err: err, text: responseText(resp)}
		if len(resp.Errors) > 0 {
			e.Code = resp.Errors[0].Code
		}
		token := errors.As(err, new(tokenError))
		e.hint = r.hint(op, e, token)
		switch {
		case token:
			e.text += " (asking " + resp.URL.Host + " for a token)"
		case !strings.EqualFold(resp.URL.Host, r.Reference.Host()):
			e.text += " (from " + resp.URL.Host + ", to which the registry sends us)"
			e.hint = "no login goes there; see that server's own log, or what the registry is set up to redirect to"
		}
		return e
	}
	return &Error{text: reason(err), hint: r.networkHint(err), err: err}
}

func responseText(resp *errcode.ErrorResponse) string {
	words := inWords(resp.Errors)
	if len(resp.Errors) == 1 && resp.Errors[0].Code == notAnAnswer {
		return "200, but " + resp.Errors[0].Message // the status of the answer itself
	}
	if words == "" {
		words = http.StatusText(resp.StatusCode)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, words)
}

// inWords is what a registry says went wrong, without the details, which are any JSON.
func inWords(errs errcode.Errors) string {
	var said []string
	for _, e := range errs {
		said = append(said, strings.TrimPrefix(strings.ToLower(strings.ReplaceAll(e.Code, "_", " "))+": "+e.Message, ": "))
	}
	return strings.Join(said, "; ")
}

// reason is the innermost sentence of a network error, without the URL around it.
func reason(err error) string {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}

func (r *Registry) hint(op operation, e *Error, token bool) string {
	if op == deleting && !token {
		if hint := r.deleteHint(e); hint != "" {
			return hint
		}
	}
	switch {
	case e.Code == notAnAnswer:
		return notARegistry
	case e.Code == tooMany, e.Status == http.StatusTooManyRequests, e.Status >= 500:
		return "the registry is busy or broken, and retry-for leaves no time to try again; run again later, nothing has to be undone"
	case e.Status == http.StatusUnauthorized && r.login.as() == "" && r.ref.Host != GHCR:
		return loginNeeded + "; " + giveLogin
	case e.Status == http.StatusUnauthorized && token:
		return r.asked() + checkLogin
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return r.accessHint(op, e.Status)
	case e.Status == http.StatusNotFound && op == listing && !r.there.Load():
		return "this is not a registry's way to say that the repository is new, so it is not taken for that; check the host and the path of the repository" + r.firstHint()
	case e.Status == http.StatusNotFound && op == writing && (e.Code == errcode.ErrorCodeNameUnknown || e.Code == nameUnknownHarbor):
		return r.createHint()
	case r.o.PlainHTTP && op != writing && e.Code == "" && (e.Status == http.StatusBadRequest || e.Status == http.StatusUpgradeRequired):
		return "the registry may speak HTTPS only; leave plain-http false"
	case e.Status == http.StatusBadRequest && e.Code != "":
		return "the registry understood the request and refuses it; its own words say why"
	case e.Status == http.StatusRequestEntityTooLarge:
		return "the layer is larger than the registry takes; pack a smaller directory or ignore large files"
	}
	return notARegistry
}

const checkLogin = "; check the user name and that the password or token is valid and not expired"

const notARegistry = "this is not how a registry answers; check the host and the path of the repository, and what stands in between"

// accessHint names the permission or the package link that is missing (docs/facts.md 14).
func (r *Registry) accessHint(op operation, status int) string {
	who := r.asked()
	if op == listing && !r.there.Load() {
		who = "is the name " + r.ref.String() + " right? " + who
	}
	if r.ref.Host != GHCR {
		if status == http.StatusUnauthorized && !r.tokens.given.Load() { // nobody took the login yet
			who += checkLogin
		}
		need := map[operation]string{listing: "read", reading: "read", writing: "push to", deleting: "delete in"}
		hint := fmt.Sprintf("%s; whoever asks must be allowed to %s %s", who, need[op], r.ref)
		if r.o.Credentials.Username == "" {
			hint += "; set username and password"
		}
		if op == listing && (status == http.StatusForbidden || r.tokens.given.Load()) {
			hint += r.firstHint()
		}
		return hint
	}
	need := "packages: read"
	if op == writing || op == deleting {
		need = "packages: write"
	}
	return fmt.Sprintf("%s; the job needs `permissions: %s`, and an existing package must be linked to this repository"+
		" (package settings, Manage Actions access, role Write)", who, need)
}

// firstHint goes on with what to do where an answer to the tag list may mean that nothing was ever pushed.
func (r *Registry) firstHint() string {
	if !r.o.Build || r.there.Load() {
		return ""
	}
	return "; if nothing was ever pushed there and this registry answers so for that, set first-build: true for one run"
}

// The hosts of Amazon ECR, with their region (docs/facts.md 13).
var ecr = regexp.MustCompile(`^\d{12}\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$`)

// createHint is for a registry that makes no repository by a push.
func (r *Registry) createHint() string {
	const first = "the repository is not there, and this registry does not make it by a push: create it first"
	if region := ecr.FindStringSubmatch(r.ref.Host); region != nil {
		return fmt.Sprintf("%s, with: aws ecr create-repository --region %s --repository-name %s", first, region[1], r.ref.Repository)
	}
	if _, name, ok := strings.Cut(r.ref.Repository, "/"); ok && r.ref.Host == "public.ecr.aws" {
		return fmt.Sprintf("%s, with: aws ecr-public create-repository --region us-east-1 --repository-name %s", first, name)
	}
	return first + " (in Harbor its project, on Google Artifact Registry its repository), or check the path of the repository"
}

// asked says as whom the registry was asked.
func (r *Registry) asked() string {
	as := r.login.as()
	if as == "" {
		as = "without a login: none was given, or taken from Docker's configuration (DOCKER_CONFIG)"
	}
	return "the registry was asked " + as
}

func (r *Registry) networkHint(err error) string {
	var (
		dns     *net.DNSError
		network net.Error
		cert    *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "the run was interrupted; the next one of the same commit completes it"
	case errors.As(err, &cert):
		return "the registry's certificate is not trusted here; check the host, or add its authority to the system's certificates (SSL_CERT_FILE)"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the registry speaks plain HTTP; set plain-http: true if it is a local one"
	case errors.As(err, &dns):
		return "check the host name of the repository"
	case errors.Is(err, errdef.ErrTooManyPages), errors.Is(err, errdef.ErrSizeExceedsLimit):
		return "the registry's tag list has no end that can be trusted; is this the right repository, and has it tags that nobody needs?"
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Sprintf("check that %s is up and reachable from here", r.ref.Host)
	}
	return notARegistry
}
