package test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// outputs is
//
//	outputs [FILE]
//
// It prints the step's outputs, those in $GITHUB_OUTPUT or in FILE, as "NAME=VALUE" lines, sorted. A line break
// inside of a value is printed as \n. What the runner would not understand fails the script.
func outputs(ts *testscript.TestScript, args []string) error {
	file := ts.Getenv("GITHUB_OUTPUT")
	if len(args) == 1 {
		file = args[0]
	}
	if file == "" || len(args) > 1 {
		return errors.New("usage: outputs [FILE]; without FILE, GITHUB_OUTPUT must be set")
	}
	lines, err := parseOutputs(ts.ReadFile(file))
	if err != nil {
		return fmt.Errorf("reading the outputs in %s: %w", file, err)
	}
	_, err = io.WriteString(ts.Stdout(), strings.Join(lines, ""))
	return err
}

// parseOutputs reads the file as the runner does: "name=value", or "name<<delimiter", lines, and the delimiter on a
// line of its own, whichever sign comes first. The last value of a name counts.
func parseOutputs(text string) ([]string, error) {
	values := make(map[string]string)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		equals, heredoc := strings.Index(lines[i], "="), strings.Index(lines[i], "<<")
		switch {
		case lines[i] == "":
		case equals > 0 && (heredoc < 0 || equals < heredoc):
			values[lines[i][:equals]] = lines[i][equals+1:]
		case heredoc > 0 && heredoc+2 < len(lines[i]):
			name, delimiter := lines[i][:heredoc], lines[i][heredoc+2:]
			length := slices.Index(lines[i+1:], delimiter)
			if length < 0 {
				return nil, fmt.Errorf("the value of %q has no end %q", name, delimiter)
			}
			values[name] = strings.Join(lines[i+1:i+1+length], `\n`)
			i += length + 1
		default:
			return nil, fmt.Errorf("line %d: %q is neither name=value nor name<<delimiter", i+1, lines[i])
		}
	}
	printed := make([]string, 0, len(values))
	for name, value := range values {
		printed = append(printed, name+"="+value+"\n")
	}
	slices.Sort(printed)
	return printed, nil
}

func TestParseOutputs(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		"b<<EOF\n1\nEOF\na=x<<y\n":   "a=x<<y\nb=1\n",
		"a<<E=F\nx=y\nE=F\n":         "a=x=y\n",
		"a<<E\nE\na<<E\n1\n\n2\nE\n": `a=1\n\n2` + "\n",
		"a<<E\n1\n":                  `error: the value of "a" has no end "E"`,
		"a<<E\n1\nE\nrest\n":         `error: line 4: "rest" is neither name=value nor name<<delimiter`,
		"=1\n":                       `error: line 1: "=1" is neither name=value nor name<<delimiter`,
		"a<<\n1\n\n":                 `error: line 1: "a<<" is neither name=value nor name<<delimiter`,
	} {
		lines, err := parseOutputs(text)
		got := strings.Join(lines, "")
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}
