package bundle

import (
	"os"
	"strings"
	"testing"
)

func TestIgnore(t *testing.T) {
	tests := []struct {
		name   string
		files  map[string]string
		ignore string // lines
		want   string
	}{
		{"Flux's defaults",
			names("a.yaml", ".git/config", ".gitignore", ".gitmodules", ".gitattributes", "a.jpg", "a.jpeg", "a.gif", "a.png", "a.wmv",
				"a.flv", "a.tar.gz", "a.zip", ".github/x.yaml", ".circleci/x.yaml", ".travis.yml", ".gitlab-ci.yml", "appveyor.yml",
				".drone.yml", "cloudbuild.yaml", "codeship-services.yml", "codeship-steps.yml", ".goreleaser.yml", ".sops.yaml", ".flux.yaml"),
			"", "a.yaml"},
		{"Flux's defaults below a directory",
			names("d/a.yaml", "d/.git/config", "d/.gitignore", "d/a.png", "d/.github/x.yaml", "d/.sops.yaml", "d/.flux.yaml", "d/.goreleaser.yml"),
			"", "d/a.yaml"},
		{"names that only look like the defaults",
			names("git/a", ".gitx", "a.PNG", "png", ".github.yaml", "x.git/a", "sops.yaml"),
			"", ".github.yaml .gitx a.PNG git/a png sops.yaml x.git/a"},
		{"a line of the caller", names("a.yaml", "b.yaml", "d/b.yaml"), "b.yaml", "a.yaml"},
		{"an anchored line", names("a.yaml", "b.yaml", "d/b.yaml"), "/b.yaml", "a.yaml d/b.yaml"},
		{"comments and blank lines", names("a.yaml", "b.yaml"), "# a.yaml\n\n   \nb.yaml", "a.yaml"},
		{"a directory", names("a.yaml", "docs/b.yaml", "docs/d/c.yaml"), "docs/", "a.yaml"},
		{"a directory line spares a file of that name", names("a.yaml", "docs"), "docs/", "a.yaml docs"},
		{"a default taken back in", names("a.yaml", "logo.png", "b.png"), "!logo.png", "a.yaml logo.png"},
		{"a file taken back out of an ignored directory", names("a.yaml", "docs/b.yaml", "docs/keep.yaml"), "docs/\n!docs/keep.yaml", "a.yaml docs/keep.yaml"},
		{"the last line decides", names("a.yaml", "b.yaml"), "!b.yaml\nb.yaml", "a.yaml"},
		{"Windows line ends do not end the list", map[string]string{"a.yaml": "", "b.yaml": "", "c.yaml": "", ".sourceignore": "b.yaml\r\n!.sourceignore\r\nc.yaml\r\n"},
			"", ".sourceignore a.yaml"},
		{".sourceignore", map[string]string{"a.yaml": "", "b.yaml": "", ".sourceignore": "b.yaml\n"}, ".sourceignore", "a.yaml"},
		{".sourceignore itself is packed, as Flux does", map[string]string{"a.yaml": "", ".sourceignore": "b.yaml\n"}, "", ".sourceignore a.yaml"},
		{".sourceignore takes a default back in", map[string]string{"a.png": "", "b.png": "", ".sourceignore": "!a.png\n"}, ".sourceignore", "a.png"},
		{"the caller's lines come after .sourceignore", map[string]string{"a.yaml": "", "b.yaml": "", ".sourceignore": "!b.yaml\na.yaml\n"},
			"b.yaml\n!a.yaml\n.sourceignore", "a.yaml"},
		{"the caller's lines come after a nested .sourceignore", map[string]string{"a.yaml": "", "d/b.yaml": "", "d/.sourceignore": "!b.yaml\n"},
			"b.yaml\n.sourceignore", "a.yaml"},
		{"a nested .sourceignore has local effect only", map[string]string{"b.yaml": "", "d/b.yaml": "", "d/e/b.yaml": "", "e/b.yaml": "", "d/.sourceignore": "b.yaml\n"},
			".sourceignore", "b.yaml e/b.yaml"},
		{"an anchor in a nested .sourceignore means its directory", map[string]string{"b.yaml": "", "d/b.yaml": "", "d/e/b.yaml": "", "d/.sourceignore": "/b.yaml\n"},
			".sourceignore", "b.yaml d/e/b.yaml"},
		{"a nested .sourceignore overrides the one above", map[string]string{"b.yaml": "", "d/b.yaml": "", ".sourceignore": "b.yaml\n", "d/.sourceignore": "!b.yaml\n"},
			".sourceignore", "d/b.yaml"},
		{"a nested .sourceignore of a directory that is taken back in part",
			map[string]string{"a.yaml": "", "d/x": "", "d/keep.yaml": "", "d/secret.yaml": "", ".sourceignore": "d/\n!d/*.yaml\n", "d/.sourceignore": "secret.yaml\n"},
			".sourceignore", "a.yaml d/keep.yaml"},
		{"directories with a common prefix", map[string]string{"d/b.yaml": "", "dd/b.yaml": "", "d/.sourceignore": "b.yaml\n"}, ".sourceignore", "dd/b.yaml"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := build(t, os.DirFS(tree(t, test.files)), Options{Ignore: strings.Split(test.ignore, "\n")})
			if got := packed(t, a); got != test.want {
				t.Errorf("packed %s\n want  %s", got, test.want)
			}
			directoriesFirst(t, entries(t, a))
		})
	}
}

