package bundle

import (
	"errors"
	"fmt"
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
	patterns []gitignore.Pattern
	own      []gitignore.Pattern // the caller's lines, always last
	matcher  gitignore.Matcher
	negated  bool // some pattern takes a file back in, so no directory can be skipped unread
}

func newIgnorer(lines []string) *ignorer {
	text := strings.Join(lines, "\n")
	ig := &ignorer{
		patterns: slices.Concat(sourceignore.VCSPatterns(nil), sourceignore.DefaultPatterns(nil)),
		own:      sourceignore.ReadPatterns(strings.NewReader(text), nil),
		negated:  hasNegation(text),
	}
	ig.rebuild()
	return ig
}

// enter adds the .sourceignore of directory dir, whose patterns hold below it only.
// flux push does not read these files (facts 10); Flux's sources do, and so do we.
func (ig *ignorer) enter(fsys fs.FS, dir string) error {
	name := sourceignore.IgnoreFile
	if dir != "." {
		name = dir + "/" + name
	}
	info, err := fs.Stat(fsys, name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().Type()&^fs.ModeDir != 0 { // a pipe would keep us waiting
		return nil
	}
	var text []byte
	if err == nil {
		text, err = fs.ReadFile(fsys, name)
	}
	if err != nil {
		return fmt.Errorf("reading ignore file %q: %w", name, err)
	}
	var domain []string
	if dir != "." {
		domain = strings.Split(dir, "/")
	}
	ig.patterns = append(ig.patterns, sourceignore.ReadPatterns(strings.NewReader(string(text)), domain)...)
	ig.negated = ig.negated || hasNegation(string(text))
	ig.rebuild()
	return nil
}

func (ig *ignorer) rebuild() {
	ig.matcher = sourceignore.NewMatcher(slices.Concat(ig.patterns, ig.own))
}

// ignored reports whether path stays out.
func (ig *ignorer) ignored(path string, isDir bool) bool {
	return isSecret(path) || ig.matcher.Match(strings.Split(path, "/"), isDir)
}

// isSecret is the one rule that no pattern lifts: older actions/checkout leave the job's
// token in .git/config, docker login leaves passwords in .docker/config.json, and an
// artifact is as public as its registry.
func isSecret(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(name string) bool { return name == ".git" || name == ".docker" })
}

func hasNegation(lines string) bool {
	return strings.HasPrefix(lines, "!") || strings.Contains(lines, "\n!")
}
