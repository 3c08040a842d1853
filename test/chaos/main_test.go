// Package chaos runs the real program against a registry and a GitHub that fail in every way, and under load.
package chaos

import (
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }
