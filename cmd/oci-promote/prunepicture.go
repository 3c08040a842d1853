package main

import (
	"fmt"
	"strings"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// maxRungs is how many rows of the ladder a picture has.
const maxRungs = 12

// ladderPicture is the ladder, from its highest version down, as a diagram that GitHub draws (mermaid), and that reads as text
// too. All words in it are ours but versions, whose form allows no sign that means something here. Empty for no versions.
func ladderPicture(t *pipeline.Retention) string {
	if len(t.Rungs) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("```mermaid\nflowchart TD\n")
	for i, n := range ladderNodes(t) {
		link := ""
		if i > 0 {
			link = fmt.Sprintf("r%d --- ", i-1)
		}
		fmt.Fprintf(&b, "  %sr%d[\"%s\"]:::%s\n", link, i, n.text, n.class)
	}
	for _, c := range rungColours {
		fmt.Fprintf(&b, "  classDef %s %s\n", c.class, c.style)
	}
	b.WriteString("```\n")
	return b.String()
}

type node struct{ text, class string }

// The classes of rungs.
const (
	rungKept = "kept"
	rungGoes = "goes"
	rungLeft = "left"
)

// rungColours are the same in GitHub's light and dark themes.
var rungColours = []struct{ class, style string }{
	{rungKept, "fill:#dafbe1,stroke:#1a7f37,color:#1f2328"},
	{rungGoes, "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-dasharray:4"},
	{rungLeft, "fill:#f6f8fa,stroke:#59636e,color:#1f2328"},
}

// ladderNodes are the rungs; of many those in the middle are one.
func ladderNodes(t *pipeline.Retention) (all []node) {
	rungs := t.Rungs
	if len(rungs) <= maxRungs {
		return rungNodes(t, rungs)
	}
	const above = maxRungs / 2
	below := len(rungs) - (maxRungs - above - 1)
	kept, goes := 0, 0
	for _, r := range rungs[above:below] {
		if r.Goes {
			goes += r.Artifacts
		} else {
			kept += r.Artifacts
		}
	}
	all = rungNodes(t, rungs[:above])
	all = append(all, node{fmt.Sprintf("… %s<br>%s kept, %s %s", versionsOf(pipeline.Rung{From: rungs[above].From, To: rungs[below-1].To}),
		thousands(kept), thousands(goes), goesWord(t)), rungLeft})
	return append(all, rungNodes(t, rungs[below:])...)
}

func rungNodes(t *pipeline.Retention, rungs []pipeline.Rung) (all []node) {
	for _, r := range rungs {
		n := node{fmt.Sprintf("✓ %s<br>%s kept: %s", versionsOf(r), thousands(r.Artifacts), keepWords[r.Rule]), rungKept}
		switch {
		case r.Goes:
			n = node{fmt.Sprintf("✗ %s<br>%s %s", versionsOf(r), thousands(r.Artifacts), goesWord(t)), rungGoes}
		case r.Left:
			n = node{fmt.Sprintf("· %s<br>%s for the next run", versionsOf(r), thousands(r.Artifacts)), rungLeft}
		}
		all = append(all, n)
	}
	return all
}

// goesWord is what became of what goes. Of a run that kept a part of it the table says which.
func goesWord(t *pipeline.Retention) string {
	switch {
	case !t.Applied:
		return "would go"
	case t.Deleted == len(t.Delete):
		return "deleted"
	}
	return "to be deleted"
}

// versionsOf are the highest and the lowest version of a rung.
func versionsOf(r pipeline.Rung) string {
	if r.From == r.To {
		return r.From
	}
	return r.From + " … " + r.To
}
