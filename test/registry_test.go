package test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oci-promote/oci-promote/test/registrytest"
)

// state is what the commands of one script share.
type state struct {
	server  *registrytest.Server
	answers []registrytest.Interceptor // the newest first
}

type stateKey struct{}

// started is the state of a script that has called registry.
func started(ts *testscript.TestScript) (*state, error) {
	st := ts.Value(stateKey{}).(*state)
	if st.server == nil {
		return nil, errors.New("no registry runs: call registry first")
	}
	return st, nil
}

// startRegistry is
//
//	registry [-token] [-nodelete] [-pagesize N] [-latency DURATION]
//
// It starts a registry for the rest of the script, in place of the last one if there is any, and sets REGISTRY
// (host:port, plain HTTP), REGISTRY_USER and REGISTRY_PASSWORD.
func startRegistry(ts *testscript.TestScript, args []string) error {
	var o registrytest.Options
	flags := newFlags("registry")
	flags.BoolVar(&o.Token, "token", false, "")
	flags.BoolVar(&o.NoDelete, "nodelete", false, "")
	flags.IntVar(&o.PageSize, "pagesize", 0, "")
	flags.DurationVar(&o.Latency, "latency", 0, "")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return usage(err, "registry [-token] [-nodelete] [-pagesize N] [-latency DURATION]")
	}
	dir, err := os.MkdirTemp("", "oci-promote-registry") // not in $WORK, which a script may pack
	if err != nil {
		return err
	}
	ts.Defer(func() { ts.Check(os.RemoveAll(dir)) })
	server, err := registrytest.New(dir, o)
	if err != nil {
		return err
	}
	ts.Defer(func() { ts.Check(server.Close()) })
	*ts.Value(stateKey{}).(*state) = state{server: server}
	ts.Setenv("REGISTRY", server.Host)
	ts.Setenv("REGISTRY_USER", server.Username)
	ts.Setenv("REGISTRY_PASSWORD", server.Password)
	return nil
}

// registryAnswer is
//
//	registry-answer [-times N] [-header 'NAME: VALUE']... METHOD PATH-REGEXP STATUS BODY-FILE|-
//
// All later requests that match (or the first N of them) get this answer; METHOD may be ANY, and - is an empty body.
// STATUS may also be drop-before or drop-after: the connection closes in place of an answer, before or after the
// registry has done what was asked. The answer that was given last comes first.
func registryAnswer(ts *testscript.TestScript, args []string) error {
	header := make(http.Header)
	flags := newFlags("registry-answer")
	times := flags.Int("times", 0, "")
	flags.Func("header", "", func(line string) error {
		name, value, found := strings.Cut(line, ":")
		if !found {
			return fmt.Errorf("%q has no colon", line)
		}
		header.Add(name, strings.TrimSpace(value))
		return nil
	})
	if err := flags.Parse(args); err != nil || flags.NArg() != 4 {
		return usage(err, "registry-answer [-times N] [-header 'NAME: VALUE']... METHOD PATH-REGEXP STATUS BODY-FILE|-")
	}
	method, path := strings.TrimPrefix(flags.Arg(0), "ANY"), flags.Arg(1)
	if _, err := regexp.Compile(path); err != nil {
		return err
	}
	answer, err := answerFor(ts, flags.Arg(2), header, flags.Arg(3))
	if err != nil {
		return err
	}
	if *times > 0 {
		answer = registrytest.Times(*times, answer)
	}
	st, err := started(ts)
	if err != nil {
		return err
	}
	st.answers = append([]registrytest.Interceptor{registrytest.On(method, path, answer)}, st.answers...)
	st.server.Intercept(registrytest.Chain(st.answers...))
	return nil
}

func answerFor(ts *testscript.TestScript, status string, header http.Header, file string) (registrytest.Interceptor, error) {
	switch status {
	case "drop-before":
		return registrytest.DropBefore, nil
	case "drop-after":
		return registrytest.DropAfter, nil
	}
	code, err := strconv.Atoi(status)
	if err != nil || code < 200 || code > 599 {
		return nil, fmt.Errorf("status %q: expected 200 to 599, drop-before or drop-after", status)
	}
	body := ""
	if file != "-" {
		body = ts.ReadFile(file)
	}
	return registrytest.Status(code, header, body), nil
}

// registryClear is
//
//	registry-clear
//
// It forgets all answers that registry-answer gave, and all requests recorded so far.
func registryClear(ts *testscript.TestScript, args []string) error {
	st, err := started(ts)
	if err != nil || len(args) > 0 {
		return usage(err, "registry-clear")
	}
	st.answers = nil
	st.server.Intercept(nil)
	st.server.Reset()
	return nil
}

func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}
