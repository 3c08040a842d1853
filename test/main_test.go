// Package test runs the scripts of ../testdata/script against the real binary, as a process, and a real registry.
package test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const command = "cmd/oci-promote" // under the root of the repository

func TestMain(m *testing.M) {
	flag.Parse()
	status, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(status)
}

// run builds the program that the tests are about, puts it first in PATH, and runs them.
func run(m *testing.M) (status int, err error) {
	if _, err := os.Stat(filepath.Join("..", command)); errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s does not exist yet: there is nothing to test", command)
	}
	bin, err := os.MkdirTemp("", "oci-promote-bin")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bin)) }()
	build := exec.Command("go", "build", "-C", "..", "-o", filepath.Join(bin, "oci-promote"), "./"+command)
	if output, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building %s: %w\n%s", command, err, output)
	}
	if err := os.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		return 0, err
	}
	return m.Run(), nil
}
