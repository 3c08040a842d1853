#!/usr/bin/env bash
# Guess:     a tag list that is asked to begin after its last tag (last=) is empty, as the protocol orders the tags and
#            wants only those that follow.
# Behaviour: go-containerregistry's registry (also what `crane registry serve` runs) starts at the beginning again: no tag
#            is greater, so it drops nothing and answers with every tag. Between two tags it does as it should.
# Matters:   a promoter that remembers the newest tag it has seen and asks for what came since, as oras-go's Tags and
#            `regctl tag ls --last` allow, gets all the old candidates as new ones in tests against this registry.
#            No empty answer ever says that there is nothing new: compare the tags yourself.
# Seen:      after "0.0.1": [0.0.2 0.0.3]
#            after "0.0.2": [0.0.3]
#            after "0.0.3": [0.0.1 0.0.2 0.0.3]
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > go.mod <<'E'
module finding

go 1.26.0

require (
	github.com/google/go-containerregistry v0.22.1
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

	"github.com/google/go-containerregistry/pkg/registry"
	oras "oras.land/oras-go/v2"
	"oras.land/oras-go/v2/registry/remote"
)

func main() {
	ctx := context.Background()
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer srv.Close()
	repo, err := remote.NewRepository(srv.Listener.Addr().String() + "/acme/app")
	must(err)
	repo.PlainHTTP = true
	d, err := oras.PackManifest(ctx, repo, oras.PackManifestVersion1_1, "application/vnd.acme.app", oras.PackManifestOptions{})
	must(err)
	for _, tag := range []string{"0.0.1", "0.0.2", "0.0.3"} {
		must(repo.Tag(ctx, d, tag))
	}
	for _, last := range []string{"0.0.1", "0.0.2", "0.0.3"} {
		must(repo.Tags(ctx, last, func(tags []string) error {
			fmt.Printf("after %q: %v\n", last, tags)
			return nil
		}))
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
E
go run -mod=mod . | tee out
diff out - <<'E'
after "0.0.1": [0.0.2 0.0.3]
after "0.0.2": [0.0.3]
after "0.0.3": [0.0.1 0.0.2 0.0.3]
E
echo "as described"
