package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/registry/remote"
)

// telling is a client whose answers about manifests have all that oras-go wants to see. The specification lets a registry
// leave out what makes a HEAD worth asking, and a length (docs/facts.md 30): then the manifest is read, with GET, and what its
// answer lacks is taken from its bytes.
type telling struct {
	remote.Client
	mute atomic.Bool // HEAD does not tell, and GET does
}

// errUntold is the answer to a HEAD of a blob that does not tell whether the blob is there.
var errUntold = errors.New("the registry does not tell with HEAD whether it has a blob")

const digestHeader = "Docker-Content-Digest"

// maxManifest bounds a manifest that is read. The specification has registries take 4 MiB.
const maxManifest = maxPageBytes

// Do sends a request. That of a blob may fail with errUntold.
func (c *telling) Do(req *http.Request) (*http.Response, error) {
	dir, reference := path.Split(req.URL.Path)
	what := path.Base(dir)
	switch {
	case what == "manifests" && req.Method == http.MethodHead && !c.mute.Load():
		return c.head(req, reference)
	case what == "manifests" && (req.Method == http.MethodGet || req.Method == http.MethodHead):
		return c.get(req, reference)
	}
	resp, err := c.Client.Do(req)
	if err == nil && what == "blobs" && req.Method == http.MethodHead && (unknownMethod(resp) || resp.StatusCode == http.StatusOK && resp.ContentLength <= 0) {
		_ = resp.Body.Close()
		return nil, errUntold
	}
	return resp, err
}

// head asks with HEAD, and with GET where that does not tell. From then on GET is asked at once.
func (c *telling) head(req *http.Request, reference string) (*http.Response, error) {
	resp, err := c.Client.Do(req)
	if err != nil || !unknownMethod(resp) && (resp.StatusCode != http.StatusOK || tells(resp, reference)) {
		return resp, err
	}
	_ = resp.Body.Close()
	resp, err = c.get(req, reference)
	if err == nil && resp.StatusCode == http.StatusOK {
		c.mute.Store(true)
	}
	return resp, err
}

// get asks with GET, whatever the method of req.
func (c *telling) get(req *http.Request, reference string) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Method = http.MethodGet
	resp, err := c.Client.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	if err := complete(resp, reference); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// unknownMethod reports whether a server does not know or allow the method.
func unknownMethod(resp *http.Response) bool {
	return resp.StatusCode == http.StatusMethodNotAllowed || resp.StatusCode == http.StatusNotImplemented
}

// tells reports whether the answer to a HEAD says which manifest is there. No manifest is empty.
func tells(resp *http.Response, reference string) bool {
	_, noType := mediaType(resp)
	_, noDigest := digest.Parse(resp.Header.Get(digestHeader))
	_, byTag := digest.Parse(reference)
	return noType == nil && (noDigest == nil || byTag == nil) && resp.ContentLength > 0
}

func mediaType(resp *http.Response) (string, error) {
	t, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return t, err
}

// complete adds what the answer to a GET of a manifest lacks. A type that is no manifest's, such as net/http guesses for
// a server that names none, is as good as none.
func complete(resp *http.Response, reference string) error {
	given, noType := mediaType(resp)
	typed := strings.HasPrefix(given, "application/vnd.")
	named := resp.Header.Get(digestHeader) != ""
	if typed && named && resp.ContentLength >= 0 {
		return nil
	}
	manifest, err := beginning(resp, maxManifest+1)
	if err != nil {
		return fmt.Errorf("reading a manifest: %w", err)
	}
	if len(manifest) > maxManifest {
		return &Error{text: fmt.Sprintf("the manifest has more than %d MiB", maxManifest>>20), hint: notARegistry}
	}
	if resp.ContentLength < 0 {
		resp.ContentLength = int64(len(manifest))
		resp.Header.Set("Content-Length", strconv.Itoa(len(manifest)))
	}
	if !named {
		algorithm := digest.Canonical
		if d, err := digest.Parse(reference); err == nil {
			algorithm = d.Algorithm()
		}
		resp.Header.Set(digestHeader, algorithm.FromBytes(manifest).String())
	}
	var says struct {
		MediaType string `json:"mediaType"`
	}
	if !typed && json.Unmarshal(manifest, &says) == nil && says.MediaType != "" {
		resp.Header.Set("Content-Type", says.MediaType)
	} else if noType != nil {
		return &Error{text: "200, but neither the answer nor what it holds says that it is a manifest (Content-Type, mediaType)", hint: notARegistry}
	}
	return nil
}
