package oci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// Options say how a registry is reached. The zero value is anonymous HTTPS without
// retries.
type Options struct {
	Credentials Credentials
	PlainHTTP   bool
	ReadOnly    bool                // ask for no right to push, and refuse to
	FirstBuild  bool                // believe a 403, 404 or 401 on the tag list: nothing was ever pushed
	Build       bool                // the run is one that may set FirstBuild
	Delete      bool                // the run may delete, and may take the right to where the registry asks for it
	Transport   http.RoundTripper   // with the run's retries; nil for NewTransport alone
	Secret      func(secret string) // told each that a login holds; may be nil
	UserAgent   string
}

// Registry is a repository on a registry. It is an oras target that lists tags.
type Registry struct {
	*remote.Repository
	ref    Reference
	login  login
	tokens *gate
	o      Options
	page   atomic.Int64 // how many tags to ask for at once; 0 for as many as the registry likes
	there  atomic.Bool  // the repository is: it listed tags, or took a manifest

	referrers atomic.Int32 // what is known of the referrers API: referrersUnknown or one of the others
}

// errReadOnly guards a dry run against our own mistakes.
var errReadOnly = errors.New("refusing to write in a dry run")

// maxPageBytes is how much of an answer is read before it is given on, and the most that is read of a manifest.
const maxPageBytes = 8 << 20

// OpenRegistry prepares a client. Nothing is sent yet.
func OpenRegistry(ref Reference, o Options) (*Registry, error) {
	repo, err := remote.NewRepository(ref.String())
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", ref, err)
	}
	l, err := o.Credentials.pick(ref)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", ref, err)
	}
	if o.Transport == nil {
		o.Transport = NewTransport()
	}
	rights := newRights(o)
	first := newGate()
	client := &auth.Client{
		Client:     &http.Client{Transport: normalizer{challenged{o.Transport, ref, rights}}},
		Credential: l.telling(o.Secret),
		Cache:      gatedCache{auth.NewCache(), first},
	}
	client.SetUserAgent(o.UserAgent)
	repo.Client = &telling{Client: oneToken{client, repo, rights, first}}
	repo.PlainHTTP = o.PlainHTTP
	repo.MaxMetadataBytes = maxPageBytes
	repo.SkipReferrersGC = true
	r := &Registry{Repository: repo, ref: ref, login: l, tokens: first, o: o}
	r.page.Store(tagPage)
	return r, nil
}

// oneToken asks for all rights of the run at the first challenge, so that one token
// serves the run: reading first and pushing later would cost a second one. Who asks for it is told of the upload that an
// answer begins.
type oneToken struct {
	*auth.Client
	repo   *remote.Repository
	rights *rights
	first  *gate
}

func (c oneToken) Do(req *http.Request) (*http.Response, error) {
	ctx := auth.AppendRepositoryScope(req.Context(), c.repo.Reference, c.rights.asked()...)
	resp, err := c.first.do(ctx, func() (*http.Response, error) { return c.Client.Do(req.WithContext(ctx)) })
	if s, ok := ctx.Value(sessionKey{}).(*session); ok && err == nil {
		s.note(req, resp)
	}
	if refused := (*errcode.ErrorResponse)(nil); errors.As(err, &refused) {
		err = tokenError{err} // what the registry itself answers is no error yet
	}
	return resp, err
}

// tokenError is a refusal of the service that was asked for a token, wherever that is.
type tokenError struct{ error }

func (e tokenError) Unwrap() error { return e.error }

// Tags lists all tags over all pages, each once. A repository that was never pushed to has none; that is believed only as
// nothingThereYet says. Anything else is an error.
func (r *Registry) Tags(ctx context.Context, last string, fn func(tags []string) error) error {
	l := newTagList()
	err := r.list(ctx, l, last, fn)
	var resp *errcode.ErrorResponse
	if errors.As(err, &resp) && l.pages == 0 && r.nothingThereYet(resp, errors.As(err, new(tokenError))) {
		return nil
	}
	if l.pages > 0 {
		r.there.Store(true)
	}
	return r.explain(listing, err)
}

// nothingThereYet reports whether an answer to the tag list, or to the question for a token for it, says that nothing was ever
// pushed: where the registry says so (NAME_UNKNOWN of the distribution spec, NOT_FOUND from Harbor), and with FirstBuild, as
// long as this run has not seen otherwise, also in other words: a 404, a 403 that is no limit, whoever says it, or a 401 with
// a token that the registry's own token service has just given.
func (r *Registry) nothingThereYet(resp *errcode.ErrorResponse, byTokenService bool) bool {
	believe := r.o.FirstBuild && !r.there.Load()
	switch resp.StatusCode {
	case http.StatusNotFound:
		return !byTokenService && (believe || hasCode(resp, errcode.ErrorCodeNameUnknown, nameUnknownHarbor))
	case http.StatusForbidden:
		return believe && !hasCode(resp, tooMany) // GHCR's token service says so too, of a package that is missing (docs/facts.md 13)
	case http.StatusUnauthorized:
		return believe && !byTokenService && r.tokens.given.Load()
	}
	return false
}

// nameUnknownHarbor is what Harbor says in place of NAME_UNKNOWN.
const nameUnknownHarbor = "NOT_FOUND"

