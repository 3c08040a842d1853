package test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestReadmeShowsTheDemo keeps the demo in the README what it prints. With it the
// digests there are golden: packing testdata/platform in other bytes is a breaking change.
func TestReadmeShowsTheDemo(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "oci-promote", "demo")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```text\n"+string(out)+"```\n") {
		t.Errorf("the README does not show what the demo prints:\n%s", out)
	}
}
