package test

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// notYet are files that links may name though they do not exist: other branches bring them. One that exists must go
// from here.
var notYet = []string{}

// pages are the Markdown files whose links are held to what exists.
func pages(t *testing.T) []string {
	t.Helper()
	all := guides(t)
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "examples/README.md"} {
		if exists(name) {
			all = append(all, name)
		}
	}
	return all
}

// guides are the files of docs.
func guides(t *testing.T) (all []string) {
	t.Helper()
	files, err := filepath.Glob("../docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatal("no guides", err)
	}
	for _, file := range files {
		all = append(all, "docs/"+filepath.Base(file))
	}
	return all
}

func exists(name string) bool {
	_, err := os.Stat("../" + name)
	return err == nil
}

// TestDocsLinks: each link inside of the repository leads to a file, and to a heading in it.
func TestDocsLinks(t *testing.T) {
	known, count := map[string]map[string]bool{}, 0
	for _, name := range pages(t) {
		p := readPage(t, name)
		for _, target := range p.links() {
			u, err := url.Parse(target)
			if err != nil {
				t.Errorf("%s: link %q: %v", name, target, err)
				continue
			}
			if u.Scheme != "" {
				continue
			}
			count++
			file := name
			if u.Path != "" {
				file = path.Join(path.Dir(name), u.Path)
			}
			switch {
			case strings.HasPrefix(file, "..") || path.IsAbs(u.Path):
				t.Errorf("%s: link %q leads out of the repository", name, target)
			case !exists(file):
				if !slices.Contains(notYet, file) {
					t.Errorf("%s: link %q leads to %s, which does not exist", name, target, file)
				}
			case u.Fragment != "" && strings.HasSuffix(file, ".md"):
				if known[file] == nil {
					known[file] = readPage(t, file).anchors()
				}
				if !known[file][u.Fragment] {
					t.Errorf("%s: link %q: %s has no heading #%s", name, target, file, u.Fragment)
				}
			}
		}
	}
	for _, name := range notYet {
		if exists(name) {
			t.Errorf("%s exists: take it out of notYet", name)
		}
	}
	t.Logf("%d links", count)
}

// TestDocsIndex: the README and docs/README.md name every guide.
func TestDocsIndex(t *testing.T) {
	for page, dir := range map[string]string{"README.md": "docs/", "docs/README.md": ""} {
		listed := readPage(t, page).links()
		for _, name := range guides(t) {
			if base := path.Base(name); base != "README.md" && !slices.Contains(listed, dir+base) {
				t.Errorf("%s does not list %s", page, base)
			}
		}
	}
}
