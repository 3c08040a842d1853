package registrytest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

const registryPackage = "cmd/registry"

// build gives the path of the registry's binary. It is compiled once for each version of its modules, its source
// and Go, and kept in the user's cache directory. Processes that build it at the same time do not disturb each other.
var build = sync.OnceValues(func() (string, error) {
	module, err := moduleDir()
	if err != nil {
		return "", err
	}
	binary, err := cachedBinary(module)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	partial := fmt.Sprintf("%s.%d", binary, os.Getpid())
	command := exec.Command("go", "build", "-C", module, "-o", partial, "./"+registryPackage)
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the registry: %w\n%s", err, output)
	}
	if err := os.Rename(partial, binary); err != nil {
		return "", err
	}
	return binary, nil
})

// moduleDir is the root of the module that holds the running test.
func moduleDir() (string, error) {
	output, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("looking for go.mod: %w", err)
	}
	file := strings.TrimSpace(string(output))
	if filepath.Base(file) != "go.mod" {
		return "", errors.New("looking for go.mod: the test does not run in a module")
	}
	return filepath.Dir(file), nil
}

func cachedBinary(module string) (string, error) {
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version())
	for _, name := range []string{"go.mod", "go.sum", filepath.Join(registryPackage, "main.go")} {
		data, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			return "", fmt.Errorf("reading what the registry is built from: %w", err)
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(data), data)
	}
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, fmt.Sprintf("registry-%x", hash.Sum(nil)[:8])), nil
}

// cacheDir is where binaries stay from one run of the tests to the next.
func cacheDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "oci-promote-test")
	return dir, os.MkdirAll(dir, 0o755)
}
