package bundle

import (
	"slices"
	"strings"

	"github.com/fluxcd/pkg/sourceignore/gitignore"
)

// rules are the patterns of one list.
type rules struct {
	rules   []rule
	negated bool // one of them takes files back in
}

// rule is a pattern of Flux's matcher behind a cheap test: asking each of a thousand patterns about each of
// 100,000 files takes minutes. A path that fits has an element with that prefix and suffix.
type rule struct {
	pattern        gitignore.Pattern
	prefix, suffix string
}

// newRules reads gitignore lines, which hold below the directory domain.
func newRules(lines []string, domain []string) rules {
	var rs rules
	for _, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		r := rule{pattern: gitignore.ParsePattern(line, domain)}
		r.prefix, r.suffix = ends(line)
		rs.rules = append(rs.rules, r)
		rs.negated = rs.negated || strings.HasPrefix(line, "!")
	}
	return rs
}

// ends gives the literal beginning and end of the last element of a pattern. Some element of a path must match it,
// whatever is before it.
func ends(line string) (prefix, suffix string) {
	const special = `*?[]\`
	line = strings.TrimPrefix(line, "!")
	if !strings.HasSuffix(line, `\ `) {
		line = strings.TrimRight(line, " ")
	}
	line = strings.TrimSuffix(line, "/")
	last := line[strings.LastIndex(line, "/")+1:]
	first := strings.IndexAny(last, special)
	if first < 0 {
		return last, last
	}
	return last[:first], last[strings.LastIndexAny(last, special)+1:]
}

func (r rule) possible(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return strings.HasPrefix(name, r.prefix) && strings.HasSuffix(name, r.suffix)
	})
}

// match asks the patterns, the last one first.
func (rs rules) match(names []string, isDir bool) gitignore.MatchResult {
	for _, r := range slices.Backward(rs.rules) {
		if !r.possible(names) {
			continue
		}
		if result := r.pattern.Match(names, isDir); result != gitignore.NoMatch {
			return result
		}
	}
	return gitignore.NoMatch
}
