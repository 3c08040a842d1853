package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"
)

// quiet is what to do about a tree that changes while it is packed.
const quiet = "; build from a tree that nothing writes to"

// refused is err with the file that it is about.
func refused(name string, err error) error { return fmt.Errorf("packing %q: %w", name, reason(err)) }

// reason is err with what to do, and without the name that the system gives it: that may hold line breaks.
func reason(err error) error {
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		err = of.Err
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; make it readable for the user that builds, or have it ignored", err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w; the artifact is packed into %s, set TMPDIR to a directory with more room", err, os.TempDir())
	}
	return err
}

// maxPath is what Linux can open, 4096 bytes, less the directory into which a cluster unpacks.
const maxPath = 3500

// checkName refuses a name that Flux cannot unpack (fluxcd/pkg tar.Untar), or that fs.ValidPath refuses with
// no more than "invalid argument".
func checkName(name string) error {
	why := ""
	switch {
	case !utf8.ValidString(name):
		why = "the name is not valid UTF-8"
	case strings.Contains(name, `\`):
		why = "the name has a backslash, which Flux does not unpack"
	case strings.Contains(name, "../"):
		why = `the name of a directory ends in "..", which Flux does not unpack`
	case len(name) > maxPath:
		why = fmt.Sprintf("the path has %d bytes, of which a cluster can unpack %d", len(name), maxPath)
		name = name[:60] + "…" + name[len(name)-30:] // the reason would be lost behind it
	default:
		return nil
	}
	return fmt.Errorf("packing %q: %s; rename it, or have it ignored", name, why)
}
