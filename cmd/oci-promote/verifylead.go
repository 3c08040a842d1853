package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// leadText is a lead time on one line: live 14m after the commit: build 3m, integration 6m, …
// Empty for none.
func leadText(l *pipeline.Lead) string {
	if l == nil {
		return ""
	}
	parts := make([]string, len(l.Parts))
	for i, part := range l.Parts {
		parts[i] = fmt.Sprintf("%s %s", strings.Join(part.Of, " and "), took(part.Seconds))
	}
	last := l.Parts[len(l.Parts)-1].Of
	reached := map[string]string{
		pipeline.LeadBuild: "built", pipeline.LeadIntegration: "validated", pipeline.LeadPromotion: "promoted", pipeline.LeadLive: "live",
	}[last[len(last)-1]]
	text := fmt.Sprintf("%s %s after the commit", reached, took(l.Seconds))
	if len(parts) > 1 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}

// medianText is the median lead time of some promotions; empty for none.
func medianText(m *pipeline.Median) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%s from the commit to live, of the last %d promotions that are known", took(m.Seconds), m.Of)
}

// took is a time in its two largest units, of which the smaller is left out where it is zero.
func took(seconds int64) string {
	units := []struct {
		name string
		of   int64
	}{{"d", int64(24 * time.Hour / time.Second)}, {"h", int64(time.Hour / time.Second)}, {"m", int64(time.Minute / time.Second)}}
	for i, unit := range units {
		if seconds < unit.of {
			continue
		}
		text := fmt.Sprintf("%d%s", seconds/unit.of, unit.name)
		if i+1 < len(units) {
			if rest := seconds % unit.of / units[i+1].of; rest > 0 {
				text += fmt.Sprintf("%d%s", rest, units[i+1].name)
			}
		}
		return text
	}
	return fmt.Sprintf("%ds", seconds)
}
