package flux

import (
	"flag"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
)

var (
	run    = flag.Bool("flux", false, "run the tests that need a built Flux")
	record = flag.Bool("record", false, "write testdata/flux and the recorded events anew")
)

// TestMain builds the program only where a test will run it.
func TestMain(m *testing.M) {
	flag.Parse()
	if !*run && !*record {
		m.Run()
		return
	}
	programtest.Main(m)
}

// only skips a test that was not asked for.
func only(t *testing.T, asked bool) {
	t.Helper()
	if !asked {
		t.Skip("make flux and make flux-record run this")
	}
}
