package registries

import (
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m) }
