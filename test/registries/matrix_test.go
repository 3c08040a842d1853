package registries

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oci-promote/oci-promote/test/programtest"
)

// What a row of the matrix may say.
const (
	isReal      = "real"
	isInWords   = "in its words"
	isDocuments = "from its documentation only"
)

// elsewhere are rows that other tests of this module run.
var elsewhere = map[string]string{"OCI layout": isReal} // testdata/script/layout.txtar and others

var (
	row      = regexp.MustCompile(`(?m)^\| (?:\[([^\]]+)\]\(#([\w-]+)\)|([^|\[]+?)) \| ([^|]+?) \| ?([^|]*?) ?\|$`)
	heading  = regexp.MustCompile(`(?m)^## (.+)$`)
	overview = regexp.MustCompile(`(?m)^\| \[[^\]]+\]\(#([\w-]+)\) \| ` + "`")
	document = regexp.MustCompile(`\[(?:documentation|source|report|its documentation)\]\(https://`)
)

// page is docs/registries.md by its sections; "" is what stands before the first.
func page(t *testing.T) map[string]string {
	t.Helper()
	root, err := programtest.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "registries.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections, name, from := map[string]string{}, "", 0
	for _, m := range heading.FindAllSubmatchIndex(text, -1) {
		sections[name] = string(text[from:m[0]])
		name, from = anchor(string(text[m[2]:m[3]])), m[1]
	}
	sections[name] = string(text[from:])
	return sections
}

// anchor is how GitHub names a heading's.
func anchor(heading string) string {
	return strings.NewReplacer(" ", "-", ",", "").Replace(strings.ToLower(heading))
}

// TestMatrix holds the matrix to the code: real is what the stories are told on, in its words is what the table of vendors has,
// and of the rest nothing was run and the documentation is named. No registry of the page is left out.
func TestMatrix(t *testing.T) {
	want := map[string]string{}
	for name, how := range elsewhere {
		want[name] = how
	}
	for _, k := range kinds() {
		if want[k.row] = isInWords; k.real {
			want[k.row] = isReal
		}
	}
	sections, told, listed := page(t), map[string]string{}, map[string]bool{}
	for _, m := range row.FindAllStringSubmatch(sections["what-was-run"], -1) {
		name, section, how := m[1]+m[3], m[2], m[4]
		if name == "registry" || strings.HasPrefix(name, "---") {
			continue
		}
		told[name], listed[section] = how, true
		switch {
		case section != "" && sections[section] == "":
			t.Errorf("%s: the page has no section %s", name, section)
		case how == isDocuments && want[name] != "":
			t.Errorf("%s: the page says that nothing was run, and it is %s", name, want[name])
		case how == isDocuments && !document.MatchString(sections[section]):
			t.Errorf("%s: all is from its documentation, and the section names none", name)
		case how != isDocuments && how != want[name]:
			t.Errorf("%s: the page says %q, and the tests %q", name, how, want[name])
		}
	}
	for name, how := range want {
		if told[name] != how {
			t.Errorf("%s: the tests have it as %q, and the page as %q", name, how, told[name])
		}
	}
	for _, m := range overview.FindAllStringSubmatch(sections[""], -1) {
		if !listed[m[1]] {
			t.Errorf("the page has a registry %s, and does not say what was run on it", m[1])
		}
	}
	if n := len(overview.FindAllString(sections[""], -1)); n < 10 {
		t.Errorf("%d registries were found in the page's first table", n)
	}
}
