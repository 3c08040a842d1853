package action

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Whatever stands in an input, it is read as what it is, or refused with an error that a log can hold. What was read
// and is written again reads the same.
func FuzzValues(f *testing.F) {
	for _, text := range []string{
		"", "true", "TRUE", "yes", "7", "40", "+7", "0x10", "٧", "2m", "1h30m", "-1s", "1e3s", "9223372036854775807ns", "1µs", ".5s", "a=b\nc = d=e\r\n\r\n", "a=b\na=c", "=x", "x", "k=",
		"a=b\rc=d", "\u2028=\u0085", "\xff=\xfe", "::error::x\n##[x]=1", strings.Repeat("a=b\n", 100),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read := func(text string) *Reader {
			return Read(Values{"dry-run": text, "sha-length": text, "retry-for": text, "annotations": text})
		}
		if r := read(text); r.Bool("dry-run") && r.Err() != nil {
			t.Errorf("%q is true and %v", text, r.Err())
		}
		r := read(text)
		if n := r.Int("sha-length", 7, 40); r.Err() == nil && (n < 7 || n > 40 || read(fmt.Sprint(n)).Int("sha-length", 7, 40) != n) || r.Err() != nil && n != 0 {
			t.Errorf("%q is %d, %v", text, n, r.Err())
		}
		r = read(text)
		if d := r.Duration("retry-for"); d < 0 || r.Err() == nil && read(d.String()).Duration("retry-for") != d || r.Err() != nil && d != 0 {
			t.Errorf("%q is %s, %v", text, d, r.Err())
		}
		r = read(text)
		pairs := r.Pairs("annotations")
		var again []string
		for key, value := range pairs {
			if key == "" || strings.Contains(key+value, "\n") || key != strings.TrimSpace(key) || value != strings.TrimSpace(value) || strings.Contains(key, "=") {
				t.Errorf("%q has the pair %q %q", text, key, value)
			}
			again = append(again, key+"="+value)
		}
		slices.Sort(again)
		second := read(strings.Join(again, "\n"))
		if got := second.Pairs("annotations"); !maps.Equal(got, pairs) || second.Err() != nil {
			t.Errorf("%q reads as %q, and that as %q, %v", text, pairs, got, second.Err())
		}
		if given := strings.Count(text, "\n") + 1; len(pairs) > given {
			t.Errorf("%d pairs in %d lines", len(pairs), given)
		}
		r.Bool("dry-run")
		r.Int("sha-length", 7, 40)
		r.Duration("retry-for")
		for line := range strings.SplitSeq(fmt.Sprint(r.Err()), "\n") {
			if strings.ContainsAny(line, "\r\x00\x1b\u2028\u0085") || len(line) > 12*len(text)+200 {
				t.Errorf("%q: the error has the line %q", text, line)
			}
		}
	})
}

// Whatever a value is, the runner reads from the file of outputs exactly that value under exactly that name, or the
// value was refused. What JSON and Text make of it is never refused.
func FuzzSetOutput(f *testing.F) {
	for _, value := range []string{"", "created", "a\nforged=1", "a\rforged=1", delimiter, "x" + delimiter, "_GitHubActionsFileCommandDelimeter", "x<<EOF", "a=b", "\xff", "\u2028", "\x00", `\`,
		delimiter[1:] + delimiter, strings.TrimSuffix(delimiter, "_") + delimiter} {
		f.Add(value)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, value string) {
		file := filepath.Join(dir, "output")
		blob, err := JSON(map[string]string{"text": value})
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"raw": value, "json": blob, "text": Text(value)} {
			if err := os.RemoveAll(file); err != nil {
				t.Fatal(err)
			}
			run, log := start(env{"GITHUB_OUTPUT": file})
			if err := run.SetOutput(name, value); err != nil {
				if name != "raw" || strings.ContainsAny(err.Error(), "\r\n") {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if strings.ContainsAny(value, "\r\n") { // the runner ends a line at either
				t.Errorf("%s may be %q", name, value)
			}
			if got := outputs(t, read(t, file)); len(got) != 1 || got[name] != value {
				t.Errorf("%s set to %q: the runner reads %q", name, value, got)
			}
			if log.Len() > 0 {
				t.Errorf("%s set to %q: the log has %q", name, value, log)
			}
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(blob), &back); err != nil || back["text"] != strings.ToValidUTF8(value, "\ufffd") {
			if back["text"] != strings.Map(func(r rune) rune { return r }, value) { // each invalid byte alone
				t.Errorf("%q becomes %q, %v", value, back["text"], err)
			}
		}
	})
}

// An annotation is one line with one command, and the runner shows of it what Clean leaves.
func FuzzAnnotation(f *testing.F) {
	for _, text := range []string{"", "x", "a\n::error::b", "::set-output name=a::b", "%0A::error::x", "100%", "##[error]x", "\u2028::error::x", "\xff", "a,b:c=d"} {
		f.Add(text, text)
	}
	decode := strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n")
	f.Fuzz(func(t *testing.T, text, hint string) {
		run, log := start(env{})
		run.Notice(text)
		run.Warning(text)
		run.Error(text, hint)
		run.Println(text)
		lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
		if len(lines) != 4 {
			t.Fatalf("%q gives %d lines, want 4: %q", text, len(lines), lines)
		}
		both := strings.TrimPrefix(strings.TrimSuffix(Clean(text)+"\n"+Clean(hint), "\n"), "\n")
		for i, want := range []string{"::notice::" + Clean(text), "::warning::" + Clean(text), "::error::" + both} {
			if got := decode.Replace(lines[i]); got != want {
				t.Errorf("%q: the runner reads %q, want %q", text, got, want)
			}
			if strings.Contains(lines[i], "##[") {
				t.Errorf("%q: the runner obeys %q", text, lines[i])
			}
		}
		if obeyed(lines[3]) {
			t.Errorf("%q: the runner obeys %q", text, lines[3])
		}
	})
}
