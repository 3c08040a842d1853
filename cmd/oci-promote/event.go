package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/oci-promote/oci-promote/internal/trigger"
)

// maxEvent bounds the event's file. GitHub's own limit for a payload is 25 MB.
const maxEvent = 32 << 20

// event reads the event that started the run.
func (c *command) event() ([]byte, error) {
	name := c.getenv("GITHUB_EVENT_PATH")
	if name == "" {
		return nil, errors.New("reading the event: GITHUB_EVENT_PATH is not set")
	}
	f, err := os.Open(name) //nolint:gosec // the runner names it
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	blob, err := io.ReadAll(io.LimitReader(f, maxEvent+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the event: %w", err)
	case len(blob) > maxEvent:
		return nil, fmt.Errorf("reading the event: it has more than %d bytes", maxEvent)
	}
	return blob, nil
}

// report is the verdict on the event, if it is a cluster's report; reported is false for
// any other event, and by hand.
func (c *command) report(gate trigger.Gate) (v trigger.Verdict, reported bool, err error) {
	name := c.getenv("GITHUB_EVENT_NAME")
	if !trigger.Reports(name) {
		return v, false, nil
	}
	payload, err := c.event()
	if err == nil {
		v, err = gate.Read(name, payload)
	}
	return v, true, err
}

// approver tells on whose word a run by hand promotes.
func (c *command) approver() string {
	who := orElse(c.getenv("GITHUB_TRIGGERING_ACTOR"), c.getenv("GITHUB_ACTOR"))
	if who == "" {
		return "approved on the command line"
	}
	return fmt.Sprintf("approved by %s (%s)", who, orElse(c.getenv("GITHUB_EVENT_NAME"), "by hand"))
}
