package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/fluxcd/pkg/sourceignore"
	"github.com/fluxcd/pkg/sourceignore/gitignore"
)

// ignorer decides what stays out of an artifact, as Flux's own matcher does:
// the defaults first, then each directory's .sourceignore, then the caller's lines;
// the last pattern that fits decides.
type ignorer struct {
	defaults rules
	files    []ignoreFile // of the directory at hand and of those above it
	own      rules        // the caller's lines, always last
	odd      few          // .sourceignore files whose patterns are not all in UTF-8
	open     few          // lists that take in more than git would
}

// ignoreFile is a .sourceignore. Its rules hold below its directory only.
type ignoreFile struct {
	dir   string // ends in "/"; empty for the root
	rules rules
}

func newIgnorer(lines []string) *ignorer {
	defaults := []string{sourceignore.ExcludeVCS, sourceignore.ExcludeExt, sourceignore.ExcludeCI, sourceignore.ExcludeExtra}
	ig := &ignorer{
		defaults: newRules(strings.Split(strings.Join(defaults, ","), ","), nil),
		own:      newRules(strings.Split(strings.Join(lines, "\n"), "\n"), nil),
	}
	if opensFolders(lines) {
		ig.open.add("ignore")
	}
	return ig
}

// enter adds the .sourceignore of directory dir, whose patterns hold below it only.
// flux push does not read these files (docs/facts.md 10); Flux's sources do, and so do we.
func (ig *ignorer) enter(fsys fs.FS, dir string) error {
	below := ""
	var domain []string
	if dir != "." {
		below = dir + "/"
		domain = strings.Split(dir, "/")
	}
	name := below + sourceignore.IgnoreFile
	text, err := readIgnoreFile(fsys, name)
	var lines []string
	if err == nil {
		lines, err = ReadIgnore(text)
	}
	if err != nil {
		return fmt.Errorf("reading ignore file %q: %w", name, reason(err))
	}
	if !inUTF8(lines) {
		ig.odd.add(name)
	}
	if opensFolders(lines) {
		ig.open.add(name)
	}
	if lines != nil {
		ig.files = append(ig.files, ignoreFile{below, newRules(lines, domain)})
	}
	return nil
}

// leave lets go of the .sourceignore files of directories that path is not in.
func (ig *ignorer) leave(path string) {
	ig.files = slices.DeleteFunc(ig.files, func(f ignoreFile) bool { return !strings.HasPrefix(path, f.dir) })
}

// maxIgnoreFile is far above what people write: it keeps a file that is none of theirs out of memory.
const maxIgnoreFile = 1 << 20

// readIgnoreFile gives the text of a .sourceignore, which is empty where there is none. A pipe, device or
// socket of that name is none.
func readIgnoreFile(fsys fs.FS, name string) (string, error) {
	if _, err := fs.Lstat(fsys, name); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	info, err := fs.Stat(fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errors.New("it is a symlink to nothing")
	case err != nil:
		return "", err
	case info.Mode().Type()&^fs.ModeDir != 0:
		return "", nil
	}
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxIgnoreFile+1))
	if err == nil && len(text) > maxIgnoreFile {
		err = fmt.Errorf("it is larger than %d bytes; is it meant to be one?", maxIgnoreFile)
	}
	return string(text), err
}

// ignored reports whether path stays out.
func (ig *ignorer) ignored(path string, isDir bool) bool {
	names := strings.Split(path, "/")
	if hasSecret(names) {
		return true
	}
	if result := ig.own.match(names, isDir); result != gitignore.NoMatch {
		return result == gitignore.Exclude
	}
	for _, f := range slices.Backward(ig.files) {
		if result := f.rules.match(names, isDir); result != gitignore.NoMatch {
			return result == gitignore.Exclude
		}
	}
	return ig.defaults.match(names, isDir) == gitignore.Exclude
}

// negated reports whether some pattern takes a file back in, so that no directory can be skipped unread.
func (ig *ignorer) negated() bool {
	return ig.own.negated || slices.ContainsFunc(ig.files, func(f ignoreFile) bool { return f.rules.negated })
}

// isSecret is the one rule that no pattern lifts: older actions/checkout leave the job's
// token in .git/config, docker login leaves passwords in .docker/config.json, and an
// artifact is as public as its registry.
func isSecret(path string) bool { return hasSecret(strings.Split(path, "/")) }

func hasSecret(names []string) bool {
	return slices.Contains(names, ".git") || slices.Contains(names, ".docker")
}
