// Package bench measures what a build, a promotion, the next version and packing cost: us, other people's tools in the
// pipeline that one would write with them, and Flux's client; and what a poll of a cluster costs. `make bench` runs it,
// docs/benchmarks.md has the results.
package bench

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// place holds what all measurements share: the programs, the trees.
var place string

// clients are what the test binary is under other names: Flux's client, as the CLI and as source-controller call it.
var clients = map[string]func(args []string) error{"flux": flux, Poller: sourceController}

func TestMain(m *testing.M) {
	name := filepath.Base(os.Args[0])
	if client, ok := clients[name]; ok {
		if err := client(os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	status, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(status)
}

// run builds the program as a release does, puts it and the clients first in PATH, and runs the tests.
func run(m *testing.M) (status int, err error) {
	if place, err = os.MkdirTemp("", "oci-promote-bench"); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(place)) }()
	bin := filepath.Join(place, "bin")
	err = os.Setenv("CGO_ENABLED", "0")
	if err == nil {
		err = programtest.Build(bin, "-trimpath", "-ldflags", "-s -w")
	}
	var self string
	if err == nil {
		self, err = os.Executable()
	}
	for name := range clients {
		if err == nil {
			err = os.Symlink(self, filepath.Join(bin, name))
		}
	}
	if err != nil {
		return 0, err
	}
	if flag.Lookup("test.bench").Value.String() != "" {
		describe()
	}
	return m.Run(), nil
}
