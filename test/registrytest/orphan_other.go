//go:build !linux

package registrytest

import "os/exec"

// EndWithUs does nothing: only ours, which watches its standard input, ends with a test that was killed.
func EndWithUs(*exec.Cmd) {}
