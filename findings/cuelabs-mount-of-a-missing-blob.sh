#!/usr/bin/env bash
# Guess:     mounting a blob that the other repository does not have costs nothing: the registry opens an upload (202)
#            instead, as the distribution specification asks for, and oras-go's Mount then pushes what its callback gives.
# Behaviour: cuelabs' registry answers 404, of the *source*. oras-go takes that for the end: its callback is never called and
#            nothing is pushed, though the caller had the content at hand.
# Matters:   promoting from a repository of candidates into one of releases, with a mount as a mere shortcut, fails as a
#            whole once the candidates' repository was pruned; the error names a missing blob or repository, which reads as
#            "the release repository does not exist". Fall back on a 404 too.
# Seen:      no repository: response status code 404: name unknown: …; callback used: false
#            no blob: response status code 404: blob unknown: …; callback used: false
#            blob there: mounted; callback used: false
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > go.mod <<'E'
module finding

go 1.26.0

require (
	cuelabs.dev/go/oci/ociregistry v0.0.0-20251212221603-3adeb8663819
	oras.land/oras-go/v2 v2.7.0
)
E
cat > main.go <<'E'
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"strings"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"
)

func main() {
	ctx := context.Background()
	srv := httptest.NewServer(ociserver.New(ocimem.New(), nil))
	defer srv.Close()
	open := func(name string) *remote.Repository {
		repo, err := remote.NewRepository(srv.Listener.Addr().String() + "/" + name)
		must(err)
		repo.PlainHTTP = true
		return repo
	}
	candidates, releases := open("acme/candidates"), open("acme/releases")
	layer := content.NewDescriptorFromBytes("application/octet-stream", []byte("layer"))
	try := func(state string) {
		used := false
		err := releases.Mount(ctx, layer, "acme/candidates", func() (io.ReadCloser, error) {
			used = true
			return io.NopCloser(strings.NewReader("layer")), nil
		})
		said := "mounted"
		if err != nil { // METHOD "URL": what it is
			said = err.Error()[strings.LastIndex(err.Error(), "\": ")+3:]
		}
		fmt.Printf("%s: %s; callback used: %v\n", state, said, used)
	}
	try("no repository")
	other := content.NewDescriptorFromBytes("application/octet-stream", []byte("other"))
	must(candidates.Push(ctx, other, strings.NewReader("other")))
	try("no blob")
	must(candidates.Push(ctx, layer, strings.NewReader("layer")))
	try("blob there")
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
E
go run -mod=mod . | tee out
diff out - <<'E'
no repository: response status code 404: name unknown: repository name not known to registry; callback used: false
no blob: response status code 404: blob unknown: blob unknown to registry; callback used: false
blob there: mounted; callback used: false
E
echo "as described"
