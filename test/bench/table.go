package bench

import (
	"fmt"
	"strings"
	"time"
)

// Markdown gives the tables of docs/benchmarks.md, one a work and a size, and before them the machine.
func (r *Results) Markdown() string {
	var b strings.Builder
	least, most := r.runs()
	times := fmt.Sprint(least)
	if least != most {
		times = fmt.Sprintf("%d to %d", least, most)
	}
	fmt.Fprintf(&b, "Medians of %s runs. The machine and the tools:\n\n", times)
	for _, line := range r.Machine {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	for _, work := range Works {
		switch work.Kind {
		case Requests:
			for _, size := range work.Sizes {
				fmt.Fprintf(&b, "\n### %s\n\n%s", work.heading(size), r.requests(work, size))
			}
		case Crowd:
			fmt.Fprintf(&b, "\n### %s\n\n%s", work.Title, r.crowd(work))
		case Polls:
			fmt.Fprintf(&b, "\n### %s\n\n%s", work.Title, r.polls(work))
		case Packing:
			fmt.Fprintf(&b, "\n### %s\n\n%s", work.Title, r.packing(work))
		}
	}
	return b.String()
}

func (w Work) heading(size string) string {
	if size == "" {
		return w.Title
	}
	return w.Title + " among " + thousands(size) + " tags"
}

// thousands is a number below a million, in decimal, with a comma.
func thousands(number string) string {
	if len(number) <= 3 {
		return number
	}
	return number[:len(number)-3] + "," + number[len(number)-3:]
}

// requests is the table of a work that speaks to a registry. Chains are counted at 50 ms, where what a client does at once
// overlaps; the ratio is at 20 ms.
func (r *Results) requests(work Work, size string) string {
	var b strings.Builder
	b.WriteString("| | requests | longest chain | at 0 ms | at 20 ms | at 50 ms | against ours |\n|---|---|---|---|---|---|---|\n")
	for _, tool := range work.Tools {
		requests, measured := r.median(work.Name, size, "50", tool, "requests/op")
		chain := r.least(work.Name, size, "50", tool, "chain/op")
		if !measured {
			fmt.Fprintf(&b, "| %s | not measured | | | | | |\n", tool)
			continue
		}
		fmt.Fprintf(&b, "| %s | %.0f | %.0f |", tool, requests, chain)
		for _, latency := range Latencies {
			if wall, ok := r.median(work.Name, size, fmt.Sprint(latency.Milliseconds()), tool, "ns/op"); ok {
				fmt.Fprintf(&b, " %s", round(wall))
			}
			b.WriteString(" |")
		}
		fmt.Fprintf(&b, " %s |\n", r.ratio(work.Name, size, "20", tool))
	}
	return b.String()
}

// polls is the table of all sizes.
func (r *Results) polls(work Work) string {
	var b strings.Builder
	b.WriteString("| tags | requests | longest chain | received |\n|---|---|---|---|\n")
	for _, size := range work.Sizes {
		requests, measured := r.median(work.Name, size, "", Poller, "requests/op")
		received, _ := r.median(work.Name, size, "", Poller, "received-bytes/op")
		if !measured {
			fmt.Fprintf(&b, "| %s | not measured | | |\n", thousands(size))
			continue
		}
		b.WriteString(pollRow(size, requests, r.least(work.Name, size, "", Poller, "chain/op"), received))
	}
	return b.String()
}

// pollRow is a line of that table.
func pollRow(tags string, requests, chain, received float64) string {
	return fmt.Sprintf("| %s | %.0f | %.0f | %.0f KB |\n", thousands(tags), requests, chain, received/1000)
}

// packing is the table of all sizes.
func (r *Results) packing(work Work) string {
	var b strings.Builder
	b.WriteString("|")
	for _, size := range work.Sizes {
		fmt.Fprintf(&b, " | %s | against ours", size)
	}
	b.WriteString(" | peak memory |\n|---" + strings.Repeat("|---|---", len(work.Sizes)) + "|---|\n")
	for _, tool := range work.Tools {
		fmt.Fprintf(&b, "| %s |", tool)
		for _, size := range work.Sizes {
			wall, measured := r.median(work.Name, size, "", tool, "ns/op")
			if !measured {
				b.WriteString(" not measured | |")
				continue
			}
			fmt.Fprintf(&b, " %s | %s |", round(wall), r.ratio(work.Name, size, "", tool))
		}
		peak, _ := r.median(work.Name, work.Sizes[len(work.Sizes)-1], "", tool, "peak-MB")
		fmt.Fprintf(&b, " %.0f MB |\n", peak)
	}
	return b.String()
}

func (r *Results) ratio(work, size, latency, tool string) string {
	theirs, ok := r.median(work, size, latency, tool, "ns/op")
	ours, both := r.median(work, size, latency, Ours, "ns/op")
	if !ok || !both || tool == Ours {
		return ""
	}
	return fmt.Sprintf("%.2f", theirs/ours)
}

// round shows what the spread of a shared machine lets one believe.
func round(ns float64) string {
	d := time.Duration(ns)
	if d < 10*time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
