package bundle

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

const byteOrderMark = "\ufeff"

// ReadIgnore gives the lines of an ignore list that are not blank, as people's editors and shells write it: byte order
// marks and Windows line ends are passed over. A list in which patterns would have no effect, in silence, is refused: one in
// UTF-16, or with line ends that only old Macs know. The error shows nothing of it.
func ReadIgnore(text string) (lines []string, err error) {
	switch {
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"):
		return nil, errors.New("it is UTF-16, as PowerShell's > writes it; save it as UTF-8")
	case strings.ContainsRune(text, 0):
		return nil, errors.New("it has a NUL byte, as UTF-16 has; save it as UTF-8")
	}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		line = strings.TrimRight(strings.TrimLeft(line, byteOrderMark), "\r")
		switch {
		case strings.Contains(line, "\r"):
			return nil, fmt.Errorf("line %d has a carriage return in it; end lines with LF, or with CR and LF", n)
		case strings.TrimSpace(line) == "":
			continue
		case len(lines) == 0 && isPointer([]byte(line+"\n")):
			return nil, errors.New("it is a git-lfs pointer, and no list in UTF-8; " + fetchLFS)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// inUTF8 reports whether all patterns are: another one fits no name that can be packed.
func inUTF8(lines []string) bool {
	return !slices.ContainsFunc(lines, func(line string) bool { return !strings.HasPrefix(line, "#") && !utf8.ValidString(line) })
}

// notUTF8 tells of files whose patterns are not all in UTF-8; empty for none.
func notUTF8(files *few) string {
	if files.count == 0 {
		return ""
	}
	return fmt.Sprintf("%s: a pattern that is not UTF-8 fits no name that is; save the file as UTF-8", files)
}

// opensFolders reports whether a list has the pattern by which git looks into each folder. For Flux's matcher it takes back in
// all that lies there (docs/facts.md 10).
func opensFolders(lines []string) bool {
	return slices.ContainsFunc(lines, func(line string) bool {
		return slices.Contains([]string{"!*/", "!/*/", "!**/"}, strings.TrimSpace(line))
	})
}

// foldersOpened tells of lists that take in more than git would; empty for none.
func foldersOpened(lists *few) string {
	if lists.count == 0 {
		return ""
	}
	return fmt.Sprintf("%s: !*/ takes in every file of every folder, as Flux reads it, where git only looks into the folder; name the folders that are to be packed", lists)
}

// comma tells what a list of the caller that is one line with a comma may have been meant to be; empty for nothing.
func comma(lines []string) string {
	if len(lines) != 1 || strings.HasPrefix(lines[0], "#") || !strings.Contains(lines[0], ",") {
		return ""
	}
	var meant []string
	for part := range strings.SplitSeq(lines[0], ",") {
		if part = strings.TrimSpace(part); part != "" {
			meant = append(meant, fmt.Sprintf("%q", part))
		}
	}
	if meant == nil {
		return ""
	}
	return fmt.Sprintf("ignore: %q is one pattern, that fits only a name with a comma; if patterns are meant, as flux --ignore-paths takes them, give each a line of its own: %s",
		lines[0], list(meant))
}

// few are the first of some names, and how many there are.
type few struct {
	names []string
	count int
}

func (f *few) add(name string) {
	const most = 3
	if f.count++; len(f.names) < most {
		f.names = append(f.names, name)
	}
}

// String has the names in quotes, and the number of the others.
func (f *few) String() string {
	var parts []string
	for _, name := range f.names {
		parts = append(parts, fmt.Sprintf("%q", name))
	}
	if more := f.count - len(f.names); more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	return list(parts)
}

func list(parts []string) string {
	last := len(parts) - 1
	if last < 1 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}
