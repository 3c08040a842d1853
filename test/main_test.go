// Package test runs the scripts of ../testdata/script against the real binary, as a process, and a real registry.
package test

import (
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }
