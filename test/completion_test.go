package test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/test/programtest"
)

// completions are lines as a person types them, up to the key that completes, and all that may come then. Where the
// shell completes files, the directory has dir, live.json and odd name.json.
var completions = []struct {
	line string
	want []string
	not  []string // shells that cannot do it
}{
	{"oci-promote ", []string{"build", "completion", "demo", "help", "prune", "tag", "verify", "version"}, nil},
	{"oci-promote ver", []string{"verify", "version"}, nil},
	{"oci-promote build --bump ", []string{"auto", "major", "minor", "patch"}, nil},
	{"oci-promote build --bump=m", []string{"major", "minor"}, nil},
	{"oci-promote build --dry-run --bump mi", []string{"minor"}, nil},
	{"oci-promote verify --fail-on ", []string{"error", "never", "warning"}, nil},
	{"oci-promote build --dry-run=", []string{"false", "true"}, []string{"fish"}},
	{"oci-promote build --dry-run=t", []string{"true"}, []string{"fish"}},
	{"oci-promote build --sha", []string{"--sha-length"}, nil},
	{"oci-promote prune --keep", []string{"--keep-for", "--keep-stables"}, nil},
	{"oci-promote prune --ignore", nil, []string{"fish"}}, // no flag of prune; fish goes on with files
	{"oci-promote build --path ", []string{"dir"}, nil},
	{"oci-promote verify --cluster-state l", []string{"live.json"}, nil},
	{"oci-promote verify --cluster-state odd", []string{"odd name.json"}, nil},
	{"oci-promote verify --cluster-state live=l", []string{"live.json"}, []string{"fish"}},
	{"oci-promote verify --cluster-state=live=l", []string{"live.json"}, []string{"fish"}},
	{"oci-promote completion ", []string{"bash", "fish", "zsh"}, nil},
	{"oci-promote help pr", []string{"prune"}, nil},
	{"oci-promote help build ", nil, []string{"fish", "zsh"}}, // zsh offers --help where nothing else fits
	{"oci-promote version ", nil, []string{"zsh"}},
}

// TestCompletion completes in each shell that is installed here.
func TestCompletion(t *testing.T) {
	for shell, complete := range map[string]func(t *testing.T, dir, script, line string) []string{
		"bash": completeBash, "zsh": completeZsh, "fish": completeFish,
	} {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skipf("%s is not installed here", shell)
			}
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "dir"), 0o700); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"live.json", "odd name.json"} {
				programtest.Write(t, filepath.Join(dir, name), "")
			}
			script := filepath.Join(t.TempDir(), "_oci-promote")
			programtest.Write(t, script, programtest.Run(t, nil, "completion", shell).Stdout)
			for _, c := range completions {
				if slices.Contains(c.not, shell) {
					continue
				}
				got := complete(t, dir, script, c.line)
				slices.Sort(got)
				if got = slices.Compact(got); !slices.Equal(got, c.want) {
					t.Errorf("%q is completed with %q, want %q", c.line, got, c.want)
				}
			}
		})
	}
}

// TestCompletionIsWhole: each script has every flag of every mode, and no other.
func TestCompletionIsWhole(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "script")
	programtest.Write(t, script, programtest.Run(t, nil, "completion", "bash").Stdout)
	for _, mode := range action.Modes {
		want := []string{"--help", "--json"}
		for _, i := range action.InputsOf(mode) {
			want = append(want, "--"+i.Name)
		}
		got := completeBash(t, dir, script, "oci-promote "+mode+" --")
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("flags of %s: %q, want %q", mode, got, want)
		}
	}
}

// shell runs a shell without anybody's configuration, and gives the lines that it prints.
func shell(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "HOME="+t.TempDir(), "TERM=dumb")
	r := programtest.RunCommand(t, cmd)
	if r.Stderr != "" || r.Code != 0 {
		t.Fatalf("%q: exit status %d\n%s", args, r.Code, r.Stderr)
	}
	return slices.DeleteFunc(strings.Split(r.Stdout, "\n"), func(line string) bool { return line == "" })
}

// completeBash calls the function as readline does, which breaks words at "=".
func completeBash(t *testing.T, dir, script, line string) []string {
	t.Helper()
	words := strings.Fields(strings.ReplaceAll(line, "=", " = "))
	if strings.HasSuffix(line, " ") {
		words = append(words, "")
	}
	const run = `set -f; . "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _oci_promote; printf '%s\n' "${COMPREPLY[@]}"`
	return shell(t, dir, slices.Concat([]string{"bash", "--norc", "-c", run, "bash", script}, words)...)
}

func completeFish(t *testing.T, dir, script, line string) []string {
	t.Helper()
	var words []string
	for _, said := range shell(t, dir, "fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script, line) {
		word, _, _ := strings.Cut(said, "\t")
		word = strings.TrimSuffix(word[strings.LastIndex(word, "=")+1:], "/") // fish gives --bump=major as one word
		words = append(words, strings.ReplaceAll(word, `\ `, " "))
	}
	return words
}

// completeZsh has a real zsh complete on a terminal of its own, with a compadd that tells what it would add.
func completeZsh(t *testing.T, dir, script, line string) []string {
	t.Helper()
	const run = `
zmodload zsh/zpty || exit
zpty shell "TERM=dumb zsh -f -i"
zpty -w shell "FOUND=${(q)4}; autoload -U compinit; compinit -u -D; source ${(q)1}; source ${(q)2}; PS1=rea''dy"
zpty -r shell said '*ready*'
zpty -w -n shell "$3"$'\t\C-Uexit\n'
while zpty -r shell said; do :; done
cat $4
`
	const teller = `
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a found
  builtin compadd -O found "$@"
  (( $#found )) && print -rl -- ${(Q)found} >> $FOUND
  builtin compadd "$@"
}
_told() { _main_complete; compstate[insert]=; compstate[list]= }
zle -C told complete-word _told
bindkey '^I' told
`
	scratch := t.TempDir()
	told, found := filepath.Join(scratch, "teller"), filepath.Join(scratch, "found")
	programtest.Write(t, told, teller)
	programtest.Write(t, found, "")
	return shell(t, dir, "zsh", "-f", "-c", run, "zsh", script, told, line, found)
}
