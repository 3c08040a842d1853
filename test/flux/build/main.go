// Command build builds what a real Flux pipeline needs and is missing. It runs in the directory test.
//
//	build      build it
//	build -n   only say what is missing; exit status 1 if anything is
//	build -o   build the older programs too
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/oci-promote/oci-promote/test/flux/bins"
)

const modules = "flux/modules"

func main() {
	dry := flag.Bool("n", false, "only say what is missing; exit status 1 if anything is")
	older := flag.Bool("o", false, "build the older programs too")
	flag.Parse()
	programs := bins.All
	if *older {
		programs = slices.Concat(bins.All, bins.Older)
	}
	if err := build(os.Stdout, programs, *dry); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(w io.Writer, programs []bins.Binary, dry bool) error {
	missing, err := bins.Missing(modules, programs)
	if err != nil || len(missing) == 0 {
		return err
	}
	if dry {
		return fmt.Errorf("%d of %d programs are not built", len(missing), len(programs))
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
