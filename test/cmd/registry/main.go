// Command registry is CNCF Distribution with only what these tests need: storage on disk or in memory, and
// token or htpasswd authentication. Without the cloud drivers it compiles in a fraction of the time.
package main

import (
	"io"
	"os"

	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/auth/token"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
)

func main() {
	if os.Getenv("EXIT_WITH_STDIN") != "" {
		go exitWithStdin()
	}
	if err := registry.RootCmd.Execute(); err != nil {
		os.Exit(1)
	}
}

// exitWithStdin ends the process when its standard input does: a test that was killed leaves no registry behind.
func exitWithStdin() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}
