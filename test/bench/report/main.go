// Report writes the tables of a page from what benchmarks printed: report PAGE FILE...
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/oci-promote/oci-promote/test/bench"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: report PAGE FILE, and more files")
	}
	var raw bytes.Buffer
	for _, name := range args[1:] {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		raw.Write(text)
	}
	results, err := bench.Read(&raw)
	if err != nil {
		return err
	}
	page, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	text, err := bench.Splice(string(page), results.Markdown())
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return os.WriteFile(args[0], []byte(text), 0o644)
}
