package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelpTexts holds the help of every command to its golden text, no line of which is wider than 100 columns.
func TestHelpTexts(t *testing.T) {
	texts := map[string]string{"usage": usage()}
	for _, s := range subcommands() {
		texts[s.name] = helpOf(s)
	}
	for name, text := range texts {
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
				t.Errorf("%s: a line of %d columns: %s", name, n, line)
			}
		}
		written := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(written, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		same(t, "testdata/help/"+name+".txt", written)
	}
}

// TestHelpTellsAllOfTheTable: each flag with a value says what that is, and no two commands have one name.
func TestHelpTellsAllOfTheTable(t *testing.T) {
	names := map[string]bool{}
	for _, s := range subcommands() {
		if names[s.name] || s.does == "" || len(s.examples) == 0 || len(s.exit) == 0 || s.run == nil {
			t.Errorf("the row of %q: %+v", s.name, s)
		}
		names[s.name] = true
		for _, i := range s.flags {
			if (i.Value == "") != i.IsBool || strings.ToUpper(i.Value[:min(1, len(i.Value))]) != i.Value[:min(1, len(i.Value))] {
				t.Errorf("--%s of %s has the value %q", i.Name, s.name, i.Value)
			}
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"", 10, ""},
		{"one", 2, "one"}, // a word is never cut
		{"one two three", 7, "one two\n--three"},
		{"one two three", 6, "one\n--two\n--three"},
		{"ⅰⅰⅰ ⅰⅰⅰ", 7, "ⅰⅰⅰ ⅰⅰⅰ"},
	} {
		if got := wrap(c.text, c.width, "--"); got != c.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
	}
}
