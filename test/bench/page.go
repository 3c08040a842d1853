package bench

import (
	"fmt"
	"strconv"
	"strings"
)

// The lines between which docs/benchmarks.md is made.
const (
	begin = "<!-- make bench writes from here -->"
	end   = "<!-- make bench writes to here -->"
)

// Splice gives the page with other tables.
func Splice(page, tables string) (string, error) {
	before, rest, ok := strings.Cut(page, begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		return "", fmt.Errorf("the page lacks %q and after it %q", begin, end)
	}
	return before + begin + "\n\n" + strings.TrimSpace(tables) + "\n\n" + end + after, nil
}

// Stated gives what the page says that a tool needs for a work: requests, and the longest chain of them.
func Stated(page string, work Work, size, tool string) (requests, chain int, err error) {
	_, section, ok := strings.Cut(page, "### "+work.heading(size)+"\n")
	section, _, _ = strings.Cut(section, "\n### ")
	_, row, found := strings.Cut(section, "\n| "+tool+" | ")
	cells := strings.Split(row, " | ")
	if !ok || !found || len(cells) < 2 {
		return 0, 0, fmt.Errorf("the page has no row %s under %q", tool, work.heading(size))
	}
	if requests, err = strconv.Atoi(cells[0]); err == nil {
		chain, err = strconv.Atoi(cells[1])
	}
	return requests, chain, err
}
