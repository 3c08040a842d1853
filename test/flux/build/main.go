// Command build builds what a real Flux pipeline needs and is missing. It runs in the directory test.
//
//	build      build it
//	build -n   only say what is missing; exit status 1 if anything is
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/oci-promote/oci-promote/test/flux/bins"
)

const modules = "flux/modules"

func main() {
	dry := flag.Bool("n", false, "only say what is missing; exit status 1 if anything is")
	flag.Parse()
	if err := build(os.Stdout, *dry); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(w io.Writer, dry bool) error {
	missing, err := bins.Missing(modules)
	if err != nil || len(missing) == 0 {
		return err
	}
	if dry {
		return fmt.Errorf("%d of %d programs are not built", len(missing), len(bins.All))
	}
	fmt.Fprintf(w, "building %d programs, once: some twenty minutes on two cores if Go has compiled none of it yet\n", len(missing))
	for _, b := range missing {
		start := time.Now()
		if err := b.Build(modules); err != nil {
			return err
		}
		fmt.Fprintf(w, "built %s in %s\n", b.Name, time.Since(start).Round(time.Second))
	}
	return nil
}
