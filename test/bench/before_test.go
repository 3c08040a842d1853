package bench

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// beforeCommit is the last one whose candidates were numbered by the highest number plus one, before they were by the
// commit's height.
const beforeCommit = "586efd47f2f8a710937cdf22c1d9ece1ae7a864a"

// linkBefore puts the program of beforeCommit into PATH as oci-promote-before. It is false in a clone that does not have that
// commit.
var linkBefore = sync.OnceValues(func() (bool, error) {
	root, err := programtest.Root()
	if err != nil {
		return false, err
	}
	if exec.Command("git", "-C", root, "cat-file", "-e", beforeCommit+"^{commit}").Run() != nil {
		fmt.Fprintf(os.Stderr, "%s: this clone does not have commit %s (git fetch --unshallow)\n", Before, beforeCommit)
		return false, nil
	}
	binary, err := cachedBefore(root)
	if err != nil {
		return false, fmt.Errorf("building the program of %s: %w", beforeCommit, err)
	}
	return true, os.Symlink(binary, filepath.Join(place, "bin", "oci-promote-before"))
})

// cachedBefore gives the program of beforeCommit as a release builds it, and keeps it in the user's cache directory.
func cachedBefore(root string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	binary := filepath.Join(cache, "oci-promote-test", fmt.Sprintf("oci-promote-%.12s-%s", beforeCommit, runtime.Version()))
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	source := filepath.Join(place, "before")
	partial := fmt.Sprintf("%s.%d", binary, os.Getpid())
	build := exec.Command("bash", "-euo", "pipefail", "-c", `mkdir -p "$2" "${4%/*}"
git -C "$1" archive "$3" | tar -x -C "$2"
go build -C "$2" -trimpath -ldflags "-s -w" -o "$4" ./cmd/oci-promote`, "build", root, source, beforeCommit, partial)
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, output)
	}
	return binary, errors.Join(os.Rename(partial, binary), os.RemoveAll(source))
}
