package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/github"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	semver "github.com/oci-promote/oci-promote/internal/version"
)

// text is the comment that a pull request gets. All in it is ours but the names of the artifact and of its versions, which
// are code: it mentions nobody, closes nothing, and links to nothing but pages of this repository.
func (w *commenter) text(a pipeline.Arrival, s stretch) func(github.Pull) string {
	commits := "what became live"
	if s.back {
		commits = "what went"
	}
	below := []string{action.Code(w.report.Repository), "commit " + commitLink(a.Commit, w.pages.repository)}
	for _, page := range []string{link(commits, w.pages.compare(s)), link("package", w.pages.container), link("run", w.pages.run)} {
		if page != "" {
			below = append(below, page)
		}
	}
	return func(p github.Pull) string {
		text := fmt.Sprintf("Live as %s%s.", action.Code(a.Version), afterMerge(a.At.Sub(p.Merged)))
		if s.back {
			text = fmt.Sprintf("Live went back to %s (as %s), which takes this change back.", w.goal(a), action.Code(a.Version))
		}
		return fmt.Sprintf("%s\n\n<sub>%s</sub>\n", text, strings.Join(below, " · "))
	}
}

// compare is the page that shows the commits of a stretch.
func (p pages) compare(s stretch) string {
	if p.repository == "" {
		return ""
	}
	return fmt.Sprintf("%s/compare/%s...%s", p.repository, s.since, s.until)
}

// goal is what live went back to: the version that the artifact had before, or its commit.
func (w *commenter) goal(a pipeline.Arrival) string {
	own, err := semver.ParseStable(a.Version)
	if err != nil {
		return "commit " + commitLink(a.Commit, w.pages.repository)
	}
	var before []semver.Stable
	for _, v := range w.report.Versions {
		if !slices.Contains(v.Tags, a.Version) {
			continue
		}
		for _, tag := range v.Tags {
			if s, err := semver.ParseStable(tag); err == nil && s.Compare(own) < 0 {
				before = append(before, s)
			}
		}
	}
	if len(before) == 0 {
		return "commit " + commitLink(a.Commit, w.pages.repository)
	}
	return action.Code(slices.MaxFunc(before, semver.Stable.Compare).String())
}

// afterMerge is ", 14 minutes after the merge"; empty where the clocks of GitHub and of whoever told disagree.
func afterMerge(d time.Duration) string {
	var took string
	switch {
	case d < 0:
		return ""
	case d < time.Minute:
		took = "less than a minute"
	case d < time.Hour:
		took = plural(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		took = plural(int(d.Hours()), "hour")
	default:
		took = plural(int(d.Hours()/24), "day")
	}
	return ", " + took + " after the merge"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// became is "12 more pull requests became live as 0.1.5".
func became(n int, c pipeline.Commented) string {
	did := "became live as " + c.Version
	switch {
	case c.Back && n == 1:
		did = "was taken back by " + c.Version
	case c.Back:
		did = "were taken back by " + c.Version
	}
	return plural(n, "more pull request") + " " + did
}

// commentsText is the comments of a run about one arrival, on one line.
func commentsText(c pipeline.Commented) string {
	return fmt.Sprintf("%s (%s)", pullNumbers(c.Pulls), says(c))
}

// commentsRow is commentsText with links.
func commentsRow(c pipeline.Commented, p pages) string {
	links := make([]string, len(c.Pulls))
	for i, n := range c.Pulls {
		links[i] = action.Markdown(fmt.Sprintf("#%d", n))
		if p.repository != "" {
			links[i] = fmt.Sprintf("[%s](%s/pull/%d)", links[i], p.repository, n)
		}
	}
	return fmt.Sprintf("%s (%s)", strings.Join(links, " "), action.Markdown(says(c)))
}

// says is what the comments say, in short.
func says(c pipeline.Commented) string {
	if c.Back {
		return "live went back, as " + c.Version
	}
	return "live as " + c.Version
}

func pullNumbers(pulls []int) string {
	all := make([]string, len(pulls))
	for i, n := range pulls {
		all[i] = fmt.Sprintf("#%d", n)
	}
	return strings.Join(all, " ")
}