func hasCode(resp *errcode.ErrorResponse, codes ...string) bool {
	return slices.ContainsFunc(resp.Errors, func(e errcode.Error) bool { return slices.Contains(codes, e.Code) })
}

// Resolve gives the descriptor that a tag or digest names, or errdef.ErrNotFound.
func (r *Registry) Resolve(ctx context.Context, reference string) (ocispec.Descriptor, error) {
	desc, err := r.Repository.Resolve(ctx, reference)
	return desc, r.explain(reading, err)
}

// Exists reports whether the registry has the content already. An answer that does not tell is an error.
func (r *Registry) Exists(ctx context.Context, target ocispec.Descriptor) (bool, error) {
	if target.MediaType == ocispec.MediaTypeImageManifest {
		ok, err := r.Repository.Exists(ctx, target)
		return ok, r.explain(reading, err)
	}
	return r.blobExists(ctx, target)
}

// readable reports whether a blob is there by reading it.
func (r *Registry) readable(ctx context.Context, target ocispec.Descriptor) (bool, error) {
	rc, err := r.Blobs().Fetch(ctx, target)
	if errors.Is(err, errdef.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, r.explain(reading, err)
	}
	defer func() { _ = rc.Close() }() // it was only read
	blob := content.NewVerifyReader(rc, target)
	if _, err := io.Copy(io.Discard, blob); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, r.explain(reading, err)
	}
	if err := blob.Verify(); err != nil {
		return false, otherContent(err)
	}
	return true, nil
}

// otherContent is the error of bytes that are not what their digest names.
func otherContent(err error) error {
	return &Error{text: "what came is not what its digest names: " + reason(err), hint: notARegistry, err: err}
}

// Fetch reads the content of a descriptor.
func (r *Registry) Fetch(ctx context.Context, target ocispec.Descriptor) (io.ReadCloser, error) {
	rc, err := r.Repository.Fetch(ctx, target)
	return rc, r.explain(reading, err)
}

// FetchReference resolves and reads in one request. What is not the content that its digest names is an error.
func (r *Registry) FetchReference(ctx context.Context, reference string) (ocispec.Descriptor, io.ReadCloser, error) {
	desc, rc, err := r.Repository.FetchReference(ctx, reference)
	if err != nil || desc.Size > maxPageBytes {
		return desc, rc, r.explain(reading, err)
	}
	blob, err := content.ReadAll(rc, desc)
	_ = rc.Close() // it was only read
	if err != nil {
		return ocispec.Descriptor{}, nil, otherContent(err)
	}
	return desc, io.NopCloser(bytes.NewReader(blob)), nil
}

// PushReference uploads a manifest under a tag in one request.
func (r *Registry) PushReference(ctx context.Context, expected ocispec.Descriptor, content io.Reader, reference string) error {
	if r.o.ReadOnly {
		return errReadOnly
	}
	return r.named(ctx, r.Repository.PushReference(ctx, expected, content, reference), expected.Digest, reference)
}

// Tag names a manifest that the registry has.
func (r *Registry) Tag(ctx context.Context, desc ocispec.Descriptor, reference string) error {
	if r.o.ReadOnly {
		return errReadOnly
	}
	return r.named(ctx, r.Repository.Tag(ctx, desc, reference), desc.Digest, reference)
}

// named is the error of a manifest's write under a tag that was answered with err.
func (r *Registry) named(ctx context.Context, err error, d digest.Digest, reference string) error {
	err = r.taken(ctx, err, r.names(reference, d))
	if err == nil {
		r.there.Store(true)
	}
	return r.explain(writing, err)
}

// Push uploads a blob or manifest. When content can seek, an upload that broke off is
// begun again: its session may be gone, or it may have arrived after all.
func (r *Registry) Push(ctx context.Context, expected ocispec.Descriptor, content io.Reader) error {
	if r.o.ReadOnly {
		return errReadOnly
	}
	seeker, ok := content.(io.ReadSeeker)
	if !ok {
		return r.explain(writing, r.taken(ctx, r.Repository.Push(ctx, expected, content), r.has(expected)))
	}
	again := &replay{content: seeker}
	defer again.end()
	return r.mend(ctx, expected, again, r.pushOnce(ctx, expected, again))
}

// mend begins an upload again that ended with err, if that may help.
func (r *Registry) mend(ctx context.Context, expected ocispec.Descriptor, content *replay, err error) error {
	const attempts = 3
	err = r.taken(ctx, err, r.has(expected))
	for attempt := 2; attempt <= attempts && brokenUpload(err) && ctx.Err() == nil; attempt++ {
		if ok, existsErr := r.Exists(ctx, expected); existsErr == nil && ok {
			return nil
		}
		err = r.taken(ctx, r.pushOnce(ctx, expected, content), r.has(expected))
	}
	return r.explain(writing, err)
}

func (r *Registry) pushOnce(ctx context.Context, expected ocispec.Descriptor, content *replay) error {
	body, err := content.body()
	if err != nil {
		return err
	}
	return r.Repository.Push(ctx, expected, body)
}

// brokenUpload reports whether a new upload may succeed where this one failed: the
// session is unknown (404), at another offset (416), or its token ran out (401).
func brokenUpload(err error) bool {
	var resp *errcode.ErrorResponse
	if !errors.As(err, &resp) {
		return false
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable:
		return resp.Method == http.MethodPut
	}
	return false
}
