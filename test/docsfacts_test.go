package test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	factHeading = regexp.MustCompile(`(?m)^### (\d+)\. `)
	// A citation is the word, which the document's path should end, and numbers, perhaps across a line of a comment.
	factNumbers  = `[\s#/*;]+(\d+(?:(?:, | and | to )\d+)*)\b`
	factCitation = regexp.MustCompile(`\b(docs/)?facts(\.md)?` + factNumbers)
	factLink     = regexp.MustCompile(`facts\.md#f(\d+)`)
	number       = regexp.MustCompile(`\d+`)
)

// factsOf reads docs/facts.md: each number once, with its anchor before it and its source in it, none left out.
func factsOf(t *testing.T) map[int]bool {
	t.Helper()
	text := readPage(t, "docs/facts.md").text
	found := factHeading.FindAllStringSubmatchIndex(text, -1)
	all := map[int]bool{}
	for i, m := range found {
		n, _ := strconv.Atoi(text[m[2]:m[3]])
		if all[n] {
			t.Errorf("docs/facts.md has %d twice", n)
		}
		all[n] = true
		if !strings.HasSuffix(text[:m[0]], "<a id=\"f"+strconv.Itoa(n)+"\"></a>\n\n") {
			t.Errorf("docs/facts.md: %d has no anchor f%d before it", n, n)
		}
		end := len(text)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		if !regexp.MustCompile(`(?m)^(.*\. )?\*(Read|Reported|Measured|Derived)\*`).MatchString(text[m[0]:end]) {
			t.Errorf("docs/facts.md: %d does not say where it comes from", n)
		}
	}
	for n := range len(all) {
		if !all[n+1] {
			t.Errorf("docs/facts.md has %d facts, and none is %d", len(all), n+1)
		}
	}
	return all
}

// TestDocsFacts: each citation of a fact, in any file of the repository, names the document and a fact that it has.
func TestDocsFacts(t *testing.T) {
	facts, count := factsOf(t), 0
	files := releaseGit(t, "..", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for name := range strings.SplitSeq(strings.TrimRight(files, "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			continue // a file that is deleted in the work tree, a symlink to a directory, or no text
		}
		for _, c := range citations(string(text)) {
			count++
			if !c.named {
				t.Errorf("%s: %q does not say docs/facts.md", name, c.text)
			}
			for _, n := range c.numbers {
				if !facts[n] {
					t.Errorf("%s: %q: docs/facts.md has no fact %d", name, c.text, n)
				}
			}
		}
	}
	t.Logf("%d facts, %d citations", len(facts), count)
}

type citation struct {
	text    string
	named   bool
	numbers []int
}

func citations(text string) (all []citation) {
	for _, m := range factCitation.FindAllStringSubmatch(text, -1) {
		c := citation{text: m[0], named: m[1] != "" && m[2] != ""}
		for _, n := range number.FindAllString(m[3], -1) {
			i, _ := strconv.Atoi(n)
			c.numbers = append(c.numbers, i)
		}
		all = append(all, c)
	}
	for _, m := range factLink.FindAllStringSubmatch(text, -1) {
		i, _ := strconv.Atoi(m[1])
		all = append(all, citation{m[0], true, []int{i}})
	}
	return all
}

func TestCitations(t *testing.T) {
	const word = "facts" // so that none of these is a citation of this file
	for _, c := range []struct {
		text    string
		named   bool
		numbers []int
	}{
		{"// as it is (docs/" + word + ".md 8).", true, []int{8}},
		{"// as it is (docs/" + word + ".md\n// 16). Where", true, []int{16}},
		{"\t# docs/" + word + ".md\n\t# 9", true, []int{9}},
		{"docs/" + word + ".md 13 and 14", true, []int{13, 14}},
		{"docs/" + word + ".md 1, 2 and 25", true, []int{1, 2, 25}},
		{"[why](../docs/" + word + ".md#f25)", true, []int{25}},
		{"(" + word + " 8)", false, []int{8}},
		{"(" + word + "\n// 9). Of", false, []int{9}},
		{"(" + word + ".md 9)", false, []int{9}},
		{"build" + "Facts 8, arti" + word + " 8, the " + word + " of 8, " + word + "8", false, nil},
	} {
		all := citations(c.text)
		if c.numbers == nil && len(all) == 0 {
			continue
		}
		if len(all) != 1 || all[0].named != c.named || !slices.Equal(all[0].numbers, c.numbers) {
			t.Errorf("%q: %+v, want %v %v", c.text, all, c.named, c.numbers)
		}
	}
}
