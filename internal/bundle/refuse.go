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

// refused is err with the file that it is about, quoted once, and what to do.
func refused(name string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, fs.ErrPermission):
		hint = "; make it readable for the user that builds, or have it ignored"
	case errors.Is(err, syscall.ENOSPC):
		hint = fmt.Sprintf("; the artifact is packed into %s, set TMPDIR to a directory with more room", os.TempDir())
	}
	return fmt.Errorf("packing %q: %w%s", name, reason(err), hint)
}

// reason is err without the name that the system gives it: that may hold line breaks.
func reason(err error) error {
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		return of.Err
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
	default:
		return nil
	}
	return fmt.Errorf("packing %q: %s; rename it, or have it ignored", name, why)
}
