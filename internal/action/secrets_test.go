package action

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

const secret = `p@ss/w+rd=%:"\ü!<&>`

func TestHide(t *testing.T) {
	s := &Secrets{Public: "ghcr.io/Acme/Fleet"}
	for _, text := range []string{secret, secret, "", "abc", "tokentoken", " padded secret\n", "fleet"} {
		s.Add(text)
	}
	b64 := base64.StdEncoding.EncodeToString
	for name, c := range map[string]struct{ text, want string }{
		"no secret":             {"reading tags: 403 denied", "reading tags: 403 denied"},
		"as it is":              {"a" + secret + "b", "a***b"},
		"twice":                 {secret + secret, "******"},
		"another":               {"Bearer tokentoken", "Bearer ***"},
		"in JSON":               {`{"a":"p@ss/w+rd=%:\"\\ü!\u003c\u0026\u003e"}`, `{"a":"***"}`},
		"in JSON, not for HTML": {`"p@ss/w+rd=%:\"\\ü!<&>"`, `"***"`},
		"in JSON, as PHP does":  {`"p@ss\/w+rd=%:\"\\ü!<&>"`, `"***"`},
		"quoted":                {fmt.Sprintf("%q", secret), `"***"`},
		"in HTML":               {"p@ss/w+rd=%:&#34;\\ü!&lt;&amp;&gt;", "***"},
		"in a query":            {"?a=" + url.QueryEscape(secret) + "&b", "?a=***&b"},
		"in a path":             {"/" + url.PathEscape(secret) + "/", "/***/"},
		"lower-case escapes":    {strings.ToLower(url.QueryEscape(secret)), "***"},
		"hex":                   {fmt.Sprintf("%x", secret), "***"},
		"base64":                {"Basic " + b64([]byte("robot:"+secret)) + " x", "Basic *** x"},
		"base64, shifted":       {b64([]byte("u:" + secret + "!")), "***"},
		"base64, shifted more":  {b64([]byte("us:" + secret + "!!")), "***"},
		"base64 for URLs":       {base64.RawURLEncoding.EncodeToString([]byte("x" + secret)), "***"},
		"too short":             {"abc", "abc"},
		"public":                {"ghcr.io/acme/fleet", "ghcr.io/acme/fleet"},
		"without its spaces":    {"a padded secret b", "a *** b"},
		"a token by its form":   {"see ghp_0123456789abcdefghijABCDEFGHIJ012345, ghs_short", "see ***, ghs_short"},
		"a login in a URL":      {`Get "https://robot:hunter2@host/x": no`, `Get "https://***@host/x": no`},
		"a digest is no login":  {"oci://host:5000/a/b@sha256:00", "oci://host:5000/a/b@sha256:00"},
	} {
		if got := s.Hide(c.text); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	var none *Secrets
	none.Add(secret)
	if got := none.Hide("a" + secret); got != "a"+secret {
		t.Errorf("nil hides %q", got)
	}
}

// A cut does not leave the beginning of a secret, and what nobody sees does not part one.
func TestSecretsAtTheCut(t *testing.T) {
	s := &Secrets{}
	s.Add("abcdefghij")
	for name, got := range map[string]string{
		"Clean": s.Clean(strings.Repeat("x", maxText-5) + "abcdefghij"), "Short": s.Short(strings.Repeat("x", maxText-5) + "abcdefghij"),
	} {
		if strings.Contains(got, "a") || len(got) > maxText+len("…") {
			t.Errorf("%s leaves …%q", name, got[maxText-10:])
		}
	}
	if got := s.Clean("abc\u200bdef\x1bghij"); got != hidden {
		t.Errorf("parted by what nobody sees: %q", got)
	}
	if got := s.Short("abc\u200bdef\x1bghij"); got != hidden {
		t.Errorf("parted in a report: %q", got)
	}
	if got := s.Short("as it is\n::x"); got != "as it is\n::x" {
		t.Errorf("Short changed a short text: %q", got)
	}
	if got := s.Short(strings.Repeat("é", maxText)); got != strings.Repeat("é", maxText/2)+"…" {
		t.Errorf("Short cuts to …%q", got[len(got)-10:])
	}
}

// Nothing that a run says holds its secret.
func TestRunHides(t *testing.T) {
	run, log := start(env{})
	run.Secrets = &Secrets{}
	run.Secrets.Add(secret)
	run.Println(secret)
	run.Notice(secret)
	run.Warning(secret)
	run.Error(secret, "x "+secret)
	if got, want := log.String(), "***\n::notice::***\n::warning::***\n::error::***%0Ax ***\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzHide(f *testing.F) {
	f.Add("password", "a", "b")
	f.Add(secret, "robot:", "")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		s := &Secrets{}
		s.Add(secret)
		if secret = strings.TrimSpace(secret); len(secret) < shortest || strings.Contains(hidden, secret) {
			t.Skip()
		}
		if got := s.Hide(secret); strings.Contains(got, secret) {
			t.Errorf("%q is left in %q", secret, got)
		}
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString([]byte(before + secret + after))
			if got := s.Hide("x " + text + " y"); got != "x *** y" {
				t.Errorf("%q in base64 of %q: %q", secret, before+secret+after, got)
			}
		}
	})
}
