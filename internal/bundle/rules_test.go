package bundle

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/sourceignore"
)

// sameAsFlux compares what rules say with what Flux's own reader and matcher say of the same lines.
func sameAsFlux(t *testing.T, lines, domain, path string, isDir bool) {
	t.Helper()
	var below []string
	if domain != "" {
		below = strings.Split(domain, "/")
	}
	names := strings.Split(path, "/")
	flux := sourceignore.ReadPatterns(strings.NewReader(lines), below)
	want := 0
	for _, p := range flux { // the last one that says something, of all of them
		if result := p.Match(names, isDir); result != 0 {
			want = int(result)
		}
	}
	if got := newRules(strings.Split(lines, "\n"), below).match(names, isDir); int(got) != want {
		t.Errorf("%q below %q say %v of %q (a directory: %v), Flux %d", lines, domain, got, path, isDir, want)
	}
}

// The test before each pattern must never turn away a path that the pattern fits.
func TestRulesSayWhatFluxSays(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	pick := func(of []string) string { return of[r.IntN(len(of))] }
	parts := []string{"a", "b", "ab", "a.yaml", "*", "**", "?", "[ab]", "[^a]*", `\*`, `\ `, `a\b`, "*.yaml", "/", "/", "!", " ", "#", "[", "\r", "é", "\xff", "a*b", "]"}
	names := []string{"a", "b", "ab", "a.yaml", "b.yaml", "*", " ", "aab", "é", "\xff", "x", "]", "a b"}
	fits := 0
	for range 50000 {
		var lines, path []string
		for range 1 + r.IntN(3) {
			line := ""
			for range 1 + r.IntN(5) {
				line += pick(parts)
			}
			lines = append(lines, line)
		}
		for range 1 + r.IntN(4) {
			path = append(path, pick(names))
		}
		domain := pick([]string{"", "", "a", "a/b"})
		sameAsFlux(t, strings.Join(lines, "\n"), domain, strings.Join(path, "/"), r.IntN(2) == 0)
		if newRules(lines, nil).match(path, false) != 0 {
			fits++
		}
	}
	if fits < 5000 {
		t.Errorf("only %d of 50,000 lists fit: the test says little", fits)
	}
}

func FuzzRules(f *testing.F) {
	for _, line := range []string{"*.yaml", "!a/**/b", `a\ `, "[", "**/x*y/", "a\r\n!b", "#", "/", "//", `\`, "a/**", "[a-]b", "*]"} {
		f.Add(line, "", "a/x/b", false)
		f.Add(line, "a", "a/b/c.yaml", true)
	}
	f.Fuzz(func(t *testing.T, lines, domain, path string, isDir bool) {
		if len(lines) > 1<<16 { // Flux stops reading at a longer line
			return
		}
		sameAsFlux(t, lines, domain, path, isDir)
	})
}

// A .sourceignore of a thousand lines asks few patterns about each file, and those of directories that were left
// are gone.
func TestRulesThatAreAsked(t *testing.T) {
	ig := newIgnorer(nil)
	lines := []string{"*.png", "docs/", "/a/b/secret.yaml"}
	for i := range 1000 {
		lines = append(lines, "*.ext"+strings.Repeat("x", i%9)+string(rune('a'+i%26)), "team"+strings.Repeat("y", i%9))
	}
	dir := tree(t, map[string]string{"d/.sourceignore": strings.Join(lines, "\n"), "e/a.yaml": "", "a.yaml": ""})
	fsys, err := OpenDir(dir)
	must(t, err)
	defer func() { must(t, fsys.Close()) }()
	must(t, ig.enter(fsys, "d"))
	asked := 0
	for _, r := range ig.files[0].rules.rules {
		if r.possible(strings.Split("d/app/deployment.yaml", "/")) {
			asked++
		}
	}
	if len(ig.files[0].rules.rules) != len(lines) || asked > 3 {
		t.Errorf("%d of %d patterns are asked", asked, len(lines))
	}
	if ig.leave("d/x/y"); len(ig.files) != 1 {
		t.Error("the rules of d do not hold below it")
	}
	if ig.leave("dd"); len(ig.files) != 0 {
		t.Error("the rules of d are kept after it was left")
	}
}
