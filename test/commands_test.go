package test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are the words that scripts have beyond testscript's own.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"registry":        plain(startRegistry),
	"registry-answer": plain(registryAnswer),
	"registry-clear":  plain(registryClear),
	"registry-seed":   plain(registrySeed),
	"registry-tags":   plain(registryTags),
	"registry-log":    plain(registryLog),
	"registry-digest": plain(registryDigest),
	"expand":          plain(expand),
	"query-escape":    plain(queryEscape),
	"outputs":         plain(outputs),
	"fails":           plain(fails),
	"exits":           plain(exits),
	"env-file":        plain(envFile),
	"ago":             plain(ago),
}

// plain makes a command that cannot be negated.
func plain(f func(ts *testscript.TestScript, args []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("this command has no negation")
		}
		ts.Check(f(ts, args))
	}
}

// registrySeed is
//
//	registry-seed REPO TAG...
//
// It lets the tags name an artifact that is not Flux's, and prints its digest.
func registrySeed(ts *testscript.TestScript, args []string) error {
	st, err := started(ts)
	if err != nil || len(args) < 2 {
		return usage(err, "registry-seed REPO TAG...")
	}
	_, err = fmt.Fprintln(ts.Stdout(), st.server.Seed(args[0], args[1:]...))
	return err
}

// registryTags is
//
//	registry-tags REPO
//
// It prints "TAG DIGEST" lines, sorted, as the registry has them on its disk.
func registryTags(ts *testscript.TestScript, args []string) error {
	st, err := started(ts)
	if err != nil || len(args) != 1 {
		return usage(err, "registry-tags REPO")
	}
	tags, stdout := st.server.Tags(args[0]), ts.Stdout() // without this call, the last command's output stays
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		if _, err := fmt.Fprintln(stdout, tag, tags[tag]); err != nil {
			return err
		}
	}
	return nil
}

// registryDigest is
//
//	registry-digest NAME REPO TAG
//
// It sets a variable to the digest that the tag names.
func registryDigest(ts *testscript.TestScript, args []string) error {
	st, err := started(ts)
	if err != nil || len(args) != 3 {
		return usage(err, "registry-digest NAME REPO TAG")
	}
	digest := st.server.Tags(args[1])[args[2]]
	if digest == "" {
		return fmt.Errorf("%s has no tag %q", args[1], args[2])
	}
	ts.Setenv(args[0], digest)
	return nil
}

// expand is
//
//	expand FROM TO
//
// It copies a file with each $NAME and ${NAME} in it replaced by the variable: an event that tells a digest.
func expand(ts *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return usage(nil, "expand FROM TO")
	}
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	return os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600)
}

// registryLog is
//
//	registry-log
//
// It prints all requests since registry or registry-clear: "INDEX METHOD PATH STATUS".
func registryLog(ts *testscript.TestScript, args []string) error {
	st, err := started(ts)
	if err != nil || len(args) > 0 {
		return usage(err, "registry-log")
	}
	_, err = io.WriteString(ts.Stdout(), st.server.RequestLog())
	return err
}

// fails is
//
//	fails PROGRAM ARG...
//
// It is exec for a program that must end with exit status 1: a refusal or an error, and no crash.
func fails(ts *testscript.TestScript, args []string) error {
	if len(args) == 0 {
		return usage(nil, "fails PROGRAM ARG...")
	}
	return exits(ts, append([]string{"1"}, args...))
}

// exits is
//
//	exits STATUS PROGRAM ARG...
//
// It is exec for a program that must end with an exit status that is not 0.
func exits(ts *testscript.TestScript, args []string) error {
	if len(args) < 2 {
		return usage(nil, "exits STATUS PROGRAM ARG...")
	}
	status, program := args[0], args[1]
	var exit *exec.ExitError
	switch err := ts.Exec(program, args[2:]...); {
	case err == nil:
		return fmt.Errorf("%s succeeded", program)
	case errors.As(err, &exit) && strconv.Itoa(exit.ExitCode()) == status:
		return nil
	default:
		return fmt.Errorf("%s: %w, want exit status %s", program, err, status)
	}
}

// envFile is
//
//	env-file NAME FILE
//
// It sets a variable to what is in the file, without the last line's end: a value that needs several lines.
func envFile(ts *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return usage(nil, "env-file NAME FILE")
	}
	ts.Setenv(args[0], strings.TrimSuffix(ts.ReadFile(args[1]), "\n"))
	return nil
}

// ago is
//
//	ago NAME DURATION
//
// It sets a variable to the time of that long ago, as GitHub writes it.
func ago(ts *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return usage(nil, "ago NAME DURATION")
	}
	d, err := time.ParseDuration(args[1])
	ts.Setenv(args[0], time.Now().Add(-d).UTC().Format(time.RFC3339))
	return err
}

// queryEscape is
//
//	query-escape NAME TEXT
//
// It sets a variable to the text as it stands in a URL's query.
func queryEscape(ts *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return usage(nil, "query-escape NAME TEXT")
	}
	ts.Setenv(args[0], url.QueryEscape(args[1]))
	return nil
}

// usage is err, or else how the command is called.
func usage(err error, line string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("usage: %s", line)
}
