package registrytest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	debianPackage = "docker-registry"
	debianVersion = "2.8."
	debianTimeout = 2 * time.Minute // for a machine with a slow mirror; mostly a second
)

// Debian gives the path of Debian's docker-registry 2.8, or says why it cannot be had: the one that is installed, or else
// the package's, which is downloaded once and unpacked into the user's cache directory. Nothing is installed, and nobody
// needs to be root.
var Debian = sync.OnceValues(func() (string, error) {
	binary := "/usr/bin/" + debianPackage
	if _, err := os.Stat(binary); err != nil {
		if binary, err = cachedDebian(); err != nil {
			return "", fmt.Errorf("%s is not installed, and its package cannot be had: %w", debianPackage, err)
		}
	}
	said, err := exec.Command(binary, "--version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s does not run: %w\n%s", binary, err, said)
	}
	if version := strings.TrimSpace(string(said)); !strings.Contains(version, " "+debianVersion) {
		return "", fmt.Errorf("%s is %q, and these tests are about %sx", binary, version, debianVersion)
	}
	return binary, nil
})

// cachedDebian is the unpacked binary. Processes that fetch it at the same time do not disturb each other.
func cachedDebian() (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(cache, debianPackage+"-debian")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	work, err := os.MkdirTemp(cache, "debian")
	if err != nil {
		return "", err
	}
	unpacked, err := unpackDebian(work)
	if err == nil {
		err = os.Rename(unpacked, binary)
	}
	return binary, errors.Join(err, os.RemoveAll(work))
}

// unpackDebian downloads the package into the directory work and unpacks it there.
func unpackDebian(work string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), debianTimeout)
	defer cancel()
	run := func(name string, args ...string) error {
		command := exec.CommandContext(ctx, name, args...)
		command.Dir = work
		output, err := command.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, output)
		}
		return nil
	}
	if err := downloadDebian(work, run); err != nil {
		return "", err
	}
	packages, err := filepath.Glob(filepath.Join(work, debianPackage+"_*.deb"))
	if err == nil && len(packages) != 1 {
		err = fmt.Errorf("apt-get left %q, expected one package %s", packages, debianPackage)
	}
	if err == nil {
		err = run("dpkg", "-x", packages[0], "x")
	}
	return filepath.Join(work, "x", "usr", "bin", debianPackage), err
}

// downloadDebian downloads the package. A machine whose own lists of packages do not have it, or are gone as in many
// images, gets lists in work for this once.
func downloadDebian(work string, run func(name string, args ...string) error) error {
	patience := []string{"-q", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20"}
	if run("apt-get", slices.Concat(patience, []string{"download", debianPackage})...) == nil {
		return nil
	}
	lists, cache := filepath.Join(work, "lists"), filepath.Join(work, "cache")
	for _, dir := range []string{filepath.Join(lists, "partial"), filepath.Join(cache, "archives", "partial")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	own := slices.Concat(patience, []string{"-o", "Dir::State::lists=" + lists, "-o", "Dir::Cache=" + cache})
	if err := run("apt-get", slices.Concat(own, []string{"update"})...); err != nil {
		return err
	}
	return run("apt-get", slices.Concat(own, []string{"download", debianPackage})...)
}
