package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// blobExists asks by HEAD. Only a 404 is a no, and not that of a web page. The registry may send us on to a storage, which
// may refuse a HEAD that it has not signed: that tells nothing, and is an error as any other refusal. The login stays with
// the registry (docs/facts.md 18).
func (r *Registry) blobExists(ctx context.Context, blob ocispec.Descriptor) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, r.address("/blobs/"+blob.Digest.String()).String(), http.NoBody)
	if err != nil {
		return false, err
	}
	resp, err := r.Client.Do(req)
	switch {
	case errors.Is(err, errUntold):
		return r.readable(ctx, blob)
	case err != nil:
		return false, r.explain(reading, err)
	}
	_ = resp.Body.Close() // of a HEAD it is empty
	page := strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html")
	named := resp.Header.Get("Docker-Content-Digest")
	switch {
	case page:
		return false, &Error{Status: resp.StatusCode, text: fmt.Sprintf("%d %s: %s", resp.StatusCode, http.StatusText(resp.StatusCode), webPage), hint: notARegistry}
	case resp.StatusCode == http.StatusNotFound:
		return false, nil
	case resp.StatusCode != http.StatusOK:
		return false, r.explain(reading, &errcode.ErrorResponse{Method: req.Method, URL: resp.Request.URL, StatusCode: resp.StatusCode})
	case named != "" && named != blob.Digest.String():
		return false, &Error{text: fmt.Sprintf("the answer is about %s", named), hint: notARegistry}
	case resp.ContentLength != blob.Size: // a web page has a size too
		return false, &Error{text: fmt.Sprintf("the answer is about %d bytes, and the blob has %d", resp.ContentLength, blob.Size), hint: notARegistry}
	}
	return true, nil
}
