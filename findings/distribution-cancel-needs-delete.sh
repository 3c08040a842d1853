#!/usr/bin/env bash
# Guess:     to cancel an upload that one has opened oneself, the right that opened it is enough: pull and push.
# Behaviour: CNCF Distribution asks for the right `delete` on the repository, and for nothing else, since it goes by the
#            method alone. So a token of pull,push, which is all that clients ask for to push, does not do.
# Matters:   a publisher that tidies up after a failed push gets "unauthorized" from the tidying, and reports that instead of
#            what went wrong, or asks for delete in each token, which a job that pushes should not have. Leave an upload to
#            the registry, or take a refused cancellation for none.
# Seen:      POST: acme/app:pull acme/app:push, GET: acme/app:pull, PATCH: acme/app:pull acme/app:push, DELETE: acme/app:delete
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > go.mod <<'E'
module finding

go 1.26.0

require github.com/distribution/distribution/v3 v3.1.2
E
cat > main.go <<'E'
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/auth"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
)

// asked prints what the registry wants the caller to be allowed, and allows it.
type asked struct{}

func (asked) Authorized(r *http.Request, wanted ...auth.Access) (*auth.Grant, error) {
	fmt.Print(r.Method, ":")
	for _, w := range wanted {
		fmt.Print(" ", w.Name, ":", w.Action)
	}
	fmt.Println()
	return &auth.Grant{}, nil
}

func main() {
	if err := auth.Register("asked", func(map[string]any) (auth.AccessController, error) { return asked{}, nil }); err != nil {
		log.Fatal(err)
	}
	srv := httptest.NewServer(handlers.NewApp(context.Background(), &configuration.Configuration{
		Storage: configuration.Storage{"inmemory": {}, "delete": {"enabled": true}},
		Auth:    configuration.Auth{"asked": {}},
	}))
	at := srv.URL + "/v2/acme/app/blobs/uploads/"
	for _, method := range []string{"POST", "GET", "PATCH", "DELETE"} {
		req, _ := http.NewRequest(method, at, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		at = resp.Header.Get("Location")
	}
}
E
OTEL_TRACES_EXPORTER=none go run -mod=mod . 2> log > out || { cat log >&2; exit 1; }
cat out
diff out - <<'E'
POST: acme/app:pull acme/app:push
GET: acme/app:pull
PATCH: acme/app:pull acme/app:push
DELETE: acme/app:delete
E
echo "as described"
