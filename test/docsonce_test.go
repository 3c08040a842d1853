package test

import (
	"regexp"
	"strings"
	"testing"
)

// mostTwice is how many lines of prose two places may share.
const mostTwice = 3

var listItem = regexp.MustCompile(`(?m)^ *(?:[-*]|\d+\.) `)

// TestEachParagraphOnce: what takes more than a few lines to say is said in one place, to which others link. It is found also where
// its lines are broken elsewhere, or where it is an item of another list.
func TestEachParagraphOnce(t *testing.T) {
	said, count := map[string]string{}, 0
	for _, name := range append(guides(t), "README.md", "examples/README.md", "CONTRIBUTING.md", "SECURITY.md") {
		for _, paragraph := range paragraphs(readPage(t, name).prose) {
			count++
			if other, twice := said[paragraph]; twice {
				t.Errorf("%s and %s both say: %.200s", other, name, paragraph)
			}
			said[paragraph] = name
		}
	}
	if count < 100 {
		t.Errorf("%d paragraphs of more than %d lines", count, mostTwice)
	}
}

// paragraphs are those of a text, its lists and their items, and its tables, that have more lines than may stand twice; each on one line.
func paragraphs(text string) (all []string) {
	for _, block := range regexp.MustCompile(`\n\s*\n`).Split(text, -1) {
		parts := listItem.Split(block, -1)
		if len(parts) > 1 {
			parts = append(parts, block)
		}
		for _, part := range parts {
			if strings.Count(strings.TrimSpace(part), "\n") >= mostTwice {
				all = append(all, strings.Join(strings.Fields(part), " "))
			}
		}
	}
	return all
}

func TestParagraphs(t *testing.T) {
	const long = "one\ntwo\nthree\nfour\n"
	for text, want := range map[string]string{
		long:                              "one two three four",
		"one\ntwo\nthree\n":               "",
		"- one\n  two\n  three\n  four\n": "one two three four; - one two three four",
		"- a\n- b\n- c\n- d\n":            "- a - b - c - d",
		"x\n\n" + long + "\n- y\n":        "one two three four",
		"| a |\n|---|\n| b |\n| c |\n":    "| a | |---| | b | | c |",
	} {
		if got := strings.Join(paragraphs(text), "; "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
