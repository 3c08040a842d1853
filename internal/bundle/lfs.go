package bundle

import (
	"bytes"
	"fmt"
)

// git-lfs leaves a pointer where a file was not fetched: a small text that begins so
// (github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
const (
	lfsVersion = "version https://git-lfs.github.com/spec/v1"
	maxPointer = 1024 // bytes; a pointer has less
	fetchLFS   = "fetch the files themselves: lfs: true in actions/checkout, or git lfs pull"
)

// isPointer reports whether a small file begins as a pointer does.
func isPointer(content []byte) bool {
	rest, ok := bytes.CutPrefix(content, []byte(lfsVersion))
	return ok && len(rest) > 0 && (rest[0] == '\n' || rest[0] == '\r')
}

// pointersWarning tells of files that are pointers; empty for none.
func pointersWarning(files *few) string {
	format := "%s are git-lfs pointers, and that is what Flux would apply; %s; or have them ignored"
	switch files.count {
	case 0:
		return ""
	case 1:
		format = "%s is a git-lfs pointer, and that is what Flux would apply; %s; or have it ignored"
	}
	return fmt.Sprintf(format, files, fetchLFS)
}