// actions/checkout leaves the job's token in .git/config: nothing takes it in.
func TestIgnoreGitAlways(t *testing.T) {
	lines := []string{"", "!.git", "!.git/", "!.git/**", "!.git/config", "!/.git", "!**/.git/**", "!*", "!**", "!config", "!.*", "!/**/config"}
	for _, line := range lines {
		t.Run(line, func(t *testing.T) {
			secrets := map[string]string{"a.yaml": "", ".git/config": "token", "sub/.git": "gitdir: ../.git/modules/sub", "sub/a.yaml": "", "deep/d/.git/config": "token", "deep/d/.git/hooks/x": ""}
			a := build(t, os.DirFS(tree(t, secrets)), Options{Ignore: []string{line}})
			if got := packed(t, a); got != "a.yaml sub/a.yaml" {
				t.Errorf("ignore: packed %s", got)
			}
			secrets[".sourceignore"] = line + "\n"
			secrets[".git/.sourceignore"] = "!config\n"
			a = build(t, os.DirFS(tree(t, secrets)), Options{})
			if got := packed(t, a); got != ".sourceignore a.yaml sub/a.yaml" {
				t.Errorf(".sourceignore: packed %s", got)
			}
		})
	}
}

func TestIgnoreFileUnreadable(t *testing.T) {
	err := unbuildable(t, os.DirFS(tree(t, names("a.yaml", "d/.sourceignore/x"))), Options{})
	if !strings.Contains(err.Error(), `"d/.sourceignore"`) {
		t.Errorf("the error %q does not name the file", err)
	}
}

func FuzzIgnore(f *testing.F) {
	for _, line := range []string{"", "*.yaml", "!.git", "!.git/**", "**", "!**", "[", "!**/[a-", "\\", "a/**/b", "/", "!", "//", "***", "#", "!\n!.git/config", "\x00", "\xff"} {
		f.Add(line, ".git/config", false)
		f.Add(line, "a/b/.git", true)
	}
	f.Fuzz(func(t *testing.T, lines, path string, isDir bool) {
		ig := newIgnorer(strings.Split(lines, "\n"))
		ig.ignored(path, isDir)
		for _, git := range []string{".git", ".git/config", path + "/.git", path + "/.git/config", ".git/" + path} {
			if !ig.ignored(git, isDir) {
				t.Errorf("%q lets %q in", lines, git)
			}
		}
	})
}
