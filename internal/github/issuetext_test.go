package github

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// A name can neither end the comment nor be taken for another.
func TestMarker(t *testing.T) {
	seen := map[string]string{}
	for _, artifact := range []string{
		"ghcr.io/acme/fleet", "oci-layout:/some dir/--x", "oci-layout:/some+dir/--x", "a--b", "a---b", "a----b", "a-%2Db", "a%2D-b", "-->", "--!>", "->", ">", "-", "--",
		"x\n-->", "x\r", "<img src=x>", "<!-- oci-promote: a -->", "é", "\x00", "", " ", strings.Repeat("-", 99),
	} {
		m := marker(artifact)
		name := strings.TrimSuffix(strings.TrimPrefix(m, "<!-- oci-promote: "), " -->")
		if strings.Contains(name, "--") || strings.ContainsAny(name, "<>\r\n\x00 ") || len(m) != len(name)+len("<!-- oci-promote:  -->") {
			t.Errorf("%q is %q", artifact, m)
		}
		if back, err := url.QueryUnescape(name); err != nil || back != artifact {
			t.Errorf("%q is %q, which is %q, %v", artifact, m, back, err)
		}
		if seen[m] != "" {
			t.Errorf("%q and %q are %q", artifact, seen[m], m)
		}
		seen[m] = artifact
		tr := startTracker(t)
		what := ill
		what.Artifact = artifact
		tracked(t, tr.open(t), what, "/1", Opened)
		tracked(t, tr.open(t), what, "/1", Unchanged)
	}
}

// The marker counts where it is the whole first line, and nowhere else.
func TestMarkerElsewhere(t *testing.T) {
	m := marker(ill.Artifact)
	for body, want := range map[string]bool{
		m: true, m + "\n": true, m + "\r\nx": true,
		"": false, "\n" + m: false, "x\n" + m: false, " " + m: false, "> " + m: false, m + " ": false, m + m: false, m + " x\n": false, strings.ToUpper(m): false, "`" + m + "`": false,
	} {
		tr := startTracker(t)
		tr.add("x", body, "open", trackingLabel)
		page, err := tr.open(t).Tracked(t.Context(), ill.Artifact)
		if err != nil || (page != "") != want {
			t.Errorf("%q: got %q, %v", body, page, err)
		}
	}
}

// What is too long is cut between lines, keeps its marker, and is not updated each time.
func TestLongText(t *testing.T) {
	const end = "\n\n(cut: GitHub takes no more)\n"
	for name, body := range map[string]string{
		"lines":    strings.Repeat("é 123456789\n", 9000),
		"one line": strings.Repeat("é", 90000),
		"not text": strings.Repeat("\xffx", 90000),
	} {
		what := ill
		what.Body, what.Title = body, strings.Repeat("ö  \n", 300)
		text := marked(what)
		if len(text) > maxText || !strings.HasPrefix(text, marker(ill.Artifact)+"\n") || !strings.HasSuffix(text, end) || !utf8.ValidString(text) {
			t.Errorf("%s: %d bytes, …%q", name, len(text), text[max(0, len(text)-80):])
		}
		if name == "lines" && (len(text) < maxText-100 || !strings.HasSuffix(text, "é 123456789"+end)) {
			t.Errorf("%d bytes, …%q", len(text), text[len(text)-80:])
		}
		tr := startTracker(t)
		tracked(t, tr.open(t), what, "/1", Opened)
		tracked(t, tr.open(t), what, "/1", Unchanged)
		if n := utf8.RuneCountInString(tr.issues[0].Title); n != maxTitle || strings.Contains(tr.issues[0].Title, "\n") {
			t.Errorf("the title has %d characters: %q", n, tr.issues[0].Title)
		}
	}
	if got := bounded(strings.Repeat("é", 90000)); len(got) > maxText || !utf8.ValidString(got) || !strings.HasSuffix(got, end) {
		t.Errorf("a comment has %d bytes", len(got))
	}
	for _, body := range []string{"", "x\xffy", strings.Repeat("x", maxText-len(marker(ill.Artifact))-1)} {
		if got, want := marked(saying(ill, body)), marker(ill.Artifact)+"\n"+strings.ToValidUTF8(body, "\ufffd"); got != want {
			t.Errorf("%.20q is %.80q", body, got)
		}
	}
}
