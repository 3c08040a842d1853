package test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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

var (
	codeInGo     = regexp.MustCompile(`Code(?::| =) "([a-z-]+)"`)
	codeConstant = regexp.MustCompile(`(?m)^(?:const )?\s*\w+ +Code += "([a-z-]+)"`)
	codeInTable  = regexp.MustCompile("`([a-z]+(?:-[a-z]+)*)`")
)

const findingSource = "../internal/pipeline/finding.go"

// findingCodes are the codes of all findings that the source has.
func findingCodes(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	finding, err := os.ReadFile(findingSource)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range codeConstant.FindAllStringSubmatch(string(finding), -1) {
		known[m[1]] = true
	}
	files, err := filepath.Glob("../internal/cluster/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range codeInGo.FindAllStringSubmatch(string(source), -1) {
			known[m[1]] = true
		}
	}
	return known
}

// TestReadmeListsTheFindings holds the README's tables of codes to the code: each finding that there is, and no other.
func TestReadmeListsTheFindings(t *testing.T) {
	known := findingCodes(t)
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, watching, _ := strings.Cut(string(readme), "\n## Watching\n")
	watching, _, _ = strings.Cut(watching, "\n## ")
	listed := map[string]bool{}
	for line := range strings.Lines(watching) {
		if cell, ok := strings.CutPrefix(line, "| "); ok {
			cell, _, _ = strings.Cut(cell, " | ")
			for _, m := range codeInTable.FindAllStringSubmatch(cell, -1) {
				listed[m[1]] = true
			}
		}
	}
	for code := range known {
		if !listed[code] {
			t.Errorf("the README does not tell of %s", code)
		}
	}
	for code := range listed {
		if !known[code] {
			t.Errorf("the README tells of %s, which is no finding", code)
		}
	}
	t.Logf("%d codes", len(known))
}

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// TestReadmeShowsTheExamples holds what the README shows of an example to the file: each excerpt's lines are lines of one
// file of examples, in that order.
func TestReadmeShowsTheExamples(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var examples []string
	err = filepath.WalkDir("../examples", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".yaml" {
			var text []byte
			text, err = os.ReadFile(name)
			examples = append(examples, string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	excerpts := yamlBlock.FindAllStringSubmatch(string(readme), -1)
	if len(excerpts) == 0 {
		t.Fatal("the README shows no YAML")
	}
	for _, excerpt := range excerpts {
		if !slices.ContainsFunc(examples, func(text string) bool { return isExcerpt(excerpt[1], text) }) {
			t.Errorf("no file of examples has these lines in this order:\n%s", excerpt[1])
		}
	}
}

// isExcerpt reports whether the lines of part are lines of text, in their order.
func isExcerpt(part, text string) bool {
	lines := strings.Split(text, "\n")
	for line := range strings.Lines(part) {
		i := slices.Index(lines, strings.TrimSuffix(line, "\n"))
		if i < 0 {
			return false
		}
		lines = lines[i+1:]
	}
	return true
}
