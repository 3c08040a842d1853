package github

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// What GitHub takes: 256 characters for a title and 65,536 for a body or a comment. A text of
// ours is counted in bytes and kept below, since a line end may count as two.
const (
	maxTitle = 256
	maxText  = 60_000
)

const cutHere = "\n\n(cut: GitHub takes no more)\n"

// marker is the hidden first line of a tracking issue or a comment, by which it is found again. What it is about may hold
// what would end a comment; "--" stands in no comment of older HTML.
func marker(about string) string {
	return "<!-- oci-promote: " + strings.ReplaceAll(url.QueryEscape(about), "--", "-%2D") + " -->"
}

// isMarked reports whether the first line of a text, as GitHub keeps it, is the marker and nothing else.
func isMarked(text, marker string) bool {
	first, _, _ := strings.Cut(text, "\n")
	return strings.TrimSuffix(first, "\r") == marker
}

// marked is the body below its marker.
func marked(t Tracking) string { return bounded(marker(t.Artifact) + "\n" + t.Body) }

// lineEnds makes every end of a line one "\n": GitHub may keep text with "\r\n".
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// bounded is text as JSON carries it, cut between two lines where it is too long.
func bounded(text string) string {
	text = strings.ToValidUTF8(lineEnds.Replace(text), string(utf8.RuneError))
	if len(text) <= maxText {
		return text
	}
	text = text[:maxText-len(cutHere)]
	if end := strings.LastIndexByte(text, '\n'); end > 0 {
		text = text[:end]
	}
	return strings.ToValidUTF8(text, "") + cutHere // one line may be cut within a character
}

// oneLine is a title as GitHub takes it.
func oneLine(title string) string { return short(title, maxTitle) }

// short is a text on one line, of so many characters at most.
func short(text string, most int) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, string(utf8.RuneError))), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return text
}

// sameText compares as GitHub keeps text, which may have other line ends.
func sameText(a, b string) bool {
	plain := func(s string) string { return strings.TrimSpace(lineEnds.Replace(s)) }
	return plain(a) == plain(b)
}
