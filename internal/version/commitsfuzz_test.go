package version

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzBumpOf compares with a reading of conventionalcommits.org that needs no expressions.
func FuzzBumpOf(f *testing.F) {
	for _, message := range []string{
		"feat: a", "feat(api)!: drop v1", "fix: b\n\nBREAKING CHANGE: c", "fix: b\r\n\r\nBREAKING-CHANGE: c\r\n", "chore(): x", "FEAT: x", "feat(a(b)): x", "feat(a\n): x", "feat : x", "feat:x",
		"feat: ", "Merge pull request #1 from acme/x\n\nfeat: y", "Revert \"feat: x\"", "\n\n feat: x", "feat(ü)!: ü", "ſeat: x", "feat!(a): x", "BREAKING CHANGE: x", "fix: b\n BREAKING CHANGE: c", "\xff", "", "A: \v", "A: \u00a0", "fix: a\n\nBREAKING CHANGE: \u2003",
	} {
		f.Add(message)
	}
	f.Fuzz(func(t *testing.T, message string) {
		bump, conventional := BumpOf(message)
		want, ok := byHand(message)
		if bump != want || conventional != ok {
			t.Errorf("%q asks for %s, %t; by hand %s, %t", message, bump, conventional, want, ok)
		}
		if b, c := BumpOf(strings.ReplaceAll(message, "\n", "\r\n")); b != bump || c != conventional {
			t.Errorf("%q with CRLF asks for %s, %t, without for %s, %t", message, b, c, bump, conventional)
		}
		if b, c := BumpOf(message + "\n\nBREAKING CHANGE: x"); c != conventional || conventional && b != Major {
			t.Errorf("%q with a breaking change asks for %s, %t", message, b, c)
		}
	})
}

func byHand(message string) (Bump, bool) {
	head := strings.TrimSpace(message)
	kind := strings.TrimLeft(head, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	rest, kind := kind, head[:len(head)-len(kind)]
	if scope, ok := strings.CutPrefix(rest, "("); ok {
		end := strings.IndexAny(scope, "()\r\n")
		if end < 0 || scope[end] != ')' {
			return Patch, false
		}
		rest = scope[end+1:]
	}
	rest, breaking := strings.CutPrefix(rest, "!")
	text, ok := strings.CutPrefix(rest, ": ")
	if kind == "" || !ok || blank(text) {
		return Patch, false
	}
	for line := range strings.SplitSeq(message, "\n") {
		for _, footer := range []string{"BREAKING CHANGE: ", "BREAKING-CHANGE: "} {
			if text, ok := strings.CutPrefix(line+"\n", footer); ok && !blank(text) {
				breaking = true
			}
		}
	}
	switch {
	case breaking:
		return Major, true
	case strings.ToLower(kind) == "feat":
		return Minor, true
	}
	return Patch, true
}

// blank reports whether a text begins with white space, or is empty.
func blank(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return text == "" || unicode.IsSpace(r)
}
