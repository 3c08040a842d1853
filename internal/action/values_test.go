package action

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// complains checks that err tells all of a wrong input: name, value, expectation.
func complains(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q does not say %q", err, part)
		}
	}
}

func TestText(t *testing.T) {
	r := Read(Values{"path": "  deploy \n", "bump": " \t", "source": "x"})
	if got := r.Text("path"); got != "deploy" {
		t.Errorf("path is %q", got)
	}
	if got := r.Text("bump"); got != "patch" {
		t.Errorf("blank is not the default but %q", got)
	}
	if got := r.Text("retry-for"); got != "2m" {
		t.Errorf("unset is not the default but %q", got)
	}
	if got := r.Text("revision"); got != "" {
		t.Errorf("without a default it is %q", got)
	}
	if err := r.Err(); err != nil {
		t.Errorf("got %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("an input that does not exist can be read")
		}
	}()
	r.Text("no-such-input")
}

func TestBool(t *testing.T) {
	for text, want := range map[string]bool{"true": true, "True": true, "TRUE": true, "true\n": true, "false": false, "False": false, "FALSE": false, "": false} {
		r := Read(Values{"dry-run": text})
		if got := r.Bool("dry-run"); got != want || r.Err() != nil {
			t.Errorf("%q: got %v, %v", text, got, r.Err())
		}
	}
	for _, text := range []string{"yes", "1", "0", "tRUE", "on", "truefalse", "null"} {
		r := Read(Values{"dry-run": text})
		if r.Bool("dry-run") {
			t.Errorf("%q is true", text)
		}
		complains(t, r.Err(), "dry-run", `"`+text+`"`, "true nor false")
	}
}

func TestInt(t *testing.T) {
	for text, want := range map[string]int{"": 7, "7": 7, "40": 40, "12\n": 12, "+8": 8, "007": 7} {
		r := Read(Values{"sha-length": text})
		if got := r.Int("sha-length", 7, 40); got != want || r.Err() != nil {
			t.Errorf("%q: got %d, %v", text, got, r.Err())
		}
	}
	for _, text := range []string{"6", "41", "-7", "7.0", "0x8", "1_0", "seven", "7 8", "99999999999999999999", "\u0667"} {
		r := Read(Values{"sha-length": text})
		if got := r.Int("sha-length", 7, 40); got != 0 {
			t.Errorf("%q: got %d", text, got)
		}
		complains(t, r.Err(), "sha-length", `"`+text+`"`, "whole number from 7 to 40")
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 2 * time.Minute, "0": 0, "0s": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "1.5s": 1500 * time.Millisecond} {
		r := Read(Values{"retry-for": text})
		if got := r.Duration("retry-for"); got != want || r.Err() != nil {
			t.Errorf("%q: got %v, %v", text, got, r.Err())
		}
	}
	for _, text := range []string{"-1s", "90", "2 m", "2d", "soon", "1h-30m", "9999999999h"} {
		r := Read(Values{"retry-for": text})
		if got := r.Duration("retry-for"); got != 0 {
			t.Errorf("%q: got %v", text, got)
		}
		complains(t, r.Err(), "retry-for", `"`+text+`"`, "duration such as 90s")
	}
}

func TestLines(t *testing.T) {
	for text, want := range map[string][]string{
		"":                     nil,
		"  \n\t\n":             nil,
		"a":                    {"a"},
		"a\nb\n":               {"a", "b"},
		"a\r\nb\r\n":           {"a", "b"},
		"a\n\n  \n b \nc":      {"a", " b ", "c"},
		"# comment\n!taken-in": {"# comment", "!taken-in"},
	} {
		r := Read(Values{"ignore": text})
		if got := r.Lines("ignore"); !slices.Equal(got, want) || r.Err() != nil {
			t.Errorf("%q: got %q, %v; want %q", text, got, r.Err(), want)
		}
	}
}

func TestPairs(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"":                        {},
		"a=b":                     {"a": "b"},
		"a=b\n\nc = d e \n":       {"a": "b", "c": "d e"},
		"a=":                      {"a": ""},
		"url=https://x/?a=b&c=d":  {"url": "https://x/?a=b&c=d"},
		"a.b/c=1\r\nA.b/c=2\r\n ": {"a.b/c": "1", "A.b/c": "2"},
	} {
		r := Read(Values{"annotations": text})
		if got := r.Pairs("annotations"); !maps.Equal(got, want) || r.Err() != nil {
			t.Errorf("%q: got %q, %v; want %q", text, got, r.Err(), want)
		}
	}
	for text, line := range map[string]string{"a": "a", "=b": "=b", "a=b\nnonsense\nc=d": "nonsense"} {
		r := Read(Values{"annotations": text})
		r.Pairs("annotations")
		complains(t, r.Err(), "annotations", `"`+line+`"`, "key=value")
	}
	for _, text := range []string{"a=b\na=c", "a=b\n a =c"} {
		r := Read(Values{"annotations": text})
		r.Pairs("annotations")
		complains(t, r.Err(), "annotations", `"a"`, "given twice")
	}
	r := Read(Values{"annotations": "a=first\na=second\nb=c"})
	if got := r.Pairs("annotations"); got["a"] != "first" || got["b"] != "c" {
		t.Errorf("got %q", got)
	}
}

// One run names all that is wrong.
func TestErr(t *testing.T) {
	r := Read(Values{"dry-run": "maybe", "sha-length": "3", "annotations": "x\ny", "bump": "huge"})
	r.Bool("dry-run")
	r.Int("sha-length", 7, 40)
	r.Pairs("annotations")
	cause := errors.New("none of patch, minor, major and auto")
	if got := Get(r, "bump", func(s string) (string, error) { return "half of " + s, cause }); got != "" {
		t.Errorf("a mistake means %q", got)
	}
	complains(t, r.Err(), "dry-run: ", "sha-length: ", `annotations: line "x"`, `annotations: line "y"`, "bump: none of patch")
	if !errors.Is(r.Err(), cause) {
		t.Error("the cause is lost")
	}
	if lines := strings.Split(r.Err().Error(), "\n"); len(lines) != 5 {
		t.Errorf("5 mistakes give %d lines: %q", len(lines), lines)
	}
}

// TestClash: what goes with an input that is wrong by itself is not judged.
func TestClash(t *testing.T) {
	for _, c := range []struct {
		values Values
		want   string
	}{
		{Values{"sha-length": "7", "wait": "1s"}, "sha-length: clash"},
		{Values{"sha-length": "6", "wait": "1s"}, `sha-length: "6" is not a whole number from 7 to 40`},
		{Values{"sha-length": "7", "wait": "x"}, `wait: "x" is not a duration such as 90s, 1h30m, or 720h for 30 days`},
	} {
		r := Read(c.values)
		r.Int("sha-length", 7, 40)
		r.Duration("wait")
		r.Clash("sha-length", errors.New("clash"), "wait")
		if err := r.Err(); err == nil || err.Error() != c.want {
			t.Errorf("%v: %v, want %s", c.values, err, c.want)
		}
	}
}
