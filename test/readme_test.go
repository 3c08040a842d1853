package test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReadmeShowsTheDemo keeps what the README shows of the demo what it prints, where a line "…" stands for any lines. With it the
// digests there are golden: packing testdata/platform in other bytes is a breaking change.
func TestReadmeShowsTheDemo(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "oci-promote", "demo")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, b := range readPage(t, "README.md").blocks {
		if b.lang != "text" {
			continue
		}
		shown += strings.Count(b.body, "sha256:")
		if !matches(b.body, string(out)) {
			t.Errorf("the README does not show what the demo prints, which is\n%s", out)
		}
	}
	if shown < 2 {
		t.Errorf("the README shows %d digests of the demo", shown)
	}
}

// TestReadmeKnowsTheOutputs: what the README and the examples take from a step of ours is an output of it.
func TestReadmeKnowsTheOutputs(t *testing.T) {
	taken := regexp.MustCompile(`steps\.(?:build|promote|verify|prune)\.outputs\.([\w-]+)`)
	files, err := filepath.Glob("../examples/workflows/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(files, "../README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := taken.FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 && name == "../README.md" {
			t.Error("the README takes no output")
		}
		for _, m := range found {
			if !slices.Contains(outputNames(), m[1]) {
				t.Errorf("%s: %s is no output", name, m[0])
			}
		}
	}
}

// TestReadmeTellsOfReleases: the README says that there is no release until the changelog has one.
func TestReadmeTellsOfReleases(t *testing.T) {
	changelog, readme := readPage(t, "CHANGELOG.md"), readPage(t, "README.md")
	released := regexp.MustCompile(`(?m)^## \[\d+\.\d+\.\d+\]`).MatchString(changelog.text)
	if says := strings.Contains(readme.text, "There is no release yet"); says == released {
		t.Errorf("the changelog has a release: %v; the README says that there is none: %v", released, says)
	}
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

// TestReadmeShowsTheSummary: the pictures are of the summary as it is. They are drawn by `make picture`, which also writes the sums.
func TestReadmeShowsTheSummary(t *testing.T) {
	sums, err := os.ReadFile("../docs/pictures/sha256sums")
	if err != nil {
		t.Fatal(err)
	}
	readme := readPage(t, "README.md").text
	count := 0
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		count++
		text, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(text)); got != sum {
			t.Errorf("%s is not what the pictures were made with: run make picture", name)
		}
		if !strings.Contains(readme, name) {
			t.Errorf("the README does not show %s", name)
		}
		if len(text) > 150<<10 {
			t.Errorf("%s has %d bytes", name, len(text))
		}
	}
	if count != 3 {
		t.Errorf("%d sums, want those of the summary and of two pictures", count)
	}
}
